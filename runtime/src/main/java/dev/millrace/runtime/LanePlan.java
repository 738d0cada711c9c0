// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.RowBackend;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import dev.millrace.policy.Breaker;
import dev.millrace.policy.Objective;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// What a model's configuration, the runtime's and the model itself come to.
///
/// @param spec the lane
/// @param batching how requests share runs, which the configuration may have ruled out
/// @param config the values in force; everything that has a value is there
/// @param warnings what was asked for and has no effect
record LanePlan(LaneSpec spec, Batching batching, ModelConfig config, List<String> warnings) {
    /// Requests that a lane of whole tensors may queue unless told otherwise: each may be large, and each takes a run.
    private static final int TENSOR_SLOTS = 256;

    /// Plans the lane of a model version.
    ///
    /// @param wanted what was asked for; may leave everything open
    /// @param agents threads that run models
    /// @throws IllegalArgumentException if something that was asked for cannot be
    static LanePlan of(
            String model,
            long version,
            Signature signature,
            Batching found,
            ModelConfig wanted,
            RuntimeConfig runtime,
            int agents) {
        Batching batching = found;
        boolean rows = found.kind() == Batching.Kind.ROWS;
        if (rows && wanted.maxBatchSize().orElse(1) == 0) {
            batching = new Batching(Batching.Kind.NONE, "max_batch_size is 0", true);
            rows = false;
        }
        if (found.kind() == Batching.Kind.ONE_ROW && wanted.maxBatchSize().orElse(1) > 1) {
            throw new IllegalArgumentException("max_batch_size is "
                    + wanted.maxBatchSize().getAsInt() + ", expected at most 1: " + found.reason());
        }
        int capacity = capacity(signature, batching.kind(), wanted, runtime);
        int maxBatch = rows ? Math.min(wanted.maxBatchSize().orElse(runtime.maxBatch()), capacity) : 1;
        int levels = Math.max(1, wanted.priorityLevels().orElse(1));
        int instances = wanted.instanceCount().orElse(rows ? 1 : Math.min(ModelConfig.MAX_INSTANCES, agents));
        LaneSpec spec = new LaneSpec(
                model,
                version,
                signature,
                batching.kind(),
                maxBatch,
                capacity,
                instances,
                levels,
                wanted.defaultPriorityLevel().orElse((levels + 1) / 2) - 1,
                wanted.defaultTimeout().map(Duration::toNanos).orElse(Call.NO_TIMEOUT),
                wanted.weight().orElse(1),
                wanted.breakerFailures().orElse(Breaker.DEFAULT_FAILURES));
        List<String> warnings = rows ? List.of() : withoutEffect(wanted, batching);
        return new LanePlan(spec, batching, inForce(spec, wanted, runtime, rows), warnings);
    }

    /// Slots: a power of two, not over what was asked for, unless that is less than one batch.
    private static int capacity(Signature signature, Batching.Kind kind, ModelConfig wanted, RuntimeConfig runtime) {
        if (kind == Batching.Kind.NONE) {
            int slots = wanted.maxQueueSize().orElse(Math.min(runtime.queueRows(), TENSOR_SLOTS));
            return Integer.highestOneBit(Math.max(2, slots));
        }
        int wantedBatch = kind == Batching.Kind.ROWS ? wanted.maxBatchSize().orElse(1) : 1;
        long bytes = Math.max(1, wanted.priorityLevels().orElse(1)) * RowBackend.slotBytes(signature);
        long fitting = Math.min(1 << 26, runtime.queueBytes() / bytes);
        require("max_queue_size", wanted.maxQueueSize(), fitting, runtime);
        require("max_batch_size", wanted.maxBatchSize(), fitting, runtime);
        long slots = Math.min(wanted.maxQueueSize().orElse(Math.max(wantedBatch, runtime.queueRows())), fitting);
        int capacity = Integer.highestOneBit((int) Math.max(2, slots));
        return capacity >= wantedBatch ? capacity : 2 * capacity;
    }

    private static void require(String name, OptionalInt wanted, long fitting, RuntimeConfig runtime) {
        if (wanted.isPresent() && wanted.getAsInt() > Math.max(2, fitting)) {
            throw new IllegalArgumentException(name + " is " + wanted.getAsInt() + " rows, expected at most " + fitting
                    + ": more do not fit into the runtime's queueBytes, " + runtime.queueBytes());
        }
    }

    private static List<String> withoutEffect(ModelConfig wanted, Batching batching) {
        List<String> names = new ArrayList<>();
        if (wanted.maxBatchSize().orElse(0) > 1) {
            names.add("max_batch_size");
        }
        if (!wanted.preferredBatchSizes().isEmpty()) {
            names.add("preferred_batch_size");
        }
        if (wanted.maxQueueDelay().orElse(Duration.ZERO).isPositive()) {
            names.add("max_queue_delay_microseconds");
        }
        if (wanted.objectiveP99().isPresent()) {
            names.add("objective.p99_ms");
        }
        return names.stream()
                .map(name -> name + " has no effect: requests are run one at a time, because " + batching.reason())
                .toList();
    }

    private static ModelConfig inForce(LaneSpec spec, ModelConfig wanted, RuntimeConfig runtime, boolean rows) {
        boolean objective = rows && wanted.objectiveP99().isPresent();
        return new ModelConfig(
                OptionalInt.of(spec.maxBatch()),
                rows
                        ? wanted.preferredBatchSizes().stream()
                                .filter(size -> size <= spec.maxBatch())
                                .toList()
                        : List.of(),
                objective
                        ? Optional.empty()
                        : Optional.of(rows ? wanted.maxQueueDelay().orElse(Duration.ZERO) : Duration.ZERO),
                OptionalInt.of(spec.capacity()),
                OptionalInt.of(spec.instances()),
                OptionalInt.of(wanted.intraOpThreads().orElse(runtime.intraOpThreads())),
                objective ? wanted.objectiveP99() : Optional.empty(),
                OptionalInt.of(spec.levels()),
                OptionalInt.of(spec.defaultLevel() + 1),
                wanted.defaultTimeout(),
                OptionalInt.of(spec.weight()),
                OptionalInt.of(spec.breakerFailures()),
                wanted.memoryLimit());
    }

    /// When rows may go, or null if they never wait.
    BatchPolicy policy() {
        if (config.objectiveP99().isPresent()) {
            long bound = config.objectiveP99().get().toNanos();
            return new BatchPolicy(
                    spec.capacity(), spec.maxBatch(), new Objective(bound, spec.maxBatch(), spec.instances()));
        }
        long delay = config.maxQueueDelay().orElse(Duration.ZERO).toNanos();
        if (delay == 0 && config.preferredBatchSizes().isEmpty()) {
            return null;
        }
        return new BatchPolicy(spec.capacity(), spec.maxBatch(), config.preferredBatchSizes(), delay);
    }

    /// The values in force in one line, for the log.
    String describe() {
        StringBuilder line = new StringBuilder("max_batch_size " + spec.maxBatch());
        if (!config.preferredBatchSizes().isEmpty()) {
            line.append(", preferred_batch_size ").append(config.preferredBatchSizes());
        }
        config.maxQueueDelay()
                .ifPresent(
                        delay -> line.append(", max_queue_delay_microseconds ").append(delay.toNanos() / 1000));
        config.objectiveP99()
                .ifPresent(bound -> line.append(", objective.p99_ms ").append(bound.toNanos() / 1e6));
        if (spec.levels() > 1) {
            line.append(", priority_levels ").append(spec.levels());
        }
        config.defaultTimeout()
                .ifPresent(timeout ->
                        line.append(", default_timeout_microseconds ").append(timeout.toNanos() / 1000));
        return line + ", max_queue_size " + spec.capacity() + " rows, instances " + spec.instances()
                + ", intra_op_thread_count " + config.intraOpThreads().getAsInt();
    }
}
