// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcCases.A;
import static dev.millrace.grpc.GrpcCases.N;
import static dev.millrace.grpc.GrpcCases.answered;
import static dev.millrace.grpc.GrpcCases.identity;
import static dev.millrace.grpc.GrpcCases.rawTwo;
import static dev.millrace.grpc.GrpcCases.refused;
import static dev.millrace.grpc.GrpcCases.two;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.GrpcCases.Check;
import dev.millrace.grpc.message.Messages.InferParameter;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.DataType;
import io.grpc.CallOptions;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/// The suite's cases about values and about tensors as bytes, over gRPC: JSON's elements are typed contents here, and
/// its binary data raw ones. Stateless.
final class GrpcValueCases {
    private GrpcValueCases() {}

    /// By their ids.
    static Map<String, Check> all() {
        Map<String, Check> all = new HashMap<>(values());
        all.putAll(binary());
        return all;
    }

    private static Map<String, Check> values() {
        return Map.ofEntries(
                Map.entry(
                        "values.int64",
                        client -> echo(
                                client,
                                DataType.INT64,
                                Long.MIN_VALUE,
                                Long.MAX_VALUE,
                                9_007_199_254_740_993L,
                                -9_007_199_254_740_993L)),
                // The bits of 18446744073709551615 and 9223372036854775808.
                Map.entry("values.uint64", client -> echo(client, DataType.UINT64, -1L, Long.MIN_VALUE, 0L)),
                Map.entry("values.out-of-range", GrpcValueCases::outOfRange),
                Map.entry("values.fp32-too-large", GrpcValueCases::tooLarge),
                Map.entry(
                        "values.not-finite",
                        client -> echo(
                                client, DataType.FP32, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY)),
                Map.entry(
                        "values.fp32",
                        client -> echo(
                                client,
                                DataType.FP32,
                                0.1f,
                                1.0000001f,
                                Float.MAX_VALUE,
                                -Float.MIN_NORMAL,
                                16777217f,
                                3.1415927f)),
                Map.entry("values.negative-zero", client -> echo(client, DataType.FP32, -0f, 0f)),
                Map.entry("values.denormal", client -> echo(client, DataType.FP32, Float.MIN_VALUE, -1e-40f, 1e-38f)),
                Map.entry("values.bool", GrpcValueCases::bool),
                Map.entry(
                        "values.bytes",
                        client -> echo(
                                client,
                                DataType.BYTES,
                                utf8(""),
                                utf8("plain"),
                                utf8("\"\\/\b\f\n\r\t"),
                                utf8("éé"),
                                utf8("😀😀"),
                                utf8("a\u0001b"))),
                Map.entry("values.fp16", GrpcValueCases::half),
                Map.entry("values.integers", GrpcValueCases::integers),
                Map.entry(
                        "values.fp64",
                        client -> echo(
                                client, DataType.FP64, 0.1, 0.30000000000000004, Double.MAX_VALUE, 4.9e-324, 1e22)));
    }

    private static Map<String, Check> binary() {
        return Map.ofEntries(
                Map.entry("binary.all", client -> answered(client, rawTwo())),
                Map.entry(
                        "binary.bytes",
                        client ->
                                echo(client, DataType.BYTES, utf8(""), utf8("plain"), bytes("01fffe"), bytes("c3a9"))),
                Map.entry("binary.mixed", GrpcValueCases::mixed),
                Map.entry("binary.output-default", GrpcValueCases::outputDefault),
                Map.entry("binary.left-over", GrpcValueCases::leftOver),
                Map.entry("binary.too-short", GrpcValueCases::tooShort),
                Map.entry("binary.gzip", client -> compressed(client, rawTwo())),
                Map.entry("binary.empty", GrpcValueCases::empty),
                Map.entry("binary.lengths", GrpcValueCases::lengths),
                Map.entry("binary.data-twice", GrpcValueCases::dataTwice),
                Map.entry("binary.datatypes", GrpcValueCases::datatypes),
                Map.entry("binary.wrong-size", GrpcValueCases::wrongSize),
                Map.entry("binary.zero-byte", GrpcValueCases::zeroByte));
    }

    private static ByteString utf8(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private static ByteString bytes(String hex) {
        return ByteString.copyFrom(HexFormat.of().parseHex(hex));
    }

    /// Sends elements raw, and typed if there is a field for them, and wants them back.
    private static void echo(GrpcClient client, DataType datatype, Object... elements) {
        SuiteTensor x = SuiteTensor.of("x", datatype, List.of(1L, (long) elements.length), elements);
        SuiteTensor.require(client.infer(SuiteTensor.raw(identity(datatype), x)), x.named("y"));
        if (x.hasContents()) {
            SuiteTensor.require(client.infer(SuiteTensor.typed(identity(datatype), x)), x.named("y"));
        }
    }

    /// One element in a field, whichever it is.
    private static ModelInferRequest.Builder one(DataType datatype, InferTensorContents.Builder contents) {
        return GrpcClient.request(
                identity(datatype), GrpcClient.input("x", datatype.name(), 1, 1).setContents(contents));
    }

    private static InferTensorContents.Builder contents() {
        return InferTensorContents.newBuilder();
    }

    /// Those that a field of 32 bits can say and the datatype cannot.
    private static void outOfRange(GrpcClient client) {
        refused(client, one(DataType.UINT8, contents().addUintContents(256)));
        refused(client, one(DataType.UINT8, contents().addUintContents(-1)));
        refused(client, one(DataType.UINT8, contents().addIntContents(-1)));
        refused(client, one(DataType.UINT16, contents().addUintContents(65_536)));
        refused(client, one(DataType.INT8, contents().addIntContents(-129)));
        refused(client, one(DataType.INT8, contents().addIntContents(128)));
        refused(client, one(DataType.INT16, contents().addIntContents(32_768)));
        refused(client, one(DataType.INT32, contents().addInt64Contents(2_147_483_648L)));
        refused(client, one(DataType.INT32, contents().addFp64Contents(1.5)));
        refused(client, one(DataType.INT64, contents().addUint64Contents(Long.MIN_VALUE)));
    }

    /// Only the field of doubles can say it.
    private static void tooLarge(GrpcClient client) {
        refused(client, one(DataType.FP32, contents().addFp64Contents(1e39)));
    }

    private static void bool(GrpcClient client) {
        echo(client, DataType.BOOL, true, false, true);
        refused(client, one(DataType.BOOL, contents().addIntContents(1)));
        refused(client, one(DataType.BOOL, contents().addUintContents(1)));
        refused(client, one(DataType.FP32, contents().addBoolContents(true)));
    }

    private static void half(GrpcClient client) {
        echo(client, DataType.FP16, 0.099975586f, 65504f, -5.9604645e-8f);
        refused(client, one(DataType.FP16, contents().addFp32Contents(0.5f)));
    }

    private static void integers(GrpcClient client) {
        echo(client, DataType.INT8, -128L, 127L);
        echo(client, DataType.INT16, -32_768L, 32_767L);
        echo(client, DataType.INT32, -2_147_483_648L, 2_147_483_647L);
        echo(client, DataType.UINT8, 0L, 255L);
        echo(client, DataType.UINT16, 0L, 65_535L);
        echo(client, DataType.UINT32, 0L, 4_294_967_295L);
    }

    private static void datatypes(GrpcClient client) {
        integers(client);
        echo(client, DataType.BOOL, true, false);
        echo(client, DataType.UINT64, 1L, -1L);
        echo(client, DataType.INT64, Long.MIN_VALUE, -2L);
        echo(client, DataType.FP16, 0.099975586f, -0f, Float.NaN);
        echo(client, DataType.BF16, 1.5f, -0f);
        echo(client, DataType.FP32, 0.1f, -0f, Float.NEGATIVE_INFINITY);
        echo(client, DataType.FP64, 0.1, -0.0, Double.MIN_VALUE);
    }

    /// The protocol has raw contents for all inputs or for none, so that what is answered over HTTP is refused, in
    /// whichever way the two are mixed.
    private static void mixed(GrpcClient client) {
        ModelInferRequest.Builder request = GrpcClient.request(GrpcCases.TWO, A.head(), N.typed());
        refused(client, request.clone().addRawInputContents(A.raw()));
        refused(client, request.addRawInputContents(A.raw()).addRawInputContents(ByteString.EMPTY));
    }

    /// Outputs are always raw: what HTTP's clients ask for changes nothing.
    private static void outputDefault(GrpcClient client) {
        for (boolean binary : new boolean[] {true, false}) {
            InferParameter asked =
                    InferParameter.newBuilder().setBoolParam(binary).build();
            InferParameter other =
                    InferParameter.newBuilder().setBoolParam(!binary).build();
            answered(
                    client,
                    two().putParameters("binary_data_output", asked)
                            .addOutputs(GrpcClient.output("sum").putParameters("binary_data", other))
                            .addOutputs(GrpcClient.output("negated")));
        }
    }

    private static void leftOver(GrpcClient client) {
        refused(client, rawTwo().addRawInputContents(ByteString.copyFrom(new byte[1])));
        refused(client, rawTwo().setRawInputContents(1, N.raw().concat(ByteString.copyFrom(new byte[1]))));
    }

    private static void tooShort(GrpcClient client) {
        ByteString last = N.raw();
        refused(client, rawTwo().setRawInputContents(1, last.substring(0, last.size() - 1)));
        refused(client, rawTwo().clearRawInputContents().addRawInputContents(A.raw()));
        refused(client, rawTwo().clearRawInputContents());
    }

    static void compressed(GrpcClient client, ModelInferRequest.Builder request) {
        ModelInferResponse response = client.call(
                "ModelInfer",
                request.build(),
                ModelInferResponse.getDefaultInstance(),
                CallOptions.DEFAULT.withCompression("gzip"));
        SuiteTensor.require(response, GrpcCases.SUM, GrpcCases.NEGATED);
    }

    private static void empty(GrpcClient client) {
        SuiteTensor x = SuiteTensor.of("x", DataType.FP32, List.of(0L, 2L));
        SuiteTensor.require(client.infer(SuiteTensor.raw(identity(DataType.FP32), x)), x.named("y"));
        SuiteTensor.require(client.infer(SuiteTensor.typed(identity(DataType.FP32), x)), x.named("y"));
    }

    /// Beside an id that is longer in bytes than in characters, each output has the bytes that its shape asks for.
    private static void lengths(GrpcClient client) {
        ModelInferResponse response = client.infer(rawTwo().setId("żółć"));
        assertThat(response.getId()).isEqualTo("żółć");
        assertThat(response.getRawOutputContentsList())
                .extracting(ByteString::size)
                .containsExactly(4 * Float.BYTES, 4 * Long.BYTES);
    }

    private static void dataTwice(GrpcClient client) {
        refused(client, rawTwo().setInputs(0, A.typed()));
    }

    private static void wrongSize(GrpcClient client) {
        ByteString first = A.raw();
        refused(client, rawTwo().setRawInputContents(0, first.substring(0, first.size() - 1)));
        refused(client, rawTwo().setRawInputContents(0, ByteString.EMPTY));
        for (String broken : List.of("ffffff7f61", "ffffffff61", "0200000061", "01000000", "010000")) {
            refused(
                    client,
                    GrpcClient.request(identity(DataType.BYTES), GrpcClient.input("x", "BYTES", 1, 1))
                            .addRawInputContents(bytes(broken)));
        }
    }

    /// ONNX Runtime would cut it off: refused, as over HTTP.
    private static void zeroByte(GrpcClient client) {
        SuiteTensor x = SuiteTensor.of("x", DataType.BYTES, List.of(1L, 1L), bytes("610062"));
        refused(client, SuiteTensor.raw(identity(DataType.BYTES), x));
        refused(client, SuiteTensor.typed(identity(DataType.BYTES), x));
    }
}
