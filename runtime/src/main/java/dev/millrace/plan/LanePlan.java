// SPDX-License-Identifier: Apache-2.0
package dev.millrace.plan;

import dev.millrace.backend.RowBackend;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.QueuePolicy;
import dev.millrace.model.Signature;
import dev.millrace.model.VersionPolicy;
import dev.millrace.policy.Breaker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/// What a model's configuration, the runtime's and the model itself come to.
///
/// @param spec the lane
/// @param batching how requests share runs, which the configuration may have ruled out
/// @param config the values in force; everything that has a value is there
/// @param warnings what was asked for and has no effect
public record LanePlan(LaneSpec spec, Batching batching, ModelConfig config, List<String> warnings) {
    /// Requests that a lane of whole tensors may queue unless told otherwise: each may be large, and each takes a run.
    private static final int TENSOR_SLOTS = 256;

    /// What counts where a model leaves something open.
    ///
    /// @param maxBatch the most rows in one run
    /// @param queueRows the most rows that wait
    /// @param queueBytes the most memory that the queue may take
    /// @param intraOpThreads threads that one run may use
    public record Defaults(int maxBatch, int queueRows, long queueBytes, int intraOpThreads) {}

    /// Plans the lane of a model version.
    ///
    /// @param wanted what was asked for; may leave everything open
    /// @param agents threads that run models
    /// @throws IllegalArgumentException if something that was asked for cannot be
    public static LanePlan of(
            String model,
            long version,
            Signature signature,
            Batching found,
            ModelConfig wanted,
            Defaults runtime,
            int agents) {
        Batching batching = wanted.dependentRows().orElse(false) ? found.evenIfDependent() : found;
        boolean rows = batching.kind() == Batching.Kind.ROWS;
        if (rows && wanted.maxBatchSize().orElse(1) == 0) {
            batching = new Batching(Batching.Kind.NONE, "max_batch_size is 0", true);
            rows = false;
        }
        if (found.kind() == Batching.Kind.ONE_ROW && wanted.maxBatchSize().orElse(1) > 1) {
            throw new IllegalArgumentException("max_batch_size is "
                    + wanted.maxBatchSize().getAsInt() + ", expected at most 1: " + found.reason());
        }
        List<LaneSpec.Queue> queues = queues(signature, batching.kind(), wanted, runtime);
        int most = queues.stream().mapToInt(LaneSpec.Queue::capacity).max().orElseThrow();
        int maxBatch = rows ? Math.min(wanted.maxBatchSize().orElse(runtime.maxBatch()), most) : 1;
        int instances = wanted.instanceCount().orElse(rows ? 1 : Math.min(ModelConfig.MAX_INSTANCES, agents));
        LaneSpec spec = new LaneSpec(
                model,
                version,
                signature,
                batching.kind(),
                maxBatch,
                instances,
                queues,
                wanted.defaultPriorityLevel().orElse((queues.size() + 1) / 2) - 1,
                wanted.weight().orElse(1),
                wanted.breakerFailures().orElse(Breaker.DEFAULT_FAILURES));
        List<String> warnings = rows ? List.of() : withoutEffect(wanted, batching);
        return new LanePlan(spec, batching, inForce(spec, wanted, runtime, rows), warnings);
    }

    /// One for each priority.
    private static List<LaneSpec.Queue> queues(
            Signature signature, Batching.Kind kind, ModelConfig wanted, Defaults runtime) {
        List<LaneSpec.Queue> queues = new ArrayList<>();
        for (int level = 1; level <= Math.max(1, wanted.priorityLevels().orElse(1)); level++) {
            QueuePolicy policy = queue(wanted, level);
            int capacity = capacity(signature, kind, policy.maxQueueSize(), wanted, runtime);
            queues.add(new LaneSpec.Queue(
                    capacity, policy.defaultTimeout().map(Duration::toNanos).orElse(LaneSpec.NO_TIMEOUT)));
        }
        return queues;
    }

    /// What was asked for the requests of a priority, for it or for all of the model.
    private static QueuePolicy queue(ModelConfig wanted, int level) {
        QueuePolicy own = wanted.priorityQueuePolicy().getOrDefault(level, QueuePolicy.DEFAULT);
        return new QueuePolicy(
                own.maxQueueSize().isPresent() ? own.maxQueueSize() : wanted.maxQueueSize(),
                own.defaultTimeout().or(wanted::defaultTimeout));
    }

    /// Slots: a power of two, not over what was asked for, unless that is less than one batch.
    private static int capacity(
            Signature signature, Batching.Kind kind, OptionalInt maxQueueSize, ModelConfig wanted, Defaults runtime) {
        if (kind == Batching.Kind.NONE) {
            int slots = maxQueueSize.orElse(Math.min(runtime.queueRows(), TENSOR_SLOTS));
            return Integer.highestOneBit(Math.max(2, slots));
        }
        int wantedBatch = kind == Batching.Kind.ROWS ? wanted.maxBatchSize().orElse(1) : 1;
        long bytes = Math.max(1, wanted.priorityLevels().orElse(1)) * RowBackend.slotBytes(signature);
        long fitting = Math.min(1 << 26, runtime.queueBytes() / bytes);
        require("max_queue_size", maxQueueSize, fitting, runtime);
        require("max_batch_size", wanted.maxBatchSize(), fitting, runtime);
        long slots = Math.min(maxQueueSize.orElse(Math.max(wantedBatch, runtime.queueRows())), fitting);
        int capacity = Integer.highestOneBit((int) Math.max(2, slots));
        return capacity >= wantedBatch ? capacity : 2 * capacity;
    }

    private static void require(String name, OptionalInt wanted, long fitting, Defaults runtime) {
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
        String allowed = batching.dependent() ? "; the parameter batching.dependent_rows would allow it" : "";
        return names.stream()
                .map(name ->
                        name + " has no effect: requests are run one at a time, because " + batching.reason() + allowed)
                .toList();
    }

    private static ModelConfig inForce(LaneSpec spec, ModelConfig wanted, Defaults runtime, boolean rows) {
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
                OptionalInt.of(spec.capacity(spec.defaultLevel())),
                OptionalInt.of(spec.instances()),
                OptionalInt.of(wanted.intraOpThreads().orElse(runtime.intraOpThreads())),
                objective ? wanted.objectiveP99() : Optional.empty(),
                OptionalInt.of(spec.levels()),
                OptionalInt.of(spec.defaultLevel() + 1),
                wanted.defaultTimeout(),
                OptionalInt.of(spec.weight()),
                OptionalInt.of(spec.breakerFailures()),
                wanted.memoryLimit(),
                wanted.responseCache(),
                wanted.details(),
                Optional.of(wanted.versionPolicy().orElse(VersionPolicy.DEFAULT)),
                queuesInForce(spec, wanted),
                wanted.parameters(),
                wanted.graphOptimizationLevel(),
                wanted.defaultModelFilename(),
                OptionalInt.of(wanted.keepPrevious().orElse(0)),
                wanted.aliases(),
                wanted.dependentRows());
    }

    /// The priorities that have a queue of their own kind.
    private static Map<Integer, QueuePolicy> queuesInForce(LaneSpec spec, ModelConfig wanted) {
        Map<Integer, QueuePolicy> queues = new TreeMap<>();
        for (int level : wanted.priorityQueuePolicy().keySet()) {
            queues.put(
                    level,
                    queue(wanted, level)
                            .withMaxQueueSize(spec.queues().get(level - 1).capacity()));
        }
        return queues;
    }

    /// The values in force in one line, for the log.
    public String describe() {
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
        config.priorityQueuePolicy()
                .forEach((level, queue) -> line.append(", priority ")
                        .append(level)
                        .append(" with max_queue_size ")
                        .append(queue.maxQueueSize().getAsInt())
                        .append(queue.defaultTimeout()
                                .map(timeout -> " and default_timeout_microseconds " + timeout.toNanos() / 1000)
                                .orElse("")));
        return line + ", max_queue_size " + config.maxQueueSize().getAsInt() + " rows, instances " + spec.instances()
                + ", intra_op_thread_count " + config.intraOpThreads().getAsInt();
    }
}
