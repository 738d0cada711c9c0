// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcCases.answered;
import static dev.millrace.grpc.GrpcCases.refused;
import static dev.millrace.grpc.GrpcCases.two;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.GrpcCases.Check;
import dev.millrace.grpc.message.Configs.DataType;
import dev.millrace.grpc.message.Configs.ModelConfig;
import dev.millrace.grpc.message.Messages.InferStatistics;
import dev.millrace.grpc.message.Messages.LogSettingsRequest;
import dev.millrace.grpc.message.Messages.LogSettingsResponse;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse.TensorMetadata;
import dev.millrace.grpc.message.Messages.ModelReadyRequest;
import dev.millrace.grpc.message.Messages.ModelReadyResponse;
import dev.millrace.grpc.message.Messages.ModelStatistics;
import dev.millrace.grpc.message.Messages.ModelStatisticsRequest;
import dev.millrace.grpc.message.Messages.ModelStatisticsResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexRequest;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse.ModelIndex;
import dev.millrace.grpc.message.Messages.ServerLiveRequest;
import dev.millrace.grpc.message.Messages.ServerLiveResponse;
import dev.millrace.grpc.message.Messages.ServerMetadataRequest;
import dev.millrace.grpc.message.Messages.ServerMetadataResponse;
import dev.millrace.grpc.message.Messages.ServerReadyRequest;
import dev.millrace.grpc.message.Messages.ServerReadyResponse;
import dev.millrace.grpc.message.Messages.StatisticDuration;
import dev.millrace.grpc.message.Messages.TraceSettingRequest;
import dev.millrace.grpc.message.Messages.TraceSettingResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The suite's cases about what a server says of itself, its models and its settings, over gRPC. Stateless.
final class GrpcServerCases {
    private GrpcServerCases() {}

    /// By their ids.
    static Map<String, Check> all() {
        return Map.ofEntries(
                Map.entry("server.metadata", GrpcServerCases::serverMetadata),
                Map.entry("server.health", GrpcServerCases::health),
                Map.entry("server.unknown-path", GrpcServerCases::unknownMethod),
                Map.entry("model.metadata", GrpcServerCases::modelMetadata),
                Map.entry("model.metadata-version", GrpcServerCases::modelVersion),
                Map.entry("model.unknown", GrpcServerCases::unknownModel),
                Map.entry("model.unknown-version", GrpcServerCases::unknownVersion),
                Map.entry("model.ready", GrpcServerCases::modelReady),
                Map.entry("statistics.form", GrpcServerCases::statisticsForm),
                Map.entry("statistics.counts", GrpcServerCases::counts),
                Map.entry("statistics.all", GrpcServerCases::allStatistics),
                Map.entry("statistics.unknown", GrpcServerCases::unknownStatistics),
                Map.entry("repository.index", GrpcServerCases::index),
                Map.entry("repository.index-ready", GrpcServerCases::readyIndex),
                Map.entry("configuration.form", GrpcServerCases::configuration),
                Map.entry("trace.settings", GrpcServerCases::trace),
                Map.entry("logging.settings", GrpcServerCases::logging));
    }

    private static void serverMetadata(GrpcClient client) {
        ServerMetadataResponse about = client.call(
                "ServerMetadata",
                ServerMetadataRequest.getDefaultInstance(),
                ServerMetadataResponse.getDefaultInstance());
        assertThat(about.getName()).isNotEmpty();
        assertThat(about.getVersion()).isNotEmpty();
        assertThat(about.getExtensionsList()).isNotEmpty().doesNotContain("");
    }

    private static void health(GrpcClient client) {
        ServerLiveResponse live = client.call(
                "ServerLive", ServerLiveRequest.getDefaultInstance(), ServerLiveResponse.getDefaultInstance());
        ServerReadyResponse ready = client.call(
                "ServerReady", ServerReadyRequest.getDefaultInstance(), ServerReadyResponse.getDefaultInstance());
        assertThat(live.getLive()).isTrue();
        assertThat(ready.getReady()).isTrue();
    }

    /// gRPC's paths are its methods, and one that there is not is what 404 is over HTTP.
    private static void unknownMethod(GrpcClient client) {
        for (String method : List.of(Methods.SERVICE + "/NoSuchMethod", "no.such.Service/ModelInfer")) {
            StatusRuntimeException refusal = catchThrowableOfType(
                    StatusRuntimeException.class,
                    () -> GrpcCases.send(client, method, two().build().toByteArray()));
            assertThat(refusal).as(method).isNotNull();
            assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
        }
    }

    private static ModelMetadataResponse metadata(GrpcClient client, String model, String version) {
        return client.call(
                "ModelMetadata",
                ModelMetadataRequest.newBuilder()
                        .setName(model)
                        .setVersion(version)
                        .build(),
                ModelMetadataResponse.getDefaultInstance());
    }

    private static void modelMetadata(GrpcClient client) {
        for (ModelIndex entry : entries(client, true)) {
            ModelMetadataResponse model = metadata(client, entry.getName(), "");
            assertThat(model.getName()).isEqualTo(entry.getName());
            assertThat(model.getPlatform()).isNotEmpty();
            assertThat(model.getVersionsList()).contains(entry.getVersion());
        }
        ModelMetadataResponse two = metadata(client, GrpcCases.TWO, "");
        assertThat(two.getInputsList()).containsExactly(port("a", "FP32", -1L, 2L), port("n", "INT64", -1L, 2L));
        assertThat(two.getOutputsList())
                .containsExactly(port("sum", "FP32", -1L, 2L), port("negated", "INT64", -1L, 2L));
    }

    private static TensorMetadata port(String name, String datatype, Long... shape) {
        return TensorMetadata.newBuilder()
                .setName(name)
                .setDatatype(datatype)
                .addAllShape(List.of(shape))
                .build();
    }

    private static void modelVersion(GrpcClient client) {
        ModelMetadataResponse model = metadata(client, GrpcCases.TWO, "");
        String version = model.getVersionsList().getLast();
        assertThat(metadata(client, GrpcCases.TWO, version)).isEqualTo(model);
        assertThat(client.infer(two().setModelVersion(version)).getModelVersion())
                .isEqualTo(version);
        answered(client, two().setModelVersion(version));
        assertThat(isReady(client, GrpcCases.TWO, version)).isTrue();
    }

    private static void unknownModel(GrpcClient client) {
        refused(
                client,
                "ModelMetadata",
                ModelMetadataRequest.newBuilder().setName(GrpcCases.UNKNOWN).build(),
                ModelMetadataResponse.getDefaultInstance(),
                Status.Code.NOT_FOUND);
        refused(client, two().setModelName(GrpcCases.UNKNOWN), Status.Code.NOT_FOUND);
    }

    private static void unknownVersion(GrpcClient client) {
        refused(
                client,
                "ModelMetadata",
                ModelMetadataRequest.newBuilder()
                        .setName(GrpcCases.TWO)
                        .setVersion(GrpcCases.UNKNOWN_VERSION)
                        .build(),
                ModelMetadataResponse.getDefaultInstance(),
                Status.Code.NOT_FOUND);
        refused(client, two().setModelVersion(GrpcCases.UNKNOWN_VERSION), Status.Code.NOT_FOUND);
    }

    private static boolean isReady(GrpcClient client, String model, String version) {
        return client.call(
                        "ModelReady",
                        ModelReadyRequest.newBuilder()
                                .setName(model)
                                .setVersion(version)
                                .build(),
                        ModelReadyResponse.getDefaultInstance())
                .getReady();
    }

    /// The answer has a field for it, so that of an unknown model is no error as it is over HTTP.
    private static void modelReady(GrpcClient client) {
        assertThat(isReady(client, GrpcCases.TWO, "")).isTrue();
        assertThat(isReady(client, GrpcCases.UNKNOWN, "")).isFalse();
    }

    private static List<ModelStatistics> statistics(GrpcClient client, String model) {
        return client.call(
                        "ModelStatistics",
                        ModelStatisticsRequest.newBuilder().setName(model).build(),
                        ModelStatisticsResponse.getDefaultInstance())
                .getModelStatsList();
    }

    private static ModelStatistics statisticsOf(GrpcClient client, String model) {
        List<ModelStatistics> all = statistics(client, model);
        assertThat(all).extracting(ModelStatistics::getName).containsExactly(model);
        return all.getFirst();
    }

    private static void statisticsForm(GrpcClient client) {
        answered(client, two());
        ModelStatistics statistics = statisticsOf(client, GrpcCases.TWO);
        InferStatistics times = statistics.getInferenceStats();
        assertThat(statistics.getVersion()).isEqualTo("1");
        assertThat(statistics.getLastInference()).isPositive();
        assertThat(times.hasFail()).isTrue();
        assertThat(Stream.of(
                        times.getSuccess(),
                        times.getQueue(),
                        times.getComputeInput(),
                        times.getComputeInfer(),
                        times.getComputeOutput()))
                .extracting(StatisticDuration::getCount)
                .allSatisfy(count -> assertThat(count).isPositive());
        requireBatches(statistics);
    }

    /// All rows that were run are in some batch.
    private static void requireBatches(ModelStatistics statistics) {
        long rows = 0;
        long runs = 0;
        for (var batch : statistics.getBatchStatsList()) {
            rows += batch.getBatchSize() * batch.getComputeInfer().getCount();
            runs += batch.getComputeInfer().getCount();
        }
        assertThat(rows).isEqualTo(statistics.getInferenceCount());
        assertThat(runs).isEqualTo(statistics.getExecutionCount());
    }

    private static void counts(GrpcClient client) {
        ModelStatistics before = statisticsOf(client, GrpcCases.BATCHED);
        for (int rows = 1; rows <= 3; rows++) {
            client.infer(GrpcClient.request(GrpcCases.BATCHED, GrpcClient.input("x", "FP32", rows, 4))
                    .addRawInputContents(ByteString.copyFrom(new byte[16 * rows])));
        }
        ModelStatistics after = statisticsOf(client, GrpcCases.BATCHED);
        assertThat(after.getInferenceStats().getSuccess().getCount()
                        - before.getInferenceStats().getSuccess().getCount())
                .isEqualTo(3);
        assertThat(after.getInferenceStats().getFail().getCount())
                .isEqualTo(before.getInferenceStats().getFail().getCount());
        assertThat(after.getInferenceCount() - before.getInferenceCount()).isEqualTo(6);
        // Rows of one request may be run apart, but no row twice.
        assertThat(after.getExecutionCount() - before.getExecutionCount()).isBetween(1L, 6L);
        requireBatches(after);
    }

    private static void allStatistics(GrpcClient client) {
        assertThat(statistics(client, ""))
                .extracting(one -> one.getName() + ":" + one.getVersion())
                .doesNotHaveDuplicates()
                .contains(GrpcCases.TWO + ":1");
    }

    private static void unknownStatistics(GrpcClient client) {
        refused(
                client,
                "ModelStatistics",
                ModelStatisticsRequest.newBuilder().setName(GrpcCases.UNKNOWN).build(),
                ModelStatisticsResponse.getDefaultInstance(),
                Status.Code.NOT_FOUND);
    }

    private static List<ModelIndex> entries(GrpcClient client, boolean ready) {
        return client.call(
                        "RepositoryIndex",
                        RepositoryIndexRequest.newBuilder().setReady(ready).build(),
                        RepositoryIndexResponse.getDefaultInstance())
                .getModelsList();
    }

    private static void index(GrpcClient client) {
        assertThat(entries(client, false)).anySatisfy(entry -> {
            assertThat(entry.getName()).isEqualTo(GrpcCases.TWO);
            assertThat(entry.getState()).isEqualTo("READY");
        });
    }

    private static void readyIndex(GrpcClient client) {
        assertThat(entries(client, true)).extracting(ModelIndex::getState).containsOnly("READY");
    }

    private static ModelConfig config(GrpcClient client, String model) {
        return client.call(
                        "ModelConfig",
                        ModelConfigRequest.newBuilder().setName(model).build(),
                        ModelConfigResponse.getDefaultInstance())
                .getConfig();
    }

    private static void configuration(GrpcClient client) {
        ModelConfig two = config(client, GrpcCases.TWO);
        assertThat(two.getName()).isEqualTo(GrpcCases.TWO);
        assertThat(two.getMaxBatchSize()).isZero();
        assertThat(two.getInputList())
                .extracting(input -> input.getName() + " " + input.getDataType() + " " + input.getDimsList())
                .containsExactly("a TYPE_FP32 [-1, 2]", "n TYPE_INT64 [-1, 2]");
        assertThat(two.getOutputList())
                .extracting(output -> output.getName() + " " + output.getDataType() + " " + output.getDimsList())
                .containsExactly("sum TYPE_FP32 [-1, 2]", "negated TYPE_INT64 [-1, 2]");
        ModelConfig batched = config(client, GrpcCases.BATCHED);
        assertThat(batched.getMaxBatchSize()).isEqualTo(GrpcCases.MAX_BATCH);
        assertThat(batched.getInput(0).getDataType()).isEqualTo(DataType.TYPE_FP32);
        assertThat(batched.getInput(0).getDimsList()).containsExactly(4L);
    }

    private static void trace(GrpcClient client) {
        TraceSettingResponse settings = client.call(
                "TraceSetting", TraceSettingRequest.getDefaultInstance(), TraceSettingResponse.getDefaultInstance());
        assertThat(settings.getSettingsOrThrow("trace_level").getValueList()).isNotEmpty();
    }

    private static void logging(GrpcClient client) {
        LogSettingsResponse settings = client.call(
                "LogSettings", LogSettingsRequest.getDefaultInstance(), LogSettingsResponse.getDefaultInstance());
        assertThat(settings.getSettingsOrThrow("log_info").hasBoolParam()).isTrue();
        assertThat(settings.getSettingsOrThrow("log_verbose_level").hasUint32Param())
                .isTrue();
    }
}
