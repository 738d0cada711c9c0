// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.millrace.control.AdminToken;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.grpc.message.Messages.ModelReadyRequest;
import dev.millrace.grpc.message.Messages.ModelReadyResponse;
import dev.millrace.grpc.message.Messages.ModelRepositoryParameter;
import dev.millrace.grpc.message.Messages.RepositoryIndexRequest;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadResponse;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestModels;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Models that change while a server serves, by gRPC.
class GrpcControlTest {
    private static final String TOKEN = "a-token-for-tests";

    @TempDir
    Path temp;

    private TestServer start(ControlConfig control) {
        TestModels.write(temp.resolve("repository"), "m", 1, TestModels.answering(1));
        return TestServer.start(_ -> ServerConfig.of(temp.resolve("repository"))
                .withPort(0)
                .withGrpcPort(0)
                .withControl(control.withWorkDir(temp.resolve("work"))));
    }

    private static ControlConfig explicit() {
        return ControlConfig.DEFAULT.withMode(ControlMode.EXPLICIT).withToken(AdminToken.of(TOKEN));
    }

    private static RepositoryModelLoadResponse load(
            GrpcClient client, String token, Map<String, ModelRepositoryParameter> parameters) {
        return ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(
                        client.channel(), MetadataUtils.newAttachHeadersInterceptor(bearer(token))),
                Methods.ofMessages(
                        "RepositoryModelLoad",
                        RepositoryModelLoadRequest.getDefaultInstance(),
                        RepositoryModelLoadResponse.getDefaultInstance()),
                CallOptions.DEFAULT,
                RepositoryModelLoadRequest.newBuilder()
                        .setModelName("m")
                        .putAllParameters(parameters)
                        .build());
    }

    private static void unload(GrpcClient client, String token) {
        ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(
                        client.channel(), MetadataUtils.newAttachHeadersInterceptor(bearer(token))),
                Methods.ofMessages(
                        "RepositoryModelUnload",
                        RepositoryModelUnloadRequest.getDefaultInstance(),
                        RepositoryModelUnloadResponse.getDefaultInstance()),
                CallOptions.DEFAULT,
                RepositoryModelUnloadRequest.newBuilder().setModelName("m").build());
    }

    private static Metadata bearer(String token) {
        Metadata metadata = new Metadata();
        if (token != null) {
            metadata.put(Metadata.Key.of("Authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        }
        return metadata;
    }

    private static Status refused(Runnable call) {
        StatusRuntimeException refusal = catchThrowableOfType(StatusRuntimeException.class, call::run);
        assertThat(refusal).as("a refusal").isNotNull();
        return refusal.getStatus();
    }

    private static ModelRepositoryParameter text(String value) {
        return ModelRepositoryParameter.newBuilder().setStringParam(value).build();
    }

    private static ModelRepositoryParameter bytes(byte[] value) {
        return ModelRepositoryParameter.newBuilder()
                .setBytesParam(ByteString.copyFrom(value))
                .build();
    }

    private static ModelInferRequest.Builder linear() {
        return request(
                "m",
                ModelInferRequest.InferInputTensor.newBuilder()
                        .setName("x")
                        .setDatatype("FP32")
                        .addAllShape(List.of(1L, 4L))
                        .setContents(InferTensorContents.newBuilder()
                                .addAllFp32Contents(List.of(1f, 2f, 3f, 4f))
                                .build()));
    }

    /// The version that answered, and the first number of its answer.
    private static String answer(GrpcClient client, String version) {
        ModelInferResponse response = client.infer(linear().setModelVersion(version));
        float first = response.getRawOutputContents(0)
                .asReadOnlyByteBuffer()
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .getFloat();
        return response.getModelVersion() + ":" + first;
    }

    @Test
    void shouldBookWhatComesWithALoadUntilItIsOver() {
        byte[] model = TestModels.answering(2);
        Map<String, ModelRepositoryParameter> upload = Map.of("config", text("{}"), "file:2/model.onnx", bytes(model));
        try (TestServer server = start(explicit());
                GrpcClient client = new GrpcClient(server)) {
            MemoryBudget heap = server.server().runtime().memory().heap();
            long left = heap.left();
            heap.reserve(MemoryTag.BODY, left - model.length);
            Status refusal = refused(() -> load(client, TOKEN, upload));
            assertThat(refusal.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(refusal.getDescription())
                    .contains("bytes for body do not fit into the heap's share for requests");
            assertThat(heap.left()).isEqualTo(model.length);

            heap.release(MemoryTag.BODY, left - model.length);
            load(client, TOKEN, upload);
            assertThat(answer(client, "2")).startsWith("2:");
            assertThat(refused(() -> load(client, TOKEN, Map.of("file:2/model.onnx", text("no bytes"))))
                            .getCode())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(heap.used(MemoryTag.BODY)).isZero();
        }
    }

    @Test
    void shouldLoadAndUnloadForWhoMay() {
        try (TestServer server = start(explicit());
                GrpcClient client = new GrpcClient(server)) {
            assertThat(refused(() -> load(client, null, Map.of())).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
            assertThat(refused(() -> load(client, "wrong", Map.of())).getCode())
                    .isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(refused(() -> unload(client, null)).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
            assertThat(refused(() -> client.infer(linear())).getCode()).isEqualTo(Status.Code.NOT_FOUND);

            load(client, TOKEN, Map.of());
            assertThat(answer(client, "")).isEqualTo("1:1.0");
            RepositoryIndexResponse index = client.call(
                    "RepositoryIndex",
                    RepositoryIndexRequest.getDefaultInstance(),
                    RepositoryIndexResponse.getDefaultInstance());
            assertThat(index.getModels(0).getState()).isEqualTo("READY");

            unload(client, TOKEN);
            assertThat(refused(() -> client.infer(linear())).getCode())
                    .isIn(Status.Code.NOT_FOUND, Status.Code.UNAVAILABLE);
            assertThat(refused(() -> unload(client, TOKEN)).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        }
    }

    @Test
    void shouldSayHowToTurnItOnWhereNobodyMay() {
        try (TestServer server = start(
                        ControlConfig.DEFAULT.withMode(ControlMode.EXPLICIT).withAdminPort(0));
                GrpcClient client = new GrpcClient(server)) {
            Status status = refused(() -> load(client, TOKEN, Map.of()));

            assertThat(status.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(status.getDescription()).contains("--admin-token-file");
        }
    }

    @Test
    void shouldServeAModelThatCameWithTheLoad() throws Exception {
        try (TestServer server = start(explicit().withStartUpModels(Set.of("*")));
                GrpcClient client = new GrpcClient(server)) {
            load(
                    client,
                    TOKEN,
                    Map.of(
                            "config", text("{\"name\":\"m\",\"maxBatchSize\":16}"),
                            "file:7/model.onnx", bytes(TestModels.answering(9))));

            assertThat(answer(client, "")).isEqualTo("7:9.0");
            assertThat(answer(client, "7")).isEqualTo("7:9.0");
            ModelConfigResponse config = client.call(
                    "ModelConfig",
                    ModelConfigRequest.newBuilder().setName("m").build(),
                    ModelConfigResponse.getDefaultInstance());
            assertThat(config.getConfig().getMaxBatchSize()).isEqualTo(16);

            byte[] other = Files.readAllBytes(TestServer.models().resolve("two_in/1/model.onnx"));
            Map<String, ModelRepositoryParameter> contract =
                    Map.of("config", text("{}"), "file:8/model.onnx", bytes(other));
            assertThat(refused(() -> load(client, TOKEN, contract)).getCode())
                    .isEqualTo(Status.Code.FAILED_PRECONDITION);
            assertThat(answer(client, "")).isEqualTo("7:9.0");
        }
        assertThat(temp.resolve("work")).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "file:../../evil   | does not begin with a version                     | true",
                "file:1/../../evil | '..' is no name                                   | true",
                "file:/etc/evil    | does not begin with a version                     | true",
                "file:1/a\\b      | U+005C                                            | true",
                "colour            | 'colour' of a load is not known                   | true",
                "file:1/model.onnx | 'file:1/model.onnx' of a load is STRING_PARAM     | false",
            })
    void shouldRefuseWhatWouldGoElsewhere(String name, String why, boolean bytes) {
        try (TestServer server = start(explicit().withStartUpModels(Set.of("*")));
                GrpcClient client = new GrpcClient(server)) {
            byte[] model = TestModels.answering(2);
            Status status = refused(
                    () -> load(client, TOKEN, Map.of("config", text("{}"), name, bytes ? bytes(model) : text("AAAA"))));

            assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(status.getDescription()).contains(why);
            assertThat(answer(client, "")).isEqualTo("1:1.0");
        }
    }

    @Test
    void shouldAnswerByAliases() throws Exception {
        Path repository = temp.resolve("repository");
        TestModels.write(repository, "m", 2, TestModels.answering(2));
        Files.writeString(
                repository.resolve("m/model.yaml"),
                "version_policy: { all: {} }\nparameters: { aliases.champion: 1 }\n");
        try (TestServer server = start(ControlConfig.DEFAULT);
                GrpcClient client = new GrpcClient(server)) {
            assertThat(answer(client, "")).isEqualTo("2:2.0");
            assertThat(answer(client, "champion")).isEqualTo("1:1.0");
            assertThat(client.call(
                                    "ModelReady",
                                    ModelReadyRequest.newBuilder()
                                            .setName("m")
                                            .setVersion("champion")
                                            .build(),
                                    ModelReadyResponse.getDefaultInstance())
                            .getReady())
                    .isTrue();
            assertThat(refused(() -> answer(client, "nobody")).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        }
    }
}
