// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.floats;
import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.output;
import static dev.millrace.grpc.GrpcClient.parameter;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.Configs.ModelConfig;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.server.Bodies;
import dev.millrace.server.JsonTree;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Ensembles as clients see them, by HTTP and gRPC: a chain of two steps, and a diamond of three.
class EnsembleTest {
    @TempDir
    static Path repository;

    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() throws IOException {
        for (String model : List.of("linear", "echo_fp32", "two_in")) {
            Path version = Files.createDirectories(repository.resolve(model + "/1"));
            Files.copy(TestServer.models().resolve(model + "/1/model.onnx"), version.resolve("model.onnx"));
        }
        Files.writeString(repository.resolve("echo_fp32/config.pbtxt"), """
            output { name: 'out_FP32' label_filename: 'echo.txt' }
            model_warmup { name: 'zeros' batch_size: 2 inputs { key: 'in_FP32' value {
              data_type: TYPE_FP32 dims: [ 2 ] zero_data: true } } }
            model_warmup { name: 'again' count: 3 inputs { key: 'in_FP32' value { dims: [ 2 ] random_data: true } } }
            """);
        Files.writeString(repository.resolve("echo_fp32/echo.txt"), "left\nright\n");
        Files.createDirectories(repository.resolve("chain/1"));
        Files.writeString(repository.resolve("chain/config.pbtxt"), """
            platform: 'ensemble'
            max_batch_size: 8
            input { name: 'in' data_type: TYPE_FP32 dims: [ 4 ] }
            output { name: 'out' data_type: TYPE_FP32 dims: [ 2 ] label_filename: 'names.txt' }
            ensemble_scheduling {
              step { model_name: 'linear' model_version: -1
                input_map { key: 'x' value: 'in' } output_map { key: 'y' value: 'middle' } }
              step { model_name: 'echo_fp32' model_version: 1
                input_map { key: 'in_FP32' value: 'middle' } output_map { key: 'out_FP32' value: 'out' } }
            }
            """);
        Files.writeString(repository.resolve("chain/names.txt"), "yes\nno\n");
        Files.createDirectories(repository.resolve("diamond/1"));
        Files.writeString(repository.resolve("diamond/model.yaml"), """
            platform: ensemble
            max_batch_size: 8
            input: [{ name: in, data_type: TYPE_FP32, dims: [4] }]
            output:
              - { name: sum, data_type: TYPE_FP32, dims: [2] }
              - { name: product, data_type: TYPE_FP32, dims: [2] }
            ensemble_scheduling:
              step:
                - model_name: two_in
                  input_map: { a: left, b: right }
                  output_map: { sum: sum, product: product }
                - { model_name: linear, input_map: { x: in }, output_map: { y: left } }
                - model_name: echo_fp32
                  input_map: { in_FP32: left }
                  output_map: { out_FP32: right }
            """);
        server = TestServer.start(_ -> ServerConfig.of(repository).withPort(0).withGrpcPort(0));
        client = new GrpcClient(server);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static String body(String more) {
        String request = Bodies.request(Bodies.input("in", "[2,4]", "FP32", "[1,2,3,4,5,6,7,8]"));
        return more.isEmpty() ? request : Bodies.with(more, request);
    }

    private static List<Float> rows() {
        return List.of(1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f);
    }

    @Test
    void shouldAnswerAChainByBothProtocols() {
        Reply reply = server.infer("chain", body(""));
        ModelInferResponse response = client.infer(request("chain", input("in", rows(), 2, 4)));

        assertThat(reply.data()).isEqualTo("30.5,0.5,70.5,-0.5");
        assertThat(floats(response.getRawOutputContents(0))).containsExactly(30.5f, 0.5f, 70.5f, -0.5f);
        assertThat(response.getOutputs(0).getShapeList()).containsExactly(2L, 2L);
        assertThat(response.getModelName()).isEqualTo("chain");
    }

    @Test
    void shouldAnswerADiamondByBothProtocols() {
        JsonTree outputs = server.infer("diamond", body("")).json().get("outputs");
        ModelInferResponse response =
                client.infer(request("diamond", input("in", rows(), 2, 4)).addOutputs(output("product")));

        assertThat(outputs.elements().get(0).get("data").scalars()).containsExactly("61.0", "1.0", "141.0", "-1.0");
        assertThat(outputs.elements().get(1).get("data").scalars())
                .containsExactly("930.25", "0.25", "4970.25", "0.25");
        assertThat(floats(response.getRawOutputContents(0))).containsExactly(930.25f, 0.25f, 4970.25f, 0.25f);
    }

    @Test
    void shouldAnswerManyAtOnce() {
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String model = i % 2 == 0 ? "chain" : "diamond";
            answers.add(CompletableFuture.supplyAsync(
                    () -> server.infer(model, body("")).data()));
        }
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i).join()).isEqualTo(i % 2 == 0 ? "30.5,0.5,70.5,-0.5" : "61.0,1.0,141.0,-1.0");
        }
    }

    @Test
    void shouldNameTheClassesOfItsOutputs() {
        Reply reply = server.infer("chain", body("'outputs':[{'name':'out','parameters':{'classification':2}}]"));
        ModelInferResponse response = client.infer(request("chain", input("in", rows(), 2, 4))
                .addOutputs(output("out").putParameters("classification", parameter(1))));

        assertThat(reply.data()).isEqualTo("30.500000:0:yes,0.500000:1:no,70.500000:0:yes,-0.500000:1:no");
        assertThat(response.getOutputs(0).getDatatype()).isEqualTo("BYTES");
        ByteString text = response.getRawOutputContents(0);
        assertThat(text.substring(4, 4 + text.byteAt(0)).toStringUtf8()).isEqualTo("30.500000:0:yes");
    }

    @Test
    void shouldSayWhatIsWrongAndWhichStepFailed() {
        assertThat(server.infer("chain", Bodies.request(Bodies.input("in", "[1,3]", "FP32", "[1,2,3]")))
                        .error())
                .contains("in", "[1, 3]");
        assertThat(server.infer("chain", Bodies.with("'parameters':{'timeout':1}", body("")))
                        .status())
                .isIn(200, 429, 504);
    }

    @Test
    void shouldTellWhatItIs() {
        ModelConfig chain = config("chain");
        ModelConfig diamond = config("diamond");

        assertThat(chain.getPlatform()).isEqualTo("ensemble");
        assertThat(chain.getBackend()).isEmpty();
        assertThat(chain.getMaxBatchSize()).isEqualTo(8);
        assertThat(chain.getInput(0).getDimsList()).containsExactly(4L);
        assertThat(chain.getOutput(0).getLabelFilename()).isEqualTo("names.txt");
        assertThat(chain.getEnsembleScheduling().getStepList())
                .extracting(step -> step.getModelName() + step.getModelVersion())
                .containsExactly("linear-1", "echo_fp321");
        assertThat(chain.getEnsembleScheduling().getStep(0).getInputMapMap()).isEqualTo(Map.of("x", "in"));
        assertThat(chain.getEnsembleScheduling().getStep(1).getOutputMapMap()).isEqualTo(Map.of("out_FP32", "out"));
        assertThat(diamond.getEnsembleScheduling().getStep(0).getInputMapMap())
                .isEqualTo(Map.of("a", "left", "b", "right"));
        assertThat(diamond.getEnsembleScheduling().getStep(0).getModelVersion()).isEqualTo(-1);
        assertThat(server.get("/v2/models/chain/config").json().get("platform").text())
                .isEqualTo("ensemble");
        assertThat(client.call(
                                "ModelMetadata",
                                ModelMetadataRequest.newBuilder()
                                        .setName("chain")
                                        .build(),
                                ModelMetadataResponse.getDefaultInstance())
                        .getPlatform())
                .isEqualTo("ensemble");
    }

    @Test
    void shouldTellHowAModelIsWarmedUpAndWhereItsLabelsAre() {
        ModelConfig echo = config("echo_fp32");

        assertThat(echo.getPlatform()).isEqualTo("onnxruntime_onnx");
        assertThat(echo.hasEnsembleScheduling()).isFalse();
        assertThat(echo.getOutput(0).getLabelFilename()).isEqualTo("echo.txt");
        assertThat(echo.getModelWarmupList()).extracting(each -> each.getName()).containsExactly("zeros", "again");
        assertThat(echo.getModelWarmup(0).getBatchSize()).isEqualTo(2);
        assertThat(echo.getModelWarmup(0).getInputsOrThrow("in_FP32").getZeroData())
                .isTrue();
        assertThat(echo.getModelWarmup(0).getInputsOrThrow("in_FP32").getDimsList())
                .containsExactly(2L);
        assertThat(echo.getModelWarmup(1).getCount()).isEqualTo(3);
        assertThat(echo.getModelWarmup(1).getInputsOrThrow("in_FP32").getRandomData())
                .isTrue();
        assertThat(config("linear").getModelWarmupList()).isEmpty();
    }

    private static ModelConfig config(String model) {
        return client.call(
                        "ModelConfig",
                        ModelConfigRequest.newBuilder().setName(model).build(),
                        ModelConfigResponse.getDefaultInstance())
                .getConfig();
    }
}
