// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.millrace.grpc.message.Configs.ModelConfig;
import dev.millrace.grpc.message.Messages.InferBatchStatistics;
import dev.millrace.grpc.message.Messages.InferStatistics;
import dev.millrace.grpc.message.Messages.LogSettingsRequest;
import dev.millrace.grpc.message.Messages.LogSettingsResponse;
import dev.millrace.grpc.message.Messages.MemoryUsage;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse.TensorMetadata;
import dev.millrace.grpc.message.Messages.ModelReadyRequest;
import dev.millrace.grpc.message.Messages.ModelReadyResponse;
import dev.millrace.grpc.message.Messages.ModelRepositoryParameter;
import dev.millrace.grpc.message.Messages.ModelStatisticsRequest;
import dev.millrace.grpc.message.Messages.ModelStatisticsResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexRequest;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse.ModelIndex;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadResponse;
import dev.millrace.grpc.message.Messages.ServerMetadataResponse;
import dev.millrace.grpc.message.Messages.StatisticDuration;
import dev.millrace.grpc.message.Messages.TraceSettingRequest;
import dev.millrace.grpc.message.Messages.TraceSettingResponse;
import dev.millrace.manage.ConfigJson;
import dev.millrace.manage.LoadParameters;
import dev.millrace.manage.LogSettings;
import dev.millrace.manage.Management;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.manage.ManagementRequests;
import dev.millrace.manage.ModelStatistics;
import dev.millrace.manage.ModelStatistics.Spent;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.ModelStatus;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// Everything but inference, in messages: what is asked goes to [Management], what comes back is put into its message.
///
/// Threads: any. What cannot be answered is a [ManagementException].
final class ManagementMessages {
    /// Of a file in a load: as it came, and taken out.
    private static final int COPIES = 2;

    private final Millrace millrace;
    private final Management management;
    private final String version;

    /// @param version the server's
    ManagementMessages(Millrace millrace, Management management, String version) {
        this.millrace = millrace;
        this.management = management;
        this.version = version;
    }

    boolean isReady() {
        return management.isReady();
    }

    /// As in Triton a model that is not there is one that is not ready.
    ModelReadyResponse modelReady(ModelReadyRequest request) {
        boolean ready = !management.isLeaving();
        try {
            ready &= management.status(request.getName(), request.getVersion()).ready();
        } catch (ManagementException _) {
            ready = false;
        }
        return ModelReadyResponse.newBuilder().setReady(ready).build();
    }

    ServerMetadataResponse serverMetadata() {
        return ServerMetadataResponse.newBuilder()
                .setName("millrace")
                .setVersion(version)
                .addAllExtensions(management.extensions())
                .build();
    }

    ModelMetadataResponse modelMetadata(ModelMetadataRequest request) {
        ModelStatus status = management.status(request.getName(), request.getVersion());
        ModelMetadataResponse.Builder response = ModelMetadataResponse.newBuilder()
                .setName(status.model())
                .setPlatform(status.platform())
                .addAllInputs(tensors(status.signature().orElseThrow().inputs()))
                .addAllOutputs(tensors(status.signature().orElseThrow().outputs()));
        for (ModelStatus other : millrace.status()) {
            if (other.model().equals(status.model()) && Management.isServed(other)) {
                response.addVersions(Long.toString(other.version()));
            }
        }
        return response.build();
    }

    private static List<TensorMetadata> tensors(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> TensorMetadata.newBuilder()
                        .setName(spec.name())
                        .setDatatype(spec.datatype().name())
                        .addAllShape(spec.shape())
                        .build())
                .toList();
    }

    /// The configuration in JSON has the same names: it is written once, and read into the message.
    ModelConfigResponse modelConfig(ModelConfigRequest request) {
        byte[] json = ConfigJson.of(management.status(request.getName(), request.getVersion()));
        ModelConfig.Builder config = ModelConfig.newBuilder();
        try {
            JsonFormat.parser().ignoringUnknownFields().merge(new String(json, StandardCharsets.UTF_8), config);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a configuration is no ModelConfig", e);
        }
        return ModelConfigResponse.newBuilder().setConfig(config).build();
    }

    ModelStatisticsResponse modelStatistics(ModelStatisticsRequest request) {
        List<ModelStatistics> all = request.getName().isEmpty()
                ? management.statistics()
                : management.statistics(request.getName(), request.getVersion());
        return ModelStatisticsResponse.newBuilder()
                .addAllModelStats(
                        all.stream().map(ManagementMessages::statistics).toList())
                .build();
    }

    private static dev.millrace.grpc.message.Messages.ModelStatistics statistics(ModelStatistics one) {
        InferStatistics requests = InferStatistics.newBuilder()
                .setSuccess(duration(one.success()))
                .setFail(duration(one.fail()))
                .setQueue(duration(one.queue()))
                .setComputeInput(duration(one.computeInput()))
                .setComputeInfer(duration(one.computeInfer()))
                .setComputeOutput(duration(one.computeOutput()))
                .setCacheHit(duration(one.cacheHit()))
                .setCacheMiss(duration(one.cacheMiss()))
                .build();
        return dev.millrace.grpc.message.Messages.ModelStatistics.newBuilder()
                .setName(one.model())
                .setVersion(Long.toString(one.version()))
                .setLastInference(one.lastInferenceMillis())
                .setInferenceCount(one.inferenceCount())
                .setExecutionCount(one.executionCount())
                .setInferenceStats(requests)
                .addAllBatchStats(
                        one.batches().stream().map(ManagementMessages::batch).toList())
                .addMemoryUsage(MemoryUsage.newBuilder().setType("CPU").setByteSize(one.memoryBytes()))
                .build();
    }

    private static InferBatchStatistics batch(ModelStatistics.Batch batch) {
        StatisticDuration untimed =
                StatisticDuration.newBuilder().setCount(batch.runs().count()).build();
        return InferBatchStatistics.newBuilder()
                .setBatchSize(batch.rows())
                .setComputeInput(untimed)
                .setComputeInfer(duration(batch.runs()))
                .setComputeOutput(untimed)
                .build();
    }

    private static StatisticDuration duration(Spent spent) {
        return StatisticDuration.newBuilder()
                .setCount(spent.count())
                .setNs(spent.nanos())
                .build();
    }

    CompletionStage<RepositoryIndexResponse> index(RepositoryIndexRequest request) {
        return management.control().takesLoads()
                ? CompletableFuture.supplyAsync(() -> indexNow(request), Thread::startVirtualThread)
                : CompletableFuture.completedFuture(indexNow(request));
    }

    private RepositoryIndexResponse indexNow(RepositoryIndexRequest request) {
        return RepositoryIndexResponse.newBuilder()
                .addAllModels(management.index(request.getReady()).stream()
                        .map(entry -> ModelIndex.newBuilder()
                                .setName(entry.model())
                                .setVersion(entry.version() == 0 ? "" : Long.toString(entry.version()))
                                .setState(entry.state().name())
                                .setReason(entry.reason())
                                .build())
                        .toList())
                .build();
    }

    /// Files come as bytes here, and in Base64 with HTTP. What came is on the heap until the models are changed.
    ///
    /// @throws dev.millrace.memory.MemoryExceededException if there is no room for that
    CompletionStage<RepositoryModelLoadResponse> load(RepositoryModelLoadRequest request) {
        MemoryBudget heap = millrace.memory().heap();
        long copies = (long) COPIES * request.getSerializedSize();
        heap.reserve(MemoryTag.BODY, copies);
        CompletionStage<Void> changed;
        try {
            changed = change(request);
        } catch (RuntimeException e) {
            heap.release(MemoryTag.BODY, copies);
            throw e;
        }
        return changed.whenComplete((_, _) -> heap.release(MemoryTag.BODY, copies))
                .thenApply(_ -> RepositoryModelLoadResponse.getDefaultInstance());
    }

    private CompletionStage<Void> change(RepositoryModelLoadRequest request) {
        Optional<String> config = Optional.empty();
        boolean contractChange = false;
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (Map.Entry<String, ModelRepositoryParameter> parameter :
                request.getParametersMap().entrySet()) {
            String name = parameter.getKey();
            ModelRepositoryParameter value = parameter.getValue();
            ManagementRequests.requireKnown(name);
            switch (name) {
                case ManagementRequests.CONFIG -> {
                    require(name, value.hasStringParam(), value, "string_param");
                    config = Optional.of(value.getStringParam());
                }
                case ManagementRequests.CONTRACT_CHANGE -> {
                    require(name, value.hasBoolParam(), value, "bool_param");
                    contractChange = value.getBoolParam();
                }
                default -> {
                    require(name, value.hasBytesParam(), value, "bytes_param");
                    files.put(
                            name.substring(ManagementRequests.FILE.length()),
                            value.getBytesParam().toByteArray());
                }
            }
        }
        LoadParameters parameters = ManagementRequests.loadParameters(config, files, contractChange);
        return management.control().load(request.getModelName(), () -> parameters);
    }

    private static void require(String name, boolean right, ModelRepositoryParameter value, String expected) {
        if (!right) {
            throw new ManagementException(
                    Problem.INVALID,
                    "parameter '" + name + "' of a load is " + value.getParameterChoiceCase() + ", expected "
                            + expected);
        }
    }

    CompletionStage<RepositoryModelUnloadResponse> unload(RepositoryModelUnloadRequest request) {
        ModelRepositoryParameter dependents = request.getParametersMap().get("unload_dependents");
        return management
                .control()
                .unload(request.getModelName(), dependents != null && dependents.getBoolParam())
                .thenApply(_ -> RepositoryModelUnloadResponse.getDefaultInstance());
    }

    /// A setting without a value is taken back.
    TraceSettingResponse trace(TraceSettingRequest request) {
        String model = request.getModelName().isEmpty() ? null : request.getModelName();
        Map<String, List<String>> change = new LinkedHashMap<>();
        request.getSettingsMap().forEach((name, value) -> change.put(name, List.copyOf(value.getValueList())));
        Map<String, List<String>> now =
                change.isEmpty() ? management.traceSettings(model) : management.changeTrace(model, change);
        TraceSettingResponse.Builder response = TraceSettingResponse.newBuilder();
        now.forEach((name, values) -> response.putSettings(
                name,
                TraceSettingResponse.SettingValue.newBuilder()
                        .addAllValue(values)
                        .build()));
        return response.build();
    }

    LogSettingsResponse log(LogSettingsRequest request) {
        LogSettings now = request.getSettingsCount() == 0
                ? management.logSettings()
                : management.changeLog(change(request.getSettingsMap()));
        return LogSettingsResponse.newBuilder()
                .putSettings("log_file", setting().setStringParam("").build())
                .putSettings("log_info", setting().setBoolParam(now.info()).build())
                .putSettings(
                        "log_warning", setting().setBoolParam(now.warning()).build())
                .putSettings("log_error", setting().setBoolParam(now.error()).build())
                .putSettings(
                        "log_verbose_level",
                        setting().setUint32Param(now.verboseLevel()).build())
                .putSettings(
                        "log_format",
                        setting().setStringParam(now.format().label()).build())
                .build();
    }

    private static LogSettingsResponse.SettingValue.Builder setting() {
        return LogSettingsResponse.SettingValue.newBuilder();
    }

    private static LogSettings.Change change(Map<String, LogSettingsRequest.SettingValue> settings) {
        settings.forEach((name, value) -> {
            switch (name) {
                case "log_info", "log_warning", "log_error", "log_verbose_level", "log_format" -> {}
                case "log_file" -> LogSettings.refuseFile(value.getStringParam());
                default ->
                    throw new ManagementException(Problem.INVALID, "there is no setting '" + name + "' of the log");
            }
        });
        return new LogSettings.Change(
                truth(settings, "log_info"),
                truth(settings, "log_warning"),
                truth(settings, "log_error"),
                level(settings.get("log_verbose_level")),
                format(settings.get("log_format")));
    }

    private static Optional<Boolean> truth(Map<String, LogSettingsRequest.SettingValue> settings, String name) {
        LogSettingsRequest.SettingValue value = settings.get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.hasBoolParam()) {
            throw new ManagementException(
                    Problem.INVALID, name + " is " + value.getParameterChoiceCase() + ", expected bool_param");
        }
        return Optional.of(value.getBoolParam());
    }

    private static OptionalInt level(LogSettingsRequest.SettingValue value) {
        if (value == null) {
            return OptionalInt.empty();
        }
        if (!value.hasUint32Param() || value.getUint32Param() < 0) {
            throw new ManagementException(
                    Problem.INVALID,
                    "log_verbose_level is " + value.getParameterChoiceCase() + ", expected a uint32_param below 2^31");
        }
        return OptionalInt.of(value.getUint32Param());
    }

    private static Optional<LogSettings.Format> format(LogSettingsRequest.SettingValue value) {
        if (value == null) {
            return Optional.empty();
        }
        if (!value.hasStringParam()) {
            throw new ManagementException(
                    Problem.INVALID, "log_format is " + value.getParameterChoiceCase() + ", expected string_param");
        }
        return Optional.of(LogSettings.Format.named(value.getStringParam()));
    }
}
