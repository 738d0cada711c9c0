// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.server.JsonTree;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real models by gRPC, against what the same server answers over HTTP.
///
/// The folder named by the system property `millrace.cases` holds requests `MODEL.CASE.request.json`; the models lie in
/// `../models/MODEL.onnx`.
class GrpcRealCasesTest {
    private static final String REQUEST = ".request.json";

    @TempDir
    Path temp;

    @Test
    void shouldAnswerAsOverHttp() throws IOException {
        String property = System.getProperty("millrace.cases", "");
        assumeTrue(!property.isEmpty(), "no cases: the system property millrace.cases names no folder");
        Path folder = Path.of(property);
        List<Path> cases;
        try (Stream<Path> files = Files.list(folder)) {
            cases = files.filter(file -> file.toString().endsWith(REQUEST))
                    .sorted()
                    .toList();
        }
        assertThat(cases).isNotEmpty();
        for (String model :
                cases.stream().map(GrpcRealCasesTest::model).distinct().toList()) {
            Path version = Files.createDirectories(temp.resolve(model).resolve("1"));
            Files.copy(folder.resolveSibling("models").resolve(model + ".onnx"), version.resolve("model.onnx"));
        }
        try (TestServer server =
                        TestServer.start(_ -> ServerConfig.of(temp).withPort(0).withGrpcPort(0));
                GrpcClient client = new GrpcClient(server)) {
            for (Path file : cases) {
                String json = Files.readString(file);
                JsonTree expected =
                        JsonTree.parse(server.infer(model(file), json).body());
                List<JsonTree> inputs = JsonTree.parse(json).get("inputs").elements();
                compare(client.infer(typed(model(file), inputs)), expected, file);
                compare(client.infer(raw(model(file), inputs)), expected, file);
            }
        }
    }

    private static String model(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.indexOf('.'));
    }

    private static InferInputTensor.Builder tensor(JsonTree tree) {
        long[] shape =
                tree.get("shape").scalars().stream().mapToLong(Long::parseLong).toArray();
        return input(tree.get("name").text(), tree.get("datatype").text(), shape);
    }

    private static ModelInferRequest.Builder typed(String model, List<JsonTree> inputs) {
        ModelInferRequest.Builder request = request(model);
        for (JsonTree tree : inputs) {
            InferTensorContents.Builder contents = InferTensorContents.newBuilder();
            for (String text : tree.get("data").scalars()) {
                switch (tree.get("datatype").text()) {
                    case "FP32" -> contents.addFp32Contents(Float.parseFloat(text));
                    case "FP64" -> contents.addFp64Contents(Double.parseDouble(text));
                    case "INT64" -> contents.addInt64Contents(Long.parseLong(text));
                    case "UINT8" -> contents.addUintContents(Integer.parseInt(text));
                    default -> throw new IllegalArgumentException("a case of " + tree.get("datatype"));
                }
            }
            request.addInputs(tensor(tree).setContents(contents));
        }
        return request;
    }

    private static ModelInferRequest.Builder raw(String model, List<JsonTree> inputs) {
        ModelInferRequest.Builder request = request(model);
        for (JsonTree tree : inputs) {
            List<String> texts = tree.get("data").scalars();
            ByteBuffer bytes = ByteBuffer.allocate(8 * texts.size()).order(ByteOrder.LITTLE_ENDIAN);
            for (String text : texts) {
                switch (tree.get("datatype").text()) {
                    case "FP32" -> bytes.putFloat(Float.parseFloat(text));
                    case "FP64" -> bytes.putDouble(Double.parseDouble(text));
                    case "INT64" -> bytes.putLong(Long.parseLong(text));
                    case "UINT8" -> bytes.put((byte) Integer.parseInt(text));
                    default -> throw new IllegalArgumentException("a case of " + tree.get("datatype"));
                }
            }
            request.addInputs(tensor(tree)).addRawInputContents(ByteString.copyFrom(bytes.flip()));
        }
        return request;
    }

    private static void compare(ModelInferResponse answer, JsonTree expected, Path file) {
        List<JsonTree> outputs = expected.get("outputs").elements();
        assertThat(answer.getOutputsCount()).as("%s", file).isEqualTo(outputs.size());
        for (int i = 0; i < outputs.size(); i++) {
            JsonTree output = outputs.get(i);
            String datatype = output.get("datatype").text();
            assertThat(answer.getOutputs(i).getName())
                    .isEqualTo(output.get("name").text());
            assertThat(answer.getOutputs(i).getDatatype()).isEqualTo(datatype);
            assertThat(answer.getOutputs(i).getShapeList())
                    .map(String::valueOf)
                    .isEqualTo(output.get("shape").scalars());
            List<String> texts = output.get("data").scalars();
            assertThat(elements(answer.getRawOutputContents(i), datatype))
                    .as("%s, output %d", file, i)
                    .isEqualTo(
                            texts.stream().map(text -> element(text, datatype)).toList());
        }
    }

    private static Object element(String text, String datatype) {
        return switch (datatype) {
            case "FP32" -> Float.parseFloat(text);
            case "FP64" -> Double.parseDouble(text);
            default -> Long.parseLong(text);
        };
    }

    private static List<Object> elements(ByteString raw, String datatype) {
        ByteBuffer bytes = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        List<Object> all = new ArrayList<>();
        while (bytes.hasRemaining()) {
            all.add(
                    switch (datatype) {
                        case "FP32" -> (Object) bytes.getFloat();
                        case "FP64" -> bytes.getDouble();
                        case "INT64" -> bytes.getLong();
                        case "INT32" -> (long) bytes.getInt();
                        case "INT16" -> (long) bytes.getShort();
                        case "UINT8" -> bytes.get() & 0xFFL;
                        default -> throw new IllegalArgumentException("a case of " + datatype);
                    });
        }
        return all;
    }
}
