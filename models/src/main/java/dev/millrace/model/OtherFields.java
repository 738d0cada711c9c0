// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.Map;

/// Fields of Triton's model configuration that are not honoured, by their path, and why. What is in a message listed
/// here counts with it.
final class OtherFields {
    private static final String CPU = "models run on the CPU";
    private static final String OWN_BATCHES = "rows are run where they lie in the queue, which needs no gathering";
    private static final String NO_RAGGED =
            "no inputs are made of a batch's shapes; requests of different shapes are run one at a time";

    /// A model that needs these would not give the right answers without.
    private static final Map<String, String> REFUSED = Map.ofEntries(
            Map.entry("sequence_batching", "models that keep state between requests are not served here"),
            Map.entry("batch_input", NO_RAGGED),
            Map.entry("batch_output", NO_RAGGED),
            Map.entry("input.reshape", "tensors are taken as the model has them"),
            Map.entry("output.reshape", "tensors are given as the model has them"),
            Map.entry("input.optional", "every request brings every input of the model"),
            Map.entry("model_operations", "libraries of operators are not loaded"),
            Map.entry("model_transaction_policy.decoupled", "a request has one answer"),
            Map.entry(
                    "model_repository_agents",
                    "nothing but this process reads a model's files, so that no agent"
                            + " could check or change them"));

    private static final Map<String, String> WITHOUT_EFFECT = Map.ofEntries(
            Map.entry("ensemble_scheduling.max_inflight_requests", "instance_group.count bounds them"),
            Map.entry("ensemble_scheduling.step.model_namespace", "models have one name each"),
            Map.entry("runtime", "there is one, ONNX Runtime in this process"),
            Map.entry("cc_model_filenames", CPU),
            Map.entry("metric_tags", "metrics are told apart by model and version"),
            Map.entry("model_metrics", "latencies are recorded in full, without buckets of their own"),
            Map.entry("optimization.priority", "it is for TensorRT; scheduling.weight shares the agents"),
            Map.entry("optimization.cuda", CPU),
            Map.entry("optimization.execution_accelerators", "ONNX Runtime's own kernels for the CPU run the model"),
            Map.entry("optimization.input_pinned_memory", CPU),
            Map.entry("optimization.output_pinned_memory", CPU),
            Map.entry("optimization.gather_kernel_buffer_threshold", OWN_BATCHES),
            Map.entry("optimization.eager_batching", OWN_BATCHES),
            Map.entry("dynamic_batching.preserve_ordering", "an answer does not wait for those of earlier requests"),
            Map.entry("instance_group.gpus", CPU),
            Map.entry("instance_group.secondary_devices", CPU),
            Map.entry("instance_group.profile", "it is for TensorRT"),
            Map.entry("instance_group.passive", "every instance runs what comes"),
            Map.entry("instance_group.host_policy", "the operating system places threads"),
            Map.entry("instance_group.rate_limiter", "scheduling.weight shares the agents"),
            Map.entry("input.format", "tensors are taken as the model has them"),
            Map.entry("input.is_shape_tensor", "it is for TensorRT"),
            Map.entry("output.is_shape_tensor", "it is for TensorRT"),
            Map.entry("input.is_non_linear_format_io", "it is for TensorRT"),
            Map.entry("output.is_non_linear_format_io", "it is for TensorRT"),
            Map.entry("input.allow_ragged_batch", "requests of different shapes are run one at a time"));

    private OtherFields() {}

    /// Why a field is refused if it asks for anything, or null.
    static String refused(String path) {
        return REFUSED.get(path);
    }

    /// Why a field has no effect, or null.
    static String withoutEffect(String path) {
        return WITHOUT_EFFECT.get(path);
    }
}
