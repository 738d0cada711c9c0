// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcCases.A;
import static dev.millrace.grpc.GrpcCases.N;
import static dev.millrace.grpc.GrpcCases.NEGATED;
import static dev.millrace.grpc.GrpcCases.SUM;
import static dev.millrace.grpc.GrpcCases.answered;
import static dev.millrace.grpc.GrpcCases.rawTwo;
import static dev.millrace.grpc.GrpcCases.refused;
import static dev.millrace.grpc.GrpcCases.send;
import static dev.millrace.grpc.GrpcCases.two;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.millrace.grpc.GrpcCases.Check;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.grpc.message.Messages.ModelStreamInferResponse;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The suite's cases about how a request is written and sent that have a counterpart in protobuf's encoding and gRPC's
/// calls. Stateless.
final class GrpcWireCases {
    /// More than the server takes.
    private static final int OVERSIZE = 3 << 20;

    /// A field that the protocol does not have.
    private static final int UNKNOWN_FIELD = 999;

    private static final int LENGTH = 2;
    private static final int GROUP = 3;
    private static final int DEEP = 100_000;
    private static final int PIPELINED = 20;

    private GrpcWireCases() {}

    /// By their ids.
    static Map<String, Check> all() {
        return Map.ofEntries(
                Map.entry("json.unknown-keys", GrpcWireCases::unknownFields),
                Map.entry("json.keys-twice", GrpcWireCases::fieldTwice),
                Map.entry("json.key-order", GrpcWireCases::fieldOrder),
                Map.entry("json.depth", GrpcWireCases::depth),
                Map.entry("json.truncated", GrpcWireCases::truncated),
                Map.entry("json.no-request", GrpcWireCases::noRequest),
                Map.entry("http.pipelined", GrpcWireCases::pipelined),
                Map.entry("http.oversize", GrpcWireCases::oversize),
                Map.entry("http.compressed-request", client -> GrpcValueCases.compressed(client, two())),
                // grpc-java says in every call that it takes gzip.
                Map.entry("http.accept-encoding", client -> answered(client, two())),
                Map.entry("http.after-error", GrpcWireCases::afterError));
    }

    private static UnknownFieldSet unknown() {
        return UnknownFieldSet.newBuilder()
                .addField(
                        UNKNOWN_FIELD,
                        UnknownFieldSet.Field.newBuilder()
                                .addVarint(-1)
                                .addFixed32(1)
                                .addFixed64(2)
                                .addLengthDelimited(two().build().toByteString())
                                .build())
                .build();
    }

    private static void unknownFields(GrpcClient client) {
        answered(
                client,
                GrpcClient.request(GrpcCases.TWO, A.typed().setUnknownFields(unknown()), N.typed())
                        .addOutputs(GrpcClient.output("sum").setUnknownFields(unknown()))
                        .addOutputs(GrpcClient.output("negated"))
                        .setUnknownFields(unknown()));
        answered(client, rawTwo().setUnknownFields(unknown()));
    }

    /// Protobuf has the last one hold.
    private static void fieldTwice(GrpcClient client) {
        ByteString first = ModelInferRequest.newBuilder()
                .setModelName(GrpcCases.UNKNOWN)
                .setId("a")
                .build()
                .toByteString();
        ModelInferResponse response =
                send(client, bytes(first, two().setId("b").build().toByteString()));
        assertThat(response.getId()).isEqualTo("b");
        SuiteTensor.require(response, SUM, NEGATED);
        answered(client, two());
    }

    private static byte[] bytes(ByteString... parts) {
        return ByteString.copyFrom(List.of(parts)).toByteArray();
    }

    /// An input's fields in every order, contents first too, and a request's back to front.
    private static void fieldOrder(GrpcClient client) {
        List<ByteString> fields = List.of(
                InferInputTensor.newBuilder().setName(A.name()).build().toByteString(),
                InferInputTensor.newBuilder().setDatatype("FP32").build().toByteString(),
                InferInputTensor.newBuilder().addAllShape(A.shape()).build().toByteString(),
                InferInputTensor.newBuilder().setContents(A.contents()).build().toByteString());
        byte[] rest = two().removeInputs(0).build().toByteArray();
        for (List<ByteString> order : orders(fields)) {
            byte[] input = field(5, ByteString.copyFrom(order));
            SuiteTensor.require(send(client, concat(input, rest)), SUM, NEGATED);
        }
        ModelInferRequest request = rawTwo().setId("c").build();
        List<ByteString> parts = new ArrayList<>(List.of(
                request.toBuilder()
                        .clearModelName()
                        .clearRawInputContents()
                        .clearId()
                        .build()
                        .toByteString(),
                ModelInferRequest.newBuilder()
                        .setModelName(request.getModelName())
                        .build()
                        .toByteString(),
                ModelInferRequest.newBuilder().setId("c").build().toByteString(),
                ModelInferRequest.newBuilder()
                        .addAllRawInputContents(request.getRawInputContentsList())
                        .build()
                        .toByteString()));
        for (List<ByteString> order : orders(parts)) {
            ModelInferResponse response =
                    send(client, ByteString.copyFrom(order).toByteArray());
            assertThat(response.getId()).isEqualTo("c");
            SuiteTensor.require(response, SUM, NEGATED);
        }
    }

    private static List<List<ByteString>> orders(List<ByteString> parts) {
        if (parts.isEmpty()) {
            return List.of(List.of());
        }
        List<List<ByteString>> all = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            List<ByteString> others = new ArrayList<>(parts);
            ByteString first = others.remove(i);
            for (List<ByteString> rest : orders(others)) {
                List<ByteString> order = new ArrayList<>(List.of(first));
                order.addAll(rest);
                all.add(order);
            }
        }
        return all;
    }

    private static byte[] concat(byte[]... parts) {
        ByteString all = ByteString.EMPTY;
        for (byte[] part : parts) {
            all = all.concat(ByteString.copyFrom(part));
        }
        return all.toByteArray();
    }

    /// A field whose value has a length.
    private static byte[] field(int number, ByteString value) {
        return UnknownFieldSet.newBuilder()
                .addField(
                        number,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(value)
                                .build())
                .build()
                .toByteArray();
    }

    /// Messages in messages are passed over, as nobody knows the field, and are refused as an input's contents; groups,
    /// which the protocol does not have, are refused everywhere.
    private static void depth(GrpcClient client) {
        byte[] nested = nested();
        byte[] good = two().build().toByteArray();
        SuiteTensor.require(send(client, concat(good, nested)), SUM, NEGATED);
        byte[] groups = new byte[2 * DEEP];
        for (int i = 0; i < groups.length; i += 2) {
            groups[i] = (byte) ((((UNKNOWN_FIELD << 3) | GROUP) & 0x7F) | 0x80);
            groups[i + 1] = (byte) (UNKNOWN_FIELD >>> 4);
        }
        refused(client, concat(good, groups), Status.Code.INVALID_ARGUMENT);
        byte[] contents = concat(A.head().build().toByteArray(), field(5, ByteString.copyFrom(nested)));
        byte[] others = two().removeInputs(0).build().toByteArray();
        refused(client, concat(field(5, ByteString.copyFrom(contents)), others), Status.Code.INVALID_ARGUMENT);
    }

    /// A field in a field in a field, written from the innermost one.
    private static byte[] nested() {
        ByteBuffer bytes = ByteBuffer.allocate(6 * DEEP);
        int from = bytes.capacity();
        for (int i = 0; i < DEEP; i++) {
            int size = bytes.capacity() - from;
            int count = size < 1 << 7 ? 1 : size < 1 << 14 ? 2 : 3;
            from -= count + 2;
            varint(bytes, from, (UNKNOWN_FIELD << 3) | LENGTH, 2);
            varint(bytes, from + 2, size, count);
        }
        return Arrays.copyOfRange(bytes.array(), from, bytes.capacity());
    }

    private static void varint(ByteBuffer bytes, int at, int value, int count) {
        for (int i = 0; i < count; i++) {
            bytes.put(at + i, (byte) (((value >>> (7 * i)) & 0x7F) | (i < count - 1 ? 0x80 : 0)));
        }
    }

    /// A cut between two fields, too: the inputs or the bytes of one of them are missing then.
    private static void truncated(GrpcClient client) {
        for (ModelInferRequest.Builder request : List.of(two(), rawTwo())) {
            byte[] whole = request.build().toByteArray();
            for (int length = 1; length < whole.length; length++) {
                refused(client, Arrays.copyOf(whole, length), Status.Code.INVALID_ARGUMENT);
            }
        }
    }

    /// Without a model's name, which is part of the path over HTTP, there is no model to be found.
    private static void noRequest(GrpcClient client) {
        refused(client, new byte[0], Status.Code.NOT_FOUND);
        refused(client, GrpcClient.request(GrpcCases.TWO));
        refused(client, GrpcClient.request(GrpcCases.TWO, InferInputTensor.newBuilder()));
        refused(client, GrpcClient.request(GrpcCases.TWO).addRawInputContents(ByteString.EMPTY));
        for (String text : List.of(" ", "null", "true", "1", "\"a\"", "[]", "{}", "{\"inputs\":[]}", "hello")) {
            refused(client, text.getBytes(StandardCharsets.UTF_8), Status.Code.INVALID_ARGUMENT);
        }
        byte[] latin = field(3, ByteString.copyFrom(new byte[] {(byte) 0xE9}));
        refused(client, concat(latin, two().build().toByteArray()), Status.Code.INVALID_ARGUMENT);
    }

    /// Without waiting for an answer: on one stream.
    private static void pipelined(GrpcClient client) {
        List<ModelStreamInferResponse> answers = new ArrayList<>();
        CompletableFuture<List<ModelStreamInferResponse>> end = new CompletableFuture<>();
        StreamObserver<ModelInferRequest> requests = ClientCalls.asyncBidiStreamingCall(
                client.channel()
                        .newCall(
                                Methods.ofMessages(
                                        "ModelStreamInfer",
                                        ModelInferRequest.getDefaultInstance(),
                                        ModelStreamInferResponse.getDefaultInstance()),
                                CallOptions.DEFAULT),
                new StreamObserver<ModelStreamInferResponse>() {
                    @Override
                    public void onNext(ModelStreamInferResponse answer) {
                        answers.add(answer);
                    }

                    @Override
                    public void onError(Throwable problem) {
                        end.completeExceptionally(problem);
                    }

                    @Override
                    public void onCompleted() {
                        end.complete(answers);
                    }
                });
        for (int i = 0; i < PIPELINED; i++) {
            requests.onNext(two().setId(Integer.toString(i)).build());
        }
        requests.onCompleted();
        List<ModelStreamInferResponse> all = end.orTimeout(60, TimeUnit.SECONDS).join();
        assertThat(all).hasSize(PIPELINED);
        for (int i = 0; i < PIPELINED; i++) {
            assertThat(all.get(i).getErrorMessage()).isEmpty();
            assertThat(all.get(i).getInferResponse().getId()).isEqualTo(Integer.toString(i));
            SuiteTensor.require(all.get(i).getInferResponse(), SUM, NEGATED);
        }
    }

    /// A message that is sent has the length that it announces; what is over the limit is 413 over HTTP.
    private static void oversize(GrpcClient client) {
        InferInputTensor.Builder large = A.head()
                .setContents(
                        InferTensorContents.newBuilder().addBytesContents(ByteString.copyFrom(new byte[OVERSIZE])));
        refused(client, GrpcClient.request(GrpcCases.TWO, large), Status.Code.RESOURCE_EXHAUSTED);
    }

    /// A channel has one connection.
    private static void afterError(GrpcClient client) {
        refused(client, two().addInputs(A.typed()));
        refused(client, new byte[] {(byte) 0xFF}, Status.Code.INVALID_ARGUMENT);
    }
}
