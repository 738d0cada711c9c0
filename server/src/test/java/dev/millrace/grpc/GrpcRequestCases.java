// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcCases.A;
import static dev.millrace.grpc.GrpcCases.N;
import static dev.millrace.grpc.GrpcCases.NEGATED;
import static dev.millrace.grpc.GrpcCases.SUM;
import static dev.millrace.grpc.GrpcCases.answered;
import static dev.millrace.grpc.GrpcCases.rawTwo;
import static dev.millrace.grpc.GrpcCases.refused;
import static dev.millrace.grpc.GrpcCases.two;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.GrpcCases.Check;
import dev.millrace.grpc.message.Messages.InferParameter;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The suite's cases about what an inference request may ask for, and what is wrong with one, over gRPC. Stateless.
final class GrpcRequestCases {
    private static final int LONG_ID = 4096;

    private GrpcRequestCases() {}

    /// By their ids.
    static Map<String, Check> all() {
        return Map.ofEntries(
                Map.entry("infer.flat", GrpcRequestCases::flat),
                Map.entry("infer.nested", GrpcRequestCases::rowByRow),
                Map.entry("infer.id", GrpcRequestCases::id),
                Map.entry(
                        "infer.no-id",
                        client -> assertThat(client.infer(two()).getId()).isEmpty()),
                Map.entry("infer.all-outputs", client -> answered(client, two())),
                Map.entry("infer.some-outputs", GrpcRequestCases::someOutputs),
                // On the wire an empty list is one that is not there.
                Map.entry("infer.empty-outputs", client -> answered(client, two().addAllOutputs(List.of()))),
                Map.entry("infer.unknown-output", client -> refused(client, outputs("conformance_no_output"))),
                Map.entry("infer.input-twice", client -> refused(client, two().addInputs(A.typed()))),
                Map.entry("infer.missing-input", client -> refused(client, two().removeInputs(0))),
                Map.entry("infer.unknown-input", GrpcRequestCases::unknownInput),
                Map.entry("infer.other-datatype", GrpcRequestCases::otherDatatype),
                Map.entry(
                        "infer.no-datatype",
                        client -> refused(client, firstInput(A.typed().setDatatype("FP99")))),
                Map.entry("infer.rank", client -> shaped(client, 1, 2, 2)),
                Map.entry("infer.fixed-dimension", GrpcRequestCases::fixedDimension),
                Map.entry("infer.count", GrpcRequestCases::count),
                Map.entry("infer.negative-dimension", client -> shaped(client, -2, 2)),
                Map.entry("infer.overflowing-shape", GrpcRequestCases::overflow),
                Map.entry("infer.no-rows", GrpcRequestCases::noRows),
                Map.entry("infer.over-batch", GrpcRequestCases::overBatch),
                Map.entry("classification.top", client -> classes(client, false)),
                Map.entry("classification.binary", client -> classes(client, true)),
                Map.entry("schedule.timeout", GrpcRequestCases::timeout),
                Map.entry("parameters.unknown", GrpcRequestCases::parameters));
    }

    /// Two inputs, of which the first is to be made wrong.
    private static ModelInferRequest.Builder firstInput(InferInputTensor.Builder first) {
        return GrpcClient.request(GrpcCases.TWO, first, N.typed());
    }

    private static ModelInferRequest.Builder outputs(String... names) {
        ModelInferRequest.Builder request = two();
        for (String name : names) {
            request.addOutputs(GrpcClient.output(name));
        }
        return request;
    }

    private static void flat(GrpcClient client) {
        ModelInferResponse response = client.infer(two());
        assertThat(response.getModelName()).isEqualTo(GrpcCases.TWO);
        assertThat(response.getModelVersion()).isEqualTo("1");
        SuiteTensor.require(response, SUM, NEGATED);
    }

    /// Contents have no nesting; that they are read row by row shows where a model swaps rows and columns.
    private static void rowByRow(GrpcClient client) {
        SuiteTensor x = SuiteTensor.of("x", DataType.FP32, List.of(2L, 3L), 1f, 2f, 3f, 4f, 5f, 6f);
        SuiteTensor y = SuiteTensor.of("y", DataType.FP32, List.of(3L, 2L), 1f, 4f, 2f, 5f, 3f, 6f);
        SuiteTensor.require(client.infer(SuiteTensor.typed(GrpcCases.FIXED, x)), y);
        SuiteTensor.require(client.infer(SuiteTensor.raw(GrpcCases.FIXED, x)), y);
    }

    private static void id(GrpcClient client) {
        for (String id : List.of("a", "żółć 😀 \"\\ /", "x".repeat(LONG_ID), "")) {
            ModelInferResponse response = client.infer(two().setId(id));
            assertThat(response.getId()).isEqualTo(id);
            SuiteTensor.require(response, SUM, NEGATED);
        }
    }

    private static void someOutputs(GrpcClient client) {
        SuiteTensor.require(client.infer(outputs("sum")), SUM);
        SuiteTensor.require(client.infer(outputs("negated")), NEGATED);
        SuiteTensor.require(client.infer(outputs("negated", "sum")), NEGATED, SUM);
    }

    private static void unknownInput(GrpcClient client) {
        refused(client, two().addInputs(A.named("conformance_no_input").typed()));
        refused(
                client,
                rawTwo().addInputs(A.named("conformance_no_input").head()).addRawInputContents(A.raw()));
    }

    private static void otherDatatype(GrpcClient client) {
        refused(client, firstInput(A.typed().setDatatype("FP64")));
        refused(
                client,
                firstInput(A.head()
                        .setDatatype("FP64")
                        .setContents(
                                InferTensorContents.newBuilder().addAllFp64Contents(List.of(1.5, -2.0, 0.25, 8.0)))));
    }

    /// Wants a shape of the first input to be refused, whatever its contents are in.
    private static void shaped(GrpcClient client, long... shape) {
        InferInputTensor.Builder typed = A.typed().clearShape();
        InferInputTensor.Builder head = A.head().clearShape();
        for (long dimension : shape) {
            typed.addShape(dimension);
            head.addShape(dimension);
        }
        refused(client, firstInput(typed));
        refused(client, rawTwo().setInputs(0, head));
    }

    private static void fixedDimension(GrpcClient client) {
        SuiteTensor wide = SuiteTensor.of("a", DataType.FP32, List.of(2L, 4L), 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f);
        refused(client, firstInput(wide.typed()));
        refused(client, SuiteTensor.raw(GrpcCases.TWO, wide, N));
        SuiteTensor fixed = SuiteTensor.of("x", DataType.FP32, List.of(3L, 3L), 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f);
        refused(client, SuiteTensor.typed(GrpcCases.FIXED, fixed));
    }

    private static void count(GrpcClient client) {
        InferTensorContents.Builder more = A.contents().addFp32Contents(1);
        InferTensorContents.Builder fewer = InferTensorContents.newBuilder().addAllFp32Contents(List.of(1f, 2f, 3f));
        refused(client, firstInput(A.head().setContents(more)));
        refused(client, firstInput(A.head().setContents(fewer)));
        refused(client, firstInput(A.head().setContents(InferTensorContents.getDefaultInstance())));
        refused(client, firstInput(A.head()));
    }

    private static void overflow(GrpcClient client) {
        shaped(client, 1L << 62, 1L << 62);
        shaped(client, 1L << 62, 8);
        shaped(client, Long.MAX_VALUE, 2);
    }

    private static void noRows(GrpcClient client) {
        List<Long> none = List.of(0L, 2L);
        SuiteTensor a = SuiteTensor.of("a", DataType.FP32, none);
        SuiteTensor n = SuiteTensor.of("n", DataType.INT64, none);
        SuiteTensor sum = SuiteTensor.of("sum", DataType.FP32, none);
        SuiteTensor negated = SuiteTensor.of("negated", DataType.INT64, none);
        SuiteTensor.require(client.infer(SuiteTensor.typed(GrpcCases.TWO, a, n)), sum, negated);
        SuiteTensor.require(client.infer(SuiteTensor.raw(GrpcCases.TWO, a, n)), sum, negated);
    }

    /// A request may be larger than a batch, as over HTTP.
    private static void overBatch(GrpcClient client) {
        List<Long> shape = List.of(GrpcCases.MAX_BATCH + 1L, 4L);
        List<Float> values = new ArrayList<>();
        for (int i = 0; i < 4 * (GrpcCases.MAX_BATCH + 1); i++) {
            values.add((float) i);
        }
        SuiteTensor x = new SuiteTensor("x", DataType.FP32, shape, values);
        SuiteTensor y = new SuiteTensor(
                "y",
                DataType.FP32,
                shape,
                values.stream().map(value -> 2 * value).toList());
        SuiteTensor.require(client.infer(SuiteTensor.typed(GrpcCases.BATCHED, x)), y);
        SuiteTensor.require(client.infer(SuiteTensor.raw(GrpcCases.BATCHED, x)), y);
    }

    private static void classes(GrpcClient client, boolean binary) {
        SuiteTensor x =
                SuiteTensor.of("x", DataType.FP32, List.of(2L, 4L), 0.125f, 0.5f, 0.25f, 0f, -3f, -2f, -1f, -4f);
        InferParameter asBytes =
                InferParameter.newBuilder().setBoolParam(binary).build();
        ModelInferResponse response = client.infer(SuiteTensor.typed(GrpcCases.CLASSES, x)
                .addOutputs(GrpcClient.output("scores")
                        .putParameters("classification", GrpcClient.parameter(2))
                        .putParameters("binary_data", asBytes)));
        assertThat(response.getOutputs(0).getName()).isEqualTo("scores");
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("BYTES");
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(2L, 2L);
        assertThat(texts(response.getRawOutputContents(0)))
                .map(GrpcRequestCases::normal)
                .containsExactly("0.5:1:bee", "0.25:2:cat", "-1.0:2:cat", "-2.0:1:bee");
    }

    private static List<String> texts(ByteString raw) {
        List<String> texts = new ArrayList<>();
        ByteBuffer bytes = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            int size = bytes.getInt();
            texts.add(raw.substring(bytes.position(), bytes.position() + size).toStringUtf8());
            bytes.position(bytes.position() + size);
        }
        return texts;
    }

    /// With the value as Java prints it: its digits are free.
    private static String normal(String text) {
        String[] parts = text.split(":", 2);
        return Float.parseFloat(parts[0]) + ":" + parts[1];
    }

    private static void timeout(GrpcClient client) {
        answered(
                client,
                two().putParameters("timeout", GrpcClient.parameter(60_000_000))
                        .putParameters("priority", GrpcClient.parameter(0)));
    }

    private static void parameters(GrpcClient client) {
        answered(
                client,
                two().putParameters("conformance_a", text("b"))
                        .putParameters("conformance_c", GrpcClient.parameter(3))
                        .putParameters(
                                "conformance_d",
                                InferParameter.newBuilder().setBoolParam(true).build())
                        .putParameters(
                                "conformance_e",
                                InferParameter.newBuilder().setDoubleParam(0.5).build())
                        .putParameters(
                                "conformance_f",
                                InferParameter.newBuilder().setUint64Param(-1L).build())
                        .putParameters("conformance_g", InferParameter.getDefaultInstance()));
    }

    private static InferParameter text(String value) {
        return InferParameter.newBuilder().setStringParam(value).build();
    }
}
