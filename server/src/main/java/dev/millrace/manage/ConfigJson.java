// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.QueuePolicy;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.model.VersionPolicy;
import dev.millrace.runtime.ModelStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// How a model version is served, in the words of Triton's `ModelConfig`: the values in force, whether they were asked
/// for or not. What Millrace does not have is there with the value that says so, where clients look for it.
///
/// Threads: any.
public final class ConfigJson {
    private ConfigJson() {}

    /// @param status of a version that is loaded
    public static byte[] of(ModelStatus status) {
        Signature signature = status.signature().orElseThrow();
        Batching.Kind kind = status.batching().orElseThrow().kind();
        ModelConfig config = status.config().orElseThrow();
        ModelConfig.Details details = config.details();
        boolean ensemble = !details.steps().isEmpty();
        int maxBatchSize = batchSize(kind, config, ensemble);
        JsonWriter json = new JsonWriter().raw("{\"name\":").string(status.model());
        json.raw(",\"platform\":").string(status.platform());
        json.raw(",\"backend\":").string(ensemble ? "" : "onnxruntime").raw(",\"runtime\":\"\"");
        config.versionPolicy().ifPresent(policy -> versions(json, policy));
        json.raw(",\"max_batch_size\":").number(maxBatchSize);
        json.raw(",\"input\":[");
        tensors(json, signature.inputs(), maxBatchSize > 0, null);
        json.raw("],\"output\":[");
        tensors(json, signature.outputs(), maxBatchSize > 0, details.labelFiles());
        json.raw("],\"batch_input\":[],\"batch_output\":[]");
        if (kind == Batching.Kind.ROWS) {
            batching(json, config);
        }
        json.raw(",\"instance_group\":[{\"name\":")
                .string(status.model())
                .raw(",\"kind\":\"KIND_CPU\",\"count\":")
                .number(config.instanceCount().orElse(1))
                .raw(",\"gpus\":[],\"secondary_devices\":[],\"profile\":[],\"passive\":false,\"host_policy\":\"\"}]");
        json.raw(",\"optimization\":{\"graph\":{\"level\":")
                .number(config.graphOptimizationLevel().orElse(0))
                .raw("}},\"default_model_filename\":")
                .string(ensemble ? "" : config.defaultModelFilename().orElse("model.onnx"))
                .raw(",\"cc_model_filenames\":{},\"metric_tags\":{}");
        parameters(json, config);
        ConfigJsonParts.warmUps(json, details.warmUps());
        if (ensemble) {
            ConfigJsonParts.steps(json, details.steps());
        }
        json.raw(",\"model_transaction_policy\":{\"decoupled\":false}");
        json.raw(",\"response_cache\":{\"enable\":")
                .bool(config.responseCache().orElse(false))
                .raw("}}");
        return json.toBytes();
    }

    /// Of an ensemble it only says that tensors have a batch dimension.
    private static int batchSize(Batching.Kind kind, ModelConfig config, boolean ensemble) {
        if (ensemble) {
            return config.details().maxBatchSize();
        }
        return kind == Batching.Kind.NONE ? 0 : config.maxBatchSize().orElse(1);
    }

    private static void versions(JsonWriter json, VersionPolicy policy) {
        json.raw(",\"version_policy\":{");
        switch (policy.kind()) {
            case LATEST ->
                json.raw("\"latest\":{\"num_versions\":")
                        .number(policy.latest())
                        .raw("}}");
            case ALL -> json.raw("\"all\":{}}");
            case SPECIFIC ->
                json.raw("\"specific\":{\"versions\":")
                        .raw(policy.versions().toString().replace(" ", ""))
                        .raw("}}");
        }
    }

    /// @param labelFiles by output; null for inputs
    private static void tensors(JsonWriter json, List<TensorSpec> specs, boolean rows, Map<String, String> labelFiles) {
        boolean inputs = labelFiles == null;
        String separator = "";
        for (TensorSpec spec : specs) {
            List<Long> dims = rows ? spec.shape().subList(1, spec.shape().size()) : spec.shape();
            json.raw(separator).raw("{\"name\":").string(spec.name());
            json.raw(",\"data_type\":\"" + typeName(spec.datatype()) + "\"");
            json.raw(inputs ? ",\"format\":\"FORMAT_NONE\"" : "");
            json.raw(",\"dims\":").raw(dims.toString().replace(" ", ""));
            if (inputs) {
                json.raw(",\"allow_ragged_batch\":false,\"optional\":").bool(spec.optional());
            } else {
                json.raw(",\"label_filename\":").string(labelFiles.getOrDefault(spec.name(), ""));
            }
            json.raw(",\"is_shape_tensor\":false,\"is_non_linear_format_io\":false}");
            separator = ",";
        }
    }

    /// A datatype as configurations name it, which is not as requests do.
    public static String typeName(DataType type) {
        return "TYPE_" + (type == DataType.BYTES ? "STRING" : type.name());
    }

    private static void batching(JsonWriter json, ModelConfig config) {
        int levels = config.priorityLevels().orElse(1);
        long timeout = config.defaultTimeout().map(ConfigJson::micros).orElse(0L);
        json.raw(",\"dynamic_batching\":{\"preferred_batch_size\":")
                .raw(config.preferredBatchSizes().toString().replace(" ", ""));
        json.raw(",\"max_queue_delay_microseconds\":")
                .number(config.maxQueueDelay().map(ConfigJson::micros).orElse(0L));
        json.raw(",\"preserve_ordering\":false,\"priority_levels\":").number(levels > 1 ? levels : 0);
        json.raw(",\"default_priority_level\":")
                .number(levels > 1 ? config.defaultPriorityLevel().orElse(0) : 0);
        json.raw(",\"default_queue_policy\":{\"timeout_action\":\"REJECT\",\"default_timeout_microseconds\":")
                .number(timeout);
        json.raw(",\"allow_timeout_override\":true,\"max_queue_size\":")
                .number(config.maxQueueSize().orElse(0));
        json.raw("},\"priority_queue_policy\":{");
        String separator = "";
        for (Map.Entry<Integer, QueuePolicy> queue :
                config.priorityQueuePolicy().entrySet()) {
            json.raw(separator).raw("\"" + queue.getKey() + "\":{\"timeout_action\":\"REJECT\"");
            json.raw(",\"default_timeout_microseconds\":")
                    .number(queue.getValue()
                            .defaultTimeout()
                            .map(ConfigJson::micros)
                            .orElse(0L));
            json.raw(",\"allow_timeout_override\":true,\"max_queue_size\":")
                    .number(queue.getValue().maxQueueSize().orElse(0))
                    .raw('}');
            separator = ",";
        }
        json.raw("}}");
    }

    private static long micros(Duration duration) {
        return duration.toNanos() / 1000;
    }

    private static void parameters(JsonWriter json, ModelConfig config) {
        json.raw(",\"parameters\":{");
        parameter(json, "intra_op_thread_count", text(config.intraOpThreads()));
        config.parameters().forEach((name, value) -> parameter(json, name, value));
        parameter(json, "scheduling.weight", text(config.weight()));
        parameter(json, "breaker.failures", text(config.breakerFailures()));
        parameter(
                json,
                "objective.p99_ms",
                config.objectiveP99()
                        .map(bound -> Double.toString(bound.toNanos() / 1e6))
                        .orElse(""));
        parameter(
                json,
                "memory.limit_bytes",
                config.memoryLimit().isPresent()
                        ? Long.toString(config.memoryLimit().getAsLong())
                        : "");
        parameter(json, "keep_previous", text(config.keepPrevious()));
        parameter(
                json,
                "batching.dependent_rows",
                config.dependentRows().map(allowed -> allowed ? "1" : "0").orElse(""));
        json.raw('}');
    }

    private static String text(OptionalInt value) {
        return value.isPresent() ? Integer.toString(value.getAsInt()) : "";
    }

    private static void parameter(JsonWriter json, String name, String value) {
        if (!value.isEmpty()) {
            boolean first = json.array()[json.length() - 1] == '{';
            json.raw(first ? "" : ",")
                    .string(name)
                    .raw(":{\"string_value\":")
                    .string(value)
                    .raw('}');
        }
    }
}
