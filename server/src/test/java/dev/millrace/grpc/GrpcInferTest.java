// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.floats;
import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.output;
import static dev.millrace.grpc.GrpcClient.parameter;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.Messages.InferParameter;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a client may send by gRPC, and what comes back: the same cases as over HTTP.
class GrpcInferTest {
    private static final List<Float> NUMBERS = List.of(1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f);

    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() {
        server = GrpcClient.server();
        client = new GrpcClient(server);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ModelInferRequest.Builder linear() {
        return request("linear", input("x", NUMBERS, 2, 4));
    }

    private static ModelInferRequest.Builder rawLinear() {
        return request("linear", input("x", "FP32", 2, 4)).addRawInputContents(floats(1, 2, 3, 4, 5, 6, 7, 8));
    }

    private static ModelInferRequest.Builder twoIn() {
        return request("two_in", input("a", List.of(1f, 2f), 1, 2), input("b", List.of(3f, 5f), 1, 2));
    }

    @Test
    void shouldAnswerWithEverythingThatTheProtocolAsksFor() {
        ModelInferResponse response = client.infer(linear());

        assertThat(response.getModelName()).isEqualTo("linear");
        assertThat(response.getModelVersion()).isEqualTo("1");
        assertThat(response.getId()).isEmpty();
        assertThat(response.getOutputsCount()).isEqualTo(1);
        assertThat(response.getOutputs(0).getName()).isEqualTo("y");
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("FP32");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(2L, 2L);
        assertThat(response.getOutputs(0).hasContents()).isFalse();
        assertThat(response.getRawOutputContentsCount()).isEqualTo(1);
        assertThat(floats(response.getRawOutputContents(0))).containsExactly(30.5f, 0.5f, 70.5f, -0.5f);
        assertThat(client.infer(linear().setModelVersion("1"))).isEqualTo(response);
    }

    @Test
    void shouldAnswerRawAndTypedInputsAlike() {
        assertThat(client.infer(rawLinear())).isEqualTo(client.infer(linear()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "żółć 😀", "\" \\ \n \u0001"})
    void shouldSendTheIdBack(String id) {
        assertThat(client.infer(linear().setId(id)).getId()).isEqualTo(id);
        assertThat(client.infer(linear().setId(id.repeat(1000))).getId()).isEqualTo(id.repeat(1000));
    }

    @Test
    void shouldRefuseAnIdThatIsTooLong() {
        client.assertRefused(
                linear().setId("x".repeat(16_385)),
                Status.Code.RESOURCE_EXHAUSTED,
                "the id has 16385 bytes, at most 16384 are allowed (--max-id-bytes)");
    }

    @Test
    void shouldSendTheOutputsThatAreWantedInTheirOrder() {
        ModelInferResponse all = client.infer(twoIn());
        ModelInferResponse some =
                client.infer(twoIn().addOutputs(output("product")).addOutputs(output("sum")));

        assertThat(all.getOutputsList()).extracting(o -> o.getName()).containsExactly("sum", "difference", "product");
        assertThat(some.getOutputsList()).extracting(o -> o.getName()).containsExactly("product", "sum");
        assertThat(floats(some.getRawOutputContents(0))).containsExactly(3, 10);
        assertThat(floats(some.getRawOutputContents(1))).containsExactly(4, 7);
    }

    @Test
    void shouldRefuseOutputsThatThereAreNot() {
        client.assertInvalid(twoIn().addOutputs(output("x")), "the model has no output 'x'; it has [sum, ");
        client.assertInvalid(
                twoIn().addOutputs(output("sum")).addOutputs(output("sum")), "output 'sum' is asked for a second time");
        client.assertInvalid(twoIn().addOutputs(output("")), "an element of 'outputs' has no name");
    }

    @Test
    void shouldRefuseInputsThatAreNotThoseOfTheModel() {
        client.assertInvalid(
                request("two_in", input("a", List.of(1f, 2f), 1, 2)),
                "input 'b' is missing, expected FP32 of shape [-1, 2]");
        client.assertInvalid(twoIn().addInputs(input("a", List.of(1f, 2f), 1, 2)), "input 'a' comes a second time");
        client.assertInvalid(
                twoIn().addInputs(input("c", List.of(1f), 1)), "model 'two_in' has no input 'c'; it has [a, b]");
        client.assertInvalid(request("linear", input("", NUMBERS, 2, 4)), "inputs[0] has no name");
        client.assertInvalid(request("linear"), "input 'x' is missing");
    }

    @Test
    void shouldRefuseOtherDatatypes() {
        client.assertInvalid(
                request("linear", input("x", "FP64", 2, 4)), "input 'x' has datatype 'FP64', expected FP32");
        client.assertInvalid(
                request("linear", input("x", "fp32", 2, 4)),
                "input 'x' has datatype 'fp32', which is none, expected FP32");
        client.assertInvalid(request("linear", input("x", "", 2, 4)), "input 'x' has no datatype");
    }

    @Test
    void shouldRefuseOtherShapes() {
        client.assertInvalid(request("linear", input("x", NUMBERS, 8)), "input 'x' has shape [8], expected [-1, 4]");
        client.assertInvalid(
                request("linear", input("x", NUMBERS, 4, 2)), "input 'x' has shape [4, 2], expected [-1, 4]");
        client.assertInvalid(
                request("linear", input("x", NUMBERS, -1, 4)),
                "dimension 0 in the shape of input 'x' is -1, expected an integer from 0");
        client.assertInvalid(
                request("nobatch", input("x", NUMBERS, 1L << 62, 8, 1)),
                "input 'x' has shape [4611686018427387904, 8, 1], more elements than can be counted");
        client.assertInvalid(request("linear", input("x", NUMBERS, new long[33])), "has more than 32 dimensions");
    }

    @Test
    void shouldRefuseAnotherNumberOfElements() {
        client.assertInvalid(
                request("linear", input("x", NUMBERS, 1, 4)), "input 'x' has more than 4 elements in fp32_contents");
        client.assertInvalid(
                request("linear", input("x", NUMBERS, 3, 4)),
                "input 'x' has 8 elements in contents, expected 12 for shape [3, 4]");
        client.assertInvalid(
                request("linear", input("x", NUMBERS, 1L << 40, 4)),
                "elements in contents, expected 4398046511104 for shape");
        client.assertInvalid(
                request("linear", input("x", "FP32", 2, 4)), "input 'x' has 0 elements in contents, expected 8");
    }

    @Test
    void shouldRefuseRawBytesOfAnotherSize() {
        for (int size : new int[] {0, 31, 33, 64}) {
            client.assertInvalid(
                    request("linear", input("x", "FP32", 2, 4))
                            .addRawInputContents(ByteString.copyFrom(new byte[size])),
                    "input 'x' has " + size + " bytes of binary data, which are no FP32 of shape [2, 4]");
        }
    }

    @Test
    void shouldRefuseRawBytesForSomeInputsOnly() {
        client.assertInvalid(
                rawLinear().addRawInputContents(ByteString.EMPTY),
                "raw_input_contents has 2 elements, expected one for each of the 1 inputs, or none");
        client.assertInvalid(
                request("two_in", input("a", "FP32", 1, 2), input("b", List.of(1f, 2f), 1, 2))
                        .addRawInputContents(floats(1, 2)),
                "raw_input_contents has 1 element, expected one for each of the 2 inputs");
        client.assertInvalid(
                request("two_in", input("a", "FP32", 1, 2), input("b", List.of(1f, 2f), 1, 2))
                        .addRawInputContents(floats(1, 2))
                        .addRawInputContents(floats(1, 2)),
                "input 'b' has contents, and there are raw_input_contents, expected one of both");
    }

    @Test
    void shouldRefuseElementsInAFieldOfAnotherDatatype() {
        client.assertInvalid(
                request(
                        "linear",
                        input("x", "FP32", 1, 1)
                                .clearShape()
                                .addShape(1)
                                .addShape(4)
                                .setContents(InferTensorContents.newBuilder().addIntContents(1))),
                "input 'x' has elements in int_contents, expected FP32 in fp32_contents");
        client.assertInvalid(
                request(
                        "echo_fp16",
                        input("in_FP16", "FP16", 1, 2)
                                .setContents(InferTensorContents.newBuilder().addFp32Contents(1))),
                "input 'in_FP16' has elements in fp32_contents, expected FP16 as raw_input_contents");
    }

    @Test
    void shouldRefuseElementsOutOfRange() {
        client.assertInvalid(
                request(
                        "echo_uint8",
                        input("in_UINT8", "UINT8", 1, 2)
                                .setContents(InferTensorContents.newBuilder()
                                        .addUintContents(255)
                                        .addUintContents(256))),
                "element 1 of input 'in_UINT8' is 256, out of the range of UINT8");
        client.assertInvalid(
                request(
                        "echo_int8",
                        input("in_INT8", "INT8", 1, 2)
                                .setContents(InferTensorContents.newBuilder()
                                        .addIntContents(-128)
                                        .addIntContents(-129))),
                "element 1 of input 'in_INT8' is -129, out of the range of INT8");
        client.assertInvalid(
                request("echo_bool", input("in_BOOL", "BOOL", 1, 2))
                        .addRawInputContents(ByteString.copyFrom(new byte[] {1, 2})),
                "element 1 of input 'in_BOOL' is 2, expected 0 or 1 for BOOL");
    }

    @Test
    void shouldAnswerRequestsWithoutElements() {
        ModelInferResponse response = client.infer(request("nobatch", input("x", "FP32", 2, 0, 3)));

        assertThat(response.getOutputs(0).getShapeList()).containsExactly(2L, 3L, 0L);
        assertThat(response.getRawOutputContents(0)).isEmpty();
        assertThat(client.infer(request("nobatch", input("x", "FP32", 2, 0, 3)).addRawInputContents(ByteString.EMPTY)))
                .isEqualTo(response);
    }

    @Test
    void shouldTakeAScalarAndStrings() {
        ModelInferResponse scalar =
                client.infer(request("scalar", input("factor", List.of(3f)), input("x", List.of(1f, 2f), 2)));
        assertThat(floats(scalar.getRawOutputContents(0))).containsExactly(3, 6);

        ModelInferRequest.Builder strings = request(
                "string_only",
                input("text", "BYTES", 3, 1)
                        .setContents(InferTensorContents.newBuilder()
                                .addBytesContents(ByteString.copyFromUtf8("żółć 😀"))
                                .addBytesContents(ByteString.EMPTY)
                                .addBytesContents(ByteString.copyFromUtf8("x"))));
        ByteString expected = ByteString.copyFrom(new byte[] {13, 0, 0, 0})
                .concat(ByteString.copyFromUtf8("żółć 😀"))
                .concat(ByteString.copyFrom(new byte[] {0, 0, 0, 0, 1, 0, 0, 0, 'x'}));
        assertThat(client.infer(strings).getRawOutputContents(0)).isEqualTo(expected);
        assertThat(client.infer(request("string_only", input("text", "BYTES", 3, 1))
                                .addRawInputContents(expected))
                        .getRawOutputContents(0))
                .isEqualTo(expected);
        client.assertInvalid(
                request("string_only", input("text", "BYTES", 2, 1)).addRawInputContents(expected),
                "input 'text' has 26 bytes of binary data, 5 more than its 2 strings");
    }

    @Test
    void shouldNameTheColumnsOfMaps() {
        ModelInferResponse response = client.infer(request("named_maps", input("x", List.of(1f, 2f, 3f), 1, 3)));

        assertThat(response.getOutputs(0).getParametersMap())
                .containsOnlyKeys("keys")
                .containsEntry(
                        "keys",
                        InferParameter.newBuilder()
                                .setStringParam("[\"blue\",\"gr\\\"een\",\"red\"]")
                                .build());
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(1L, 3L);
    }

    @Test
    void shouldSayWhatThereIsNot() {
        client.assertRefused(request("nothing"), Status.Code.NOT_FOUND, "model 'nothing' is not in the repository");
        client.assertRefused(linear().setModelVersion("7"), Status.Code.NOT_FOUND, "model 'linear' has no version 7");
        client.assertRefused(
                linear().setModelVersion("new"), Status.Code.NOT_FOUND, "model 'linear' has no version 'new'");
        client.assertRefused(request("corrupt"), Status.Code.UNAVAILABLE, "corrupt");
    }

    @Test
    void shouldTakeTheParametersOfARequest() {
        assertThat(floats(client.infer(linear().putParameters("timeout", parameter(60_000_000))
                                .putParameters("priority", parameter(1))
                                .putParameters(
                                        "other",
                                        InferParameter.newBuilder()
                                                .setStringParam("x")
                                                .build()))
                        .getRawOutputContents(0)))
                .hasSize(4);
        client.assertInvalid(
                linear().putParameters("timeout", parameter(-1)),
                "parameter 'timeout' is -1, expected microseconds as an integer from 0");
        client.assertInvalid(
                linear().putParameters(
                                "priority",
                                InferParameter.newBuilder().setStringParam("1").build()),
                "parameter 'priority' is a string, expected an integer from 0");
        ModelInferRequest.Builder many = linear();
        IntStream.range(0, 65).forEach(i -> many.putParameters("p" + i, parameter(i)));
        client.assertRefused(many, Status.Code.RESOURCE_EXHAUSTED, "--max-parameters");
    }

    @Test
    void shouldRefuseSharedMemoryByName() {
        InferParameter region = InferParameter.newBuilder().setStringParam("r").build();
        client.assertRefused(
                request("linear", input("x", "FP32", 2, 4).putParameters("shared_memory_region", region)),
                Status.Code.UNIMPLEMENTED,
                "input 'x' has the parameter 'shared_memory_region', and shared memory is not supported");
        client.assertRefused(
                linear().addOutputs(output("y").putParameters("shared_memory_region", region)),
                Status.Code.UNIMPLEMENTED,
                "output 'y' has the parameter 'shared_memory_region'");
    }

    @Test
    void shouldSendClassesOfAnOutput() {
        ModelInferResponse response =
                client.infer(twoIn().addOutputs(output("product").putParameters("classification", parameter(1)))
                        .addOutputs(output("sum"))
                        .addOutputs(output("difference").putParameters("classification", parameter(7))));

        assertThat(response.getOutputsList())
                .extracting(o -> o.getName())
                .containsExactly("product", "sum", "difference");
        assertThat(response.getOutputsList())
                .extracting(o -> o.getDatatype())
                .containsExactly("BYTES", "FP32", "BYTES");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(1L, 1L);
        assertThat(response.getOutputs(2).getShapeList()).containsExactly(1L, 2L);
        assertThat(texts(response.getRawOutputContents(0))).containsExactly("10.000000:1");
        assertThat(floats(response.getRawOutputContents(1))).containsExactly(4, 7);
        assertThat(texts(response.getRawOutputContents(2))).containsExactly("-2.000000:0", "-3.000000:1");
        assertThat(floats(client.infer(twoIn()).getRawOutputContents(2))).containsExactly(3, 10);
    }

    private static List<String> texts(ByteString raw) {
        List<String> texts = new ArrayList<>();
        ByteBuffer bytes = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            byte[] text = new byte[bytes.getInt()];
            bytes.get(text);
            texts.add(new String(text, StandardCharsets.UTF_8));
        }
        return texts;
    }

    @Test
    void shouldRefuseClassesThatCannotBe() {
        client.assertInvalid(
                linear().addOutputs(output("y").putParameters("classification", parameter(-1))),
                "parameter 'classification' is -1, expected a number of classes from 0");
        client.assertInvalid(
                request(
                                "echo_bool",
                                input("in_BOOL", "BOOL", 1, 2)
                                        .setContents(InferTensorContents.newBuilder()
                                                .addBoolContents(true)
                                                .addBoolContents(false)))
                        .addOutputs(output("out_BOOL").putParameters("classification", parameter(1))),
                "output 'out_BOOL' cannot be asked for by classes, as its values are BOOL");
    }

    @Test
    void shouldRefuseSequencesByName() {
        InferParameter yes = InferParameter.newBuilder().setBoolParam(true).build();
        InferParameter no = InferParameter.newBuilder().setBoolParam(false).build();
        InferParameter text = InferParameter.newBuilder().setStringParam("a").build();
        for (var asked : List.of(
                Map.entry("sequence_id", parameter(7)),
                Map.entry("sequence_id", text),
                Map.entry("sequence_start", yes),
                Map.entry("sequence_end", yes))) {
            client.assertRefused(
                    linear().putParameters(asked.getKey(), asked.getValue()),
                    Status.Code.UNIMPLEMENTED,
                    "parameter '" + asked.getKey() + "' is set, and sequences of requests are not supported");
        }
        client.assertInvalid(
                linear().putParameters("sequence_start", text),
                "parameter 'sequence_start' is a string, expected true or false");
        client.assertInvalid(
                linear().putParameters("triton_x", text), "parameter 'triton_x': names that begin with 'triton_'");
        assertThat(client.infer(linear().putParameters("sequence_id", parameter(0))
                                .putParameters("sequence_start", no)
                                .putParameters("sequence_end", no))
                        .getModelName())
                .isEqualTo("linear");
    }

    @Test
    void shouldSayThatTheModelFailed() {
        client.assertRefused(
                request(
                        "gather",
                        input("index", "INT64", 1)
                                .setContents(InferTensorContents.newBuilder().addInt64Contents(7))),
                Status.Code.INTERNAL,
                "error id");
    }

    @Test
    void shouldTakeCompressedRequests() {
        ModelInferResponse response = client.call(
                "ModelInfer",
                linear().build(),
                ModelInferResponse.getDefaultInstance(),
                CallOptions.DEFAULT.withCompression("gzip"));

        assertThat(response).isEqualTo(client.infer(linear()));
    }

    /// Many frames of HTTP/2, so that fields lie across the borders of buffers.
    @Test
    void shouldTakeTensorsOfMegabytes() {
        int columns = 1000;
        float[] elements = new float[400 * columns];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = i;
        }
        ModelInferRequest.Builder raw =
                request("nobatch", input("x", "FP32", 1, 400, columns)).addRawInputContents(floats(elements));
        ModelInferRequest.Builder typed = request(
                "nobatch",
                input(
                        "x",
                        IntStream.range(0, 400 * columns)
                                .mapToObj(i -> (float) i)
                                .toList(),
                        1,
                        400,
                        columns));

        float[] turned = floats(client.infer(raw).getRawOutputContents(0));

        assertThat(turned).hasSize(400 * columns);
        for (int i = 0; i < turned.length; i++) {
            int expected = i % 400 * columns + i / 400;
            assertThat(turned[i]).isEqualTo(expected);
        }
        assertThat(floats(client.infer(typed).getRawOutputContents(0))).isEqualTo(turned);
    }
}
