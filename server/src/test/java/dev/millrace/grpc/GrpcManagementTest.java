// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.millrace.grpc.message.Configs;
import dev.millrace.grpc.message.Configs.ModelConfig;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryStatusRequest;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryStatusResponse;
import dev.millrace.grpc.message.Messages.LogSettingsRequest;
import dev.millrace.grpc.message.Messages.LogSettingsResponse;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.grpc.message.Messages.ModelReadyRequest;
import dev.millrace.grpc.message.Messages.ModelReadyResponse;
import dev.millrace.grpc.message.Messages.ModelStatistics;
import dev.millrace.grpc.message.Messages.ModelStatisticsRequest;
import dev.millrace.grpc.message.Messages.ModelStatisticsResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexRequest;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadResponse;
import dev.millrace.grpc.message.Messages.ServerLiveRequest;
import dev.millrace.grpc.message.Messages.ServerLiveResponse;
import dev.millrace.grpc.message.Messages.ServerMetadataRequest;
import dev.millrace.grpc.message.Messages.ServerMetadataResponse;
import dev.millrace.grpc.message.Messages.ServerReadyRequest;
import dev.millrace.grpc.message.Messages.ServerReadyResponse;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryRegisterRequest;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryRegisterResponse;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Everything but inference, by gRPC.
class GrpcManagementTest {
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

    private static <A extends Message, B extends Message> void assertRefused(
            String method, A request, B response, Status.Code code, String message) {
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> client.call(method, request, response));
        assertThat(refusal).as(method).isNotNull();
        assertThat(refusal.getStatus().getDescription()).contains(message);
        assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    }

    @Test
    void shouldBeLiveAndReady() {
        assertThat(client.call(
                                "ServerLive",
                                ServerLiveRequest.getDefaultInstance(),
                                ServerLiveResponse.getDefaultInstance())
                        .getLive())
                .isTrue();
        assertThat(client.call(
                                "ServerReady",
                                ServerReadyRequest.getDefaultInstance(),
                                ServerReadyResponse.getDefaultInstance())
                        .getReady())
                .isTrue();
        assertThat(modelReady("linear", "")).isTrue();
        assertThat(modelReady("linear", "1")).isTrue();
        assertThat(modelReady("linear", "2")).isFalse();
        assertThat(modelReady("corrupt", "")).isFalse();
        assertThat(modelReady("nothing", "")).isFalse();
    }

    private static boolean modelReady(String model, String version) {
        return client.call(
                        "ModelReady",
                        ModelReadyRequest.newBuilder()
                                .setName(model)
                                .setVersion(version)
                                .build(),
                        ModelReadyResponse.getDefaultInstance())
                .getReady();
    }

    @Test
    void shouldTellWhatServerAndModelsAre() {
        ServerMetadataResponse about = client.call(
                "ServerMetadata",
                ServerMetadataRequest.getDefaultInstance(),
                ServerMetadataResponse.getDefaultInstance());
        ModelMetadataResponse model = client.call(
                "ModelMetadata",
                ModelMetadataRequest.newBuilder().setName("two_in").build(),
                ModelMetadataResponse.getDefaultInstance());

        assertThat(about.getName()).isEqualTo("millrace");
        assertThat(about.getVersion()).isNotEmpty();
        assertThat(about.getExtensionsList())
                .contains("binary_tensor_data", "statistics")
                .doesNotContain("trace", "sequence", "model_repository");
        assertThat(model.getName()).isEqualTo("two_in");
        assertThat(model.getVersionsList()).containsExactly("1");
        assertThat(model.getPlatform()).isEqualTo("onnxruntime_onnx");
        assertThat(model.getInputsList()).extracting(i -> i.getName()).containsExactly("a", "b");
        assertThat(model.getInputs(0).getDatatype()).isEqualTo("FP32");
        assertThat(model.getInputs(0).getShapeList()).containsExactly(-1L, 2L);
        assertThat(model.getOutputsList()).extracting(o -> o.getName()).containsExactly("sum", "difference", "product");
        assertRefused(
                "ModelMetadata",
                ModelMetadataRequest.newBuilder().setName("nothing").build(),
                ModelMetadataResponse.getDefaultInstance(),
                Status.Code.NOT_FOUND,
                "model 'nothing' is not in the repository");
        assertRefused(
                "ModelMetadata",
                ModelMetadataRequest.newBuilder().setName("corrupt").build(),
                ModelMetadataResponse.getDefaultInstance(),
                Status.Code.UNAVAILABLE,
                "corrupt");
    }

    @Test
    void shouldTellHowAModelIsServed() {
        ModelConfig config = client.call(
                        "ModelConfig",
                        ModelConfigRequest.newBuilder().setName("linear").build(),
                        ModelConfigResponse.getDefaultInstance())
                .getConfig();

        assertThat(config.getName()).isEqualTo("linear");
        assertThat(config.getPlatform()).isEqualTo("onnxruntime_onnx");
        assertThat(config.getBackend()).isEqualTo("onnxruntime");
        assertThat(config.getMaxBatchSize()).isEqualTo(128);
        assertThat(config.getInput(0).getName()).isEqualTo("x");
        assertThat(config.getInput(0).getDataType()).isEqualTo(Configs.DataType.TYPE_FP32);
        assertThat(config.getInput(0).getDimsList()).containsExactly(4L);
        assertThat(config.getOutput(0).getDimsList()).containsExactly(2L);
        assertThat(config.hasDynamicBatching()).isTrue();
        assertThat(config.getInstanceGroup(0).getKind()).isEqualTo(Configs.ModelInstanceGroup.Kind.KIND_CPU);
        assertThat(config.getInstanceGroup(0).getCount()).isPositive();
    }

    @Test
    void shouldCountWhatWasInferred() {
        ModelStatistics before = statistics();
        client.infer(request("two_in", input("a", List.of(1f, 2f), 1, 2), input("b", List.of(3f, 5f), 1, 2)));
        client.infer(request(
                "two_in", input("a", List.of(1f, 2f, 3f, 4f), 2, 2), input("b", List.of(3f, 5f, 7f, 9f), 2, 2)));
        ModelStatistics after = statistics();

        assertThat(after.getName()).isEqualTo("two_in");
        assertThat(after.getVersion()).isEqualTo("1");
        assertThat(after.getInferenceCount() - before.getInferenceCount()).isEqualTo(3);
        assertThat(after.getInferenceStats().getSuccess().getCount()
                        - before.getInferenceStats().getSuccess().getCount())
                .isEqualTo(2);
        assertThat(after.getBatchStatsList().stream()
                        .mapToLong(batch ->
                                batch.getBatchSize() * batch.getComputeInfer().getCount())
                        .sum())
                .isEqualTo(after.getInferenceCount());
        assertThat(after.getLastInference()).isPositive();
        assertRefused(
                "ModelStatistics",
                ModelStatisticsRequest.newBuilder().setName("nothing").build(),
                ModelStatisticsResponse.getDefaultInstance(),
                Status.Code.NOT_FOUND,
                "model 'nothing' is not in the repository");
    }

    private static ModelStatistics statistics() {
        ModelStatisticsResponse one = client.call(
                "ModelStatistics",
                ModelStatisticsRequest.newBuilder().setName("two_in").build(),
                ModelStatisticsResponse.getDefaultInstance());
        ModelStatisticsResponse all = client.call(
                "ModelStatistics",
                ModelStatisticsRequest.getDefaultInstance(),
                ModelStatisticsResponse.getDefaultInstance());
        assertThat(one.getModelStatsCount()).isEqualTo(1);
        assertThat(all.getModelStatsList()).extracting(ModelStatistics::getName).contains("two_in", "linear");
        return one.getModelStats(0);
    }

    @Test
    void shouldListTheRepository() {
        RepositoryIndexResponse all = client.call(
                "RepositoryIndex",
                RepositoryIndexRequest.getDefaultInstance(),
                RepositoryIndexResponse.getDefaultInstance());
        RepositoryIndexResponse ready = client.call(
                "RepositoryIndex",
                RepositoryIndexRequest.newBuilder().setReady(true).build(),
                RepositoryIndexResponse.getDefaultInstance());

        assertThat(all.getModelsList())
                .anySatisfy(entry -> {
                    assertThat(entry.getName()).isEqualTo("linear");
                    assertThat(entry.getVersion()).isEqualTo("1");
                    assertThat(entry.getState()).isEqualTo("READY");
                })
                .anySatisfy(entry -> {
                    assertThat(entry.getName()).isEqualTo("corrupt");
                    assertThat(entry.getState()).isEqualTo("UNAVAILABLE");
                    assertThat(entry.getReason()).isNotEmpty();
                });
        assertThat(ready.getModelsList()).extracting(entry -> entry.getState()).containsOnly("READY");
    }

    @Test
    void shouldSayThatModelsAreNotLoadedByClients() {
        assertRefused(
                "RepositoryModelLoad",
                RepositoryModelLoadRequest.newBuilder().setModelName("linear").build(),
                RepositoryModelLoadResponse.getDefaultInstance(),
                Status.Code.UNAVAILABLE,
                "loading model 'linear' is not allowed");
        assertRefused(
                "RepositoryModelUnload",
                RepositoryModelUnloadRequest.newBuilder().setModelName("linear").build(),
                RepositoryModelUnloadResponse.getDefaultInstance(),
                Status.Code.UNAVAILABLE,
                "unloading model 'linear' is not allowed");
    }

    @Test
    void shouldChangeTheLog() {
        LogSettingsResponse before = log(LogSettingsRequest.getDefaultInstance());
        LogSettingsRequest.SettingValue off =
                LogSettingsRequest.SettingValue.newBuilder().setBoolParam(false).build();
        try {
            LogSettingsResponse after = log(
                    LogSettingsRequest.newBuilder().putSettings("log_info", off).build());

            assertThat(after.getSettingsOrThrow("log_info").getBoolParam()).isFalse();
            assertThat(after.getSettingsOrThrow("log_error")).isEqualTo(before.getSettingsOrThrow("log_error"));
            assertThat(after.getSettingsMap())
                    .containsOnlyKeys(
                            "log_file", "log_info", "log_warning", "log_error", "log_verbose_level", "log_format");
        } finally {
            LogSettingsRequest.SettingValue restored = LogSettingsRequest.SettingValue.newBuilder()
                    .setBoolParam(before.getSettingsOrThrow("log_info").getBoolParam())
                    .build();
            log(LogSettingsRequest.newBuilder()
                    .putSettings("log_info", restored)
                    .build());
        }
        assertRefused(
                "LogSettings",
                LogSettingsRequest.newBuilder().putSettings("log_colour", off).build(),
                LogSettingsResponse.getDefaultInstance(),
                Status.Code.INVALID_ARGUMENT,
                "there is no setting 'log_colour' of the log");
        assertRefused(
                "LogSettings",
                LogSettingsRequest.newBuilder().putSettings("log_file", off).build(),
                LogSettingsResponse.getDefaultInstance(),
                Status.Code.UNIMPLEMENTED,
                "the log's location cannot be changed by a request");
        assertRefused(
                "LogSettings",
                LogSettingsRequest.newBuilder()
                        .putSettings("log_verbose_level", off)
                        .build(),
                LogSettingsResponse.getDefaultInstance(),
                Status.Code.INVALID_ARGUMENT,
                "log_verbose_level is BOOL_PARAM, expected a uint32_param");
    }

    private static LogSettingsResponse log(LogSettingsRequest request) {
        return client.call("LogSettings", request, LogSettingsResponse.getDefaultInstance());
    }

    @Test
    void shouldSayByNameWhatItDoesNotDo() {
        assertRefused(
                "SystemSharedMemoryRegister",
                SystemSharedMemoryRegisterRequest.getDefaultInstance(),
                SystemSharedMemoryRegisterResponse.getDefaultInstance(),
                Status.Code.UNIMPLEMENTED,
                "shared memory is not supported");
        assertRefused(
                "CudaSharedMemoryStatus",
                CudaSharedMemoryStatusRequest.getDefaultInstance(),
                CudaSharedMemoryStatusResponse.getDefaultInstance(),
                Status.Code.UNIMPLEMENTED,
                "shared memory is not supported");
    }

    @Test
    void shouldAnswerWhoeverChecksItsHealth() {
        HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(client.channel());

        assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
                .isEqualTo(ServingStatus.SERVING);
        assertThat(health.check(HealthCheckRequest.newBuilder()
                                .setService(Methods.SERVICE)
                                .build())
                        .getStatus())
                .isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void shouldSayThatThereIsNoFeatureStore() {
        StatusRuntimeException refusal = catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(
                        client.channel(),
                        GrpcFuzzTest.unary(FeatureService.SERVICE + "/GetOnlineFeatures"),
                        CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS),
                        new byte[0]));
        assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refusal.getStatus().getDescription()).contains("this server has no feature store");
    }

    @Test
    void shouldTellWhatItSpeaks() throws InvalidProtocolBufferException {
        ServerReflectionResponse services =
                reflect(ServerReflectionRequest.newBuilder().setListServices("").build());
        ServerReflectionResponse file = reflect(ServerReflectionRequest.newBuilder()
                .setFileContainingSymbol(Methods.SERVICE)
                .build());

        assertThat(services.getListServicesResponse().getServiceList())
                .extracting(service -> service.getName())
                .contains(Methods.SERVICE, FeatureService.SERVICE, "grpc.health.v1.Health");
        FileDescriptorProto descriptor =
                FileDescriptorProto.parseFrom(file.getFileDescriptorResponse().getFileDescriptorProto(0));
        assertThat(descriptor.getPackage()).isEqualTo("inference");
        assertThat(descriptor.getService(0).getMethodList())
                .extracting(method -> method.getName())
                .contains("ModelInfer", "ModelStreamInfer", "RepositoryIndex", "LogSettings");
        FileDescriptorProto features = FileDescriptorProto.parseFrom(reflect(ServerReflectionRequest.newBuilder()
                        .setFileContainingSymbol(FeatureService.SERVICE)
                        .build())
                .getFileDescriptorResponse()
                .getFileDescriptorProto(0));
        assertThat(features.getPackage()).isEqualTo("feast.serving");
        assertThat(features.getService(0).getMethodList())
                .extracting(method -> method.getName())
                .containsExactly("GetFeastServingInfo", "GetOnlineFeatures");
    }

    private static ServerReflectionResponse reflect(ServerReflectionRequest request) {
        CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> requests = ServerReflectionGrpc.newStub(client.channel())
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                        answer.complete(response);
                    }

                    @Override
                    public void onError(Throwable problem) {
                        answer.completeExceptionally(problem);
                    }

                    @Override
                    public void onCompleted() {
                        answer.completeExceptionally(new IllegalStateException("no answer"));
                    }
                });
        requests.onNext(request);
        ServerReflectionResponse response =
                answer.orTimeout(60, TimeUnit.SECONDS).join();
        requests.onCompleted();
        return response;
    }
}
