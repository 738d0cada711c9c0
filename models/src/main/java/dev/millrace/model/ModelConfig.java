// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/// How one model is to be served. Immutable; start from [#DEFAULT], which leaves everything to the runtime, and change
/// what matters. Names follow Triton's where it has them.
///
/// @param maxBatchSize the most rows in one run; 0 runs every request alone, with its tensors as they are
/// @param preferredBatchSizes sizes in rows, ascending, at which a batch need not wait for more; none: the largest
/// batch
/// @param maxQueueDelay how long the oldest waiting row may be held back for others to join it; unless given none is:
///     a batch is what waits when somebody is free to run it
/// @param maxQueueSize the most rows that wait; more are refused as overloaded. Triton counts requests
/// @param instanceCount runs of the model that may be in progress at the same time
/// @param intraOpThreads threads that ONNX Runtime may use in one run, the one that started it included
/// @param objectiveP99 the latency that 99 of 100 requests should keep; the runtime then chooses batch size and delay
///     by itself, within `maxBatchSize`
/// @param priorityLevels queues by priority, 1 the highest; 0 is the same as 1. Requests of a higher one go first
/// @param defaultPriorityLevel the priority of requests that do not say
/// @param defaultTimeout what a request may take at most; what it asks for itself can only be less
/// @param weight the model's share of the agents' time in relation to those of others while there is not enough for all
/// @param breakerFailures runs in a row that fail before requests are refused for a while; 0: they never are
/// @param memoryLimit the most native memory that the model, its queue and its requests may take, in bytes
/// @param responseCache whether answers are kept for requests that come again with the same inputs
/// @param details what only a file can say; programs leave it as it is
/// @param parameters what ONNX Runtime is told when a session is opened, by Triton's names: `execution_mode`,
///     `inter_op_thread_count`, `enable_mem_arena`, `enable_mem_pattern`, `memory.enable_memory_arena_shrinkage`, and
///     `session.*` as ONNX Runtime has them
/// @param graphOptimizationLevel how far the graph is optimised, in Triton's numbers: 0 everything, 1 all but layouts,
///     -1 what holds for any hardware, 2 nothing
/// @param defaultModelFilename the model's file in a version's folder; unless given `model.onnx`
/// @param versionPolicy which versions are served; unless given the highest one
/// @param priorityQueuePolicy how requests of a priority wait, where that is not as for all of the model
/// @param keepPrevious 1 to keep what is replaced warm, so that it can be gone back to at once; 0 to free it
/// @param aliases names that stand for versions
/// @param dependentRows whether rows of several requests share runs even if they affect each other
public record ModelConfig(
        OptionalInt maxBatchSize,
        List<Integer> preferredBatchSizes,
        Optional<Duration> maxQueueDelay,
        OptionalInt maxQueueSize,
        OptionalInt instanceCount,
        OptionalInt intraOpThreads,
        Optional<Duration> objectiveP99,
        OptionalInt priorityLevels,
        OptionalInt defaultPriorityLevel,
        Optional<Duration> defaultTimeout,
        OptionalInt weight,
        OptionalInt breakerFailures,
        OptionalLong memoryLimit,
        Optional<Boolean> responseCache,
        Details details,
        Optional<VersionPolicy> versionPolicy,
        Map<Integer, QueuePolicy> priorityQueuePolicy,
        Map<String, String> parameters,
        OptionalInt graphOptimizationLevel,
        Optional<String> defaultModelFilename,
        OptionalInt keepPrevious,
        Map<String, Long> aliases,
        Optional<Boolean> dependentRows) {
    /// Everything as the runtime has it.
    public static final ModelConfig DEFAULT = new ModelConfig(
            OptionalInt.empty(),
            List.of(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalLong.empty(),
            Optional.empty(),
            Details.NONE,
            Optional.empty(),
            Map.of(),
            Map.of(),
            OptionalInt.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            Map.of(),
            Optional.empty());

    /// The most instances that a model may have.
    public static final int MAX_INSTANCES = Long.SIZE;

    /// What a name looks like that stands for a version: it cannot be taken for a number.
    public static final String ALIAS = "[A-Za-z][A-Za-z0-9_.-]{0,63}";

    /// No row is held back for longer, and no request waits longer for its answer where there is a limit.
    public static final Duration MAX_DELAY = Duration.ofHours(1);

    /// The most priorities.
    public static final int MAX_PRIORITIES = 16;

    /// The most that one model may weigh.
    public static final int MAX_WEIGHT = 1000;

    /// Checks every value, and that they go together.
    ///
    /// @throws IllegalArgumentException naming the field, what came and what was expected
    public ModelConfig {
        preferredBatchSizes = List.copyOf(preferredBatchSizes);
        priorityQueuePolicy = Collections.unmodifiableMap(new TreeMap<>(priorityQueuePolicy));
        parameters = Collections.unmodifiableMap(new TreeMap<>(parameters));
        aliases = Collections.unmodifiableMap(new TreeMap<>(aliases));
        OrtParameters.check(parameters);
        atLeast("keep_previous", keepPrevious, 0, 1);
        aliases.forEach(ModelConfig::checkAlias);
        atLeast("optimization.graph.level", graphOptimizationLevel, -1, 2);
        checkFileName(defaultModelFilename);
        atLeast("max_batch_size", maxBatchSize, 0, Integer.MAX_VALUE);
        atLeast("max_queue_size", maxQueueSize, 1, 1 << 30);
        atLeast("instance_group count", instanceCount, 1, MAX_INSTANCES);
        atLeast("intra_op_thread_count", intraOpThreads, 1, Integer.MAX_VALUE);
        checkPreferred(preferredBatchSizes, maxBatchSize);
        checkDelay(maxQueueDelay);
        checkObjective(objectiveP99, preferredBatchSizes, maxQueueDelay);
        checkPriorities(priorityLevels, defaultPriorityLevel, objectiveP99);
        checkTimeout(defaultTimeout);
        atLeast("scheduling.weight", weight, 1, MAX_WEIGHT);
        atLeast("breaker.failures", breakerFailures, 0, Integer.MAX_VALUE);
        if (memoryLimit.isPresent() && memoryLimit.getAsLong() < 1) {
            throw new IllegalArgumentException(
                    "memory.limit_bytes is " + memoryLimit.getAsLong() + ", expected at least 1");
        }
        checkQueue("max_queue_size", maxQueueSize, maxBatchSize);
        checkQueues(priorityQueuePolicy, priorityLevels, maxBatchSize);
    }

    private static void checkAlias(String name, long version) {
        if (!name.matches(ALIAS)) {
            throw new IllegalArgumentException(
                    "aliases has '" + name + "', expected letters, digits, '_', '-' and '.', beginning with a letter");
        }
        if (version < 1) {
            throw new IllegalArgumentException(
                    "aliases." + name + " is " + version + ", expected the number of a version");
        }
    }

    /// A name alone: a model is nowhere but in its version's folder.
    private static void checkFileName(Optional<String> name) {
        if (name.isPresent() && !name.get().matches("(?!\\.)[^/\\\\\\x00]+")) {
            throw new IllegalArgumentException("default_model_filename is '" + name.get()
                    + "', expected the name of a file in a version's folder");
        }
    }

    private static void checkQueue(String name, OptionalInt rows, OptionalInt maxBatchSize) {
        if (rows.isPresent() && maxBatchSize.isPresent() && rows.getAsInt() < maxBatchSize.getAsInt()) {
            throw new IllegalArgumentException(name + " is " + rows.getAsInt()
                    + " rows, expected at least max_batch_size, which is " + maxBatchSize.getAsInt());
        }
    }

    private static void checkQueues(
            Map<Integer, QueuePolicy> queues, OptionalInt priorityLevels, OptionalInt maxBatchSize) {
        int levels = Math.max(1, priorityLevels.orElse(0));
        queues.forEach((level, queue) -> {
            if (level < 1 || level > levels) {
                throw new IllegalArgumentException("priority_queue_policy has the key " + level
                        + ", expected from 1 to priority_levels, which is " + priorityLevels.orElse(0));
            }
            checkQueue("priority_queue_policy max_queue_size", queue.maxQueueSize(), maxBatchSize);
        });
    }

    static void atLeast(String name, OptionalInt value, int least, int most) {
        if (value.isPresent() && (value.getAsInt() < least || value.getAsInt() > most)) {
            throw new IllegalArgumentException(name + " is " + value.getAsInt() + ", expected "
                    + (most == Integer.MAX_VALUE ? "at least " + least : "from " + least + " to " + most));
        }
    }

    private static void checkPreferred(List<Integer> sizes, OptionalInt maxBatchSize) {
        int before = 0;
        for (int size : sizes) {
            if (size <= before) {
                throw new IllegalArgumentException(
                        "preferred_batch_size is " + sizes + ", expected ascending numbers from 1 on");
            }
            before = size;
        }
        if (maxBatchSize.isPresent() && before > maxBatchSize.getAsInt()) {
            throw new IllegalArgumentException("preferred_batch_size is " + sizes + ", expected none over"
                    + " max_batch_size, which is " + maxBatchSize.getAsInt());
        }
    }

    private static void checkPriorities(OptionalInt levels, OptionalInt standard, Optional<Duration> objective) {
        atLeast("priority_levels", levels, 0, MAX_PRIORITIES);
        if (standard.isPresent()) {
            int most = Math.max(1, levels.orElse(0));
            if (standard.getAsInt() < 1 || standard.getAsInt() > most) {
                throw new IllegalArgumentException("default_priority_level is " + standard.getAsInt()
                        + ", expected from 1 to priority_levels, which is " + levels.orElse(0));
            }
        }
        if (levels.orElse(0) > 1 && objective.isPresent()) {
            throw new IllegalArgumentException("objective.p99_ms came with priority_levels " + levels.getAsInt()
                    + ", expected one of them: an objective is for all requests");
        }
    }

    static void checkTimeout(Optional<Duration> timeout) {
        if (timeout.isPresent() && (!timeout.get().isPositive() || timeout.get().compareTo(MAX_DELAY) > 0)) {
            throw new IllegalArgumentException("default_timeout_microseconds is "
                    + timeout.get().toNanos() / 1000.0 + ", expected from 1 to " + MAX_DELAY.toNanos() / 1000);
        }
    }

    private static void checkDelay(Optional<Duration> delay) {
        if (delay.isPresent() && (delay.get().isNegative() || delay.get().compareTo(MAX_DELAY) > 0)) {
            throw new IllegalArgumentException("max_queue_delay_microseconds is "
                    + delay.get().toNanos() / 1000.0 + ", expected from 0 to " + MAX_DELAY.toNanos() / 1000);
        }
    }

    private static void checkObjective(
            Optional<Duration> objective, List<Integer> preferredBatchSizes, Optional<Duration> delay) {
        if (objective.isEmpty()) {
            return;
        }
        if (!objective.get().isPositive() || objective.get().compareTo(MAX_DELAY) > 0) {
            throw new IllegalArgumentException("objective.p99_ms is "
                    + objective.get().toNanos() / 1e6 + ", expected more than 0 and at most " + MAX_DELAY.toMillis());
        }
        if (!preferredBatchSizes.isEmpty() || delay.isPresent()) {
            throw new IllegalArgumentException("objective.p99_ms came with "
                    + (delay.isPresent() ? "max_queue_delay_microseconds" : "preferred_batch_size")
                    + ", expected one of them: with an objective the runtime chooses");
        }
    }

    /// These values, and where they leave something open, those of `other`. An objective replaces the delay and the
    /// preferred sizes of `other`, and they replace its objective.
    public ModelConfig orElse(ModelConfig other) {
        boolean knobs = !preferredBatchSizes.isEmpty() || maxQueueDelay.isPresent();
        boolean objective = objectiveP99.isPresent();
        return new ModelConfig(
                or(maxBatchSize, other.maxBatchSize),
                preferredBatchSizes.isEmpty() && !objective ? other.preferredBatchSizes : preferredBatchSizes,
                objective ? maxQueueDelay : maxQueueDelay.or(() -> other.maxQueueDelay),
                or(maxQueueSize, other.maxQueueSize),
                or(instanceCount, other.instanceCount),
                or(intraOpThreads, other.intraOpThreads),
                knobs ? objectiveP99 : objectiveP99.or(() -> other.objectiveP99),
                or(priorityLevels, other.priorityLevels),
                or(defaultPriorityLevel, other.defaultPriorityLevel),
                defaultTimeout.or(() -> other.defaultTimeout),
                or(weight, other.weight),
                or(breakerFailures, other.breakerFailures),
                memoryLimit.isPresent() ? memoryLimit : other.memoryLimit,
                responseCache.or(() -> other.responseCache),
                details.equals(Details.NONE) ? other.details : details,
                versionPolicy.or(() -> other.versionPolicy),
                priorityQueuePolicy.isEmpty() ? other.priorityQueuePolicy : priorityQueuePolicy,
                parameters(other.parameters),
                or(graphOptimizationLevel, other.graphOptimizationLevel),
                defaultModelFilename.or(() -> other.defaultModelFilename),
                or(keepPrevious, other.keepPrevious),
                aliases.isEmpty() ? other.aliases : aliases,
                dependentRows.or(() -> other.dependentRows));
    }

    private Map<String, String> parameters(Map<String, String> others) {
        Map<String, String> all = new TreeMap<>(others);
        all.putAll(parameters);
        return all;
    }

    private static OptionalInt or(OptionalInt first, OptionalInt second) {
        return first.isPresent() ? first : second;
    }

    /// These values with another largest batch in rows; 0 runs every request alone.
    public ModelConfig withMaxBatchSize(int rows) {
        return with(values -> values.maxBatchSize = OptionalInt.of(rows));
    }

    /// These values with other preferred sizes in rows, ascending.
    public ModelConfig withPreferredBatchSizes(Integer... rows) {
        return with(values -> values.preferredBatchSizes = List.of(rows));
    }

    /// These values with another delay.
    public ModelConfig withMaxQueueDelay(Duration delay) {
        return with(values -> values.maxQueueDelay = Optional.of(delay));
    }

    /// These values with another queue length in rows.
    public ModelConfig withMaxQueueSize(int rows) {
        return with(values -> values.maxQueueSize = OptionalInt.of(rows));
    }

    /// These values with another number of runs at the same time.
    public ModelConfig withInstanceCount(int count) {
        return with(values -> values.instanceCount = OptionalInt.of(count));
    }

    /// These values with another number of threads per run.
    public ModelConfig withIntraOpThreads(int count) {
        return with(values -> values.intraOpThreads = OptionalInt.of(count));
    }

    /// These values with an objective instead of a delay and preferred sizes.
    public ModelConfig withObjectiveP99(Duration latency) {
        return with(values -> values.objectiveP99 = Optional.of(latency));
    }

    /// These values with another number of priorities, and the one of requests that do not say, from 1 on.
    public ModelConfig withPriorities(int levels, int defaultLevel) {
        return with(values -> {
            values.priorityLevels = OptionalInt.of(levels);
            values.defaultPriorityLevel = OptionalInt.of(defaultLevel);
        });
    }

    /// These values with another limit for how long a request may take.
    public ModelConfig withDefaultTimeout(Duration timeout) {
        return with(values -> values.defaultTimeout = Optional.of(timeout));
    }

    /// These values with another share of the agents' time.
    public ModelConfig withWeight(int share) {
        return with(values -> values.weight = OptionalInt.of(share));
    }

    /// These values with another number of runs in a row that fail before requests are refused; 0: they never are.
    public ModelConfig withBreakerFailures(int runs) {
        return with(values -> values.breakerFailures = OptionalInt.of(runs));
    }

    /// These values with another limit for native memory, in bytes.
    public ModelConfig withMemoryLimit(long bytes) {
        return with(values -> values.memoryLimit = OptionalLong.of(bytes));
    }

    /// These values with answers kept for requests that come again, or not.
    public ModelConfig withResponseCache(boolean enable) {
        return with(values -> values.responseCache = Optional.of(enable));
    }

    /// These values with other versions.
    public ModelConfig withVersionPolicy(VersionPolicy policy) {
        return with(values -> values.versionPolicy = Optional.of(policy));
    }

    /// These values with a queue of its own kind for one priority, from 1 on.
    public ModelConfig withPriorityQueuePolicy(int level, QueuePolicy policy) {
        return with(values -> {
            values.priorityQueuePolicy = new TreeMap<>(values.priorityQueuePolicy);
            values.priorityQueuePolicy.put(level, policy);
        });
    }

    /// These values with another parameter for ONNX Runtime, as [#parameters()] has them.
    public ModelConfig withParameter(String name, String value) {
        return with(values -> {
            values.parameters = new TreeMap<>(values.parameters);
            values.parameters.put(name, value);
        });
    }

    /// These values with another level of optimisation: 0, 1, -1 or 2.
    public ModelConfig withGraphOptimizationLevel(int level) {
        return with(values -> values.graphOptimizationLevel = OptionalInt.of(level));
    }

    /// These values with another name of the model's file.
    public ModelConfig withDefaultModelFilename(String name) {
        return with(values -> values.defaultModelFilename = Optional.of(name));
    }

    /// These values with what is replaced kept warm, or not.
    public ModelConfig withKeepPrevious(boolean keep) {
        return with(values -> values.keepPrevious = OptionalInt.of(keep ? 1 : 0));
    }

    /// These values with another name for a version.
    public ModelConfig withAlias(String name, long version) {
        return with(values -> {
            values.aliases = new TreeMap<>(values.aliases);
            values.aliases.put(name, version);
        });
    }

    /// These values with rows of several requests in one run although they affect each other, or not.
    public ModelConfig withDependentRows(boolean allowed) {
        return with(values -> values.dependentRows = Optional.of(allowed));
    }

    private ModelConfig with(Consumer<Values> change) {
        Values values = new Values(this);
        change.accept(values);
        return values.config();
    }

    /// What only a model's configuration file says, for those who ask how the model is served. Immutable.
    ///
    /// @param maxBatchSize an ensemble's: it only says that tensors have a batch dimension; 0 of a model
    /// @param warmUps requests that the model answers before it is ready
    /// @param labelFiles files with the names of classes, by output
    /// @param steps what an ensemble is made of; none for a model
    public record Details(
            int maxBatchSize, List<WarmUp> warmUps, Map<String, String> labelFiles, List<EnsembleConfig.Step> steps) {
        /// Of a model without a file.
        public static final Details NONE = new Details(0, List.of(), Map.of(), List.of());

        /// Makes lists and map immutable.
        public Details {
            warmUps = List.copyOf(warmUps);
            labelFiles = Collections.unmodifiableMap(new TreeMap<>(labelFiles));
            steps = List.copyOf(steps);
        }
    }

    /// The values while they are changed.
    static final class Values {
        OptionalInt maxBatchSize;
        List<Integer> preferredBatchSizes;
        Optional<Duration> maxQueueDelay;
        OptionalInt maxQueueSize;
        OptionalInt instanceCount;
        OptionalInt intraOpThreads;
        Optional<Duration> objectiveP99;
        OptionalInt priorityLevels;
        OptionalInt defaultPriorityLevel;
        Optional<Duration> defaultTimeout;
        OptionalInt weight;
        OptionalInt breakerFailures;
        OptionalLong memoryLimit;
        Optional<Boolean> responseCache;
        Details details;
        Optional<VersionPolicy> versionPolicy;
        Map<Integer, QueuePolicy> priorityQueuePolicy;
        Map<String, String> parameters;
        OptionalInt graphOptimizationLevel;
        Optional<String> defaultModelFilename;
        OptionalInt keepPrevious;
        Map<String, Long> aliases;
        Optional<Boolean> dependentRows;

        Values(ModelConfig from) {
            maxBatchSize = from.maxBatchSize;
            preferredBatchSizes = from.preferredBatchSizes;
            maxQueueDelay = from.maxQueueDelay;
            maxQueueSize = from.maxQueueSize;
            instanceCount = from.instanceCount;
            intraOpThreads = from.intraOpThreads;
            objectiveP99 = from.objectiveP99;
            priorityLevels = from.priorityLevels;
            defaultPriorityLevel = from.defaultPriorityLevel;
            defaultTimeout = from.defaultTimeout;
            weight = from.weight;
            breakerFailures = from.breakerFailures;
            memoryLimit = from.memoryLimit;
            responseCache = from.responseCache;
            details = from.details;
            versionPolicy = from.versionPolicy;
            priorityQueuePolicy = from.priorityQueuePolicy;
            parameters = from.parameters;
            graphOptimizationLevel = from.graphOptimizationLevel;
            defaultModelFilename = from.defaultModelFilename;
            keepPrevious = from.keepPrevious;
            aliases = from.aliases;
            dependentRows = from.dependentRows;
        }

        ModelConfig config() {
            return new ModelConfig(
                    maxBatchSize,
                    preferredBatchSizes,
                    maxQueueDelay,
                    maxQueueSize,
                    instanceCount,
                    intraOpThreads,
                    objectiveP99,
                    priorityLevels,
                    defaultPriorityLevel,
                    defaultTimeout,
                    weight,
                    breakerFailures,
                    memoryLimit,
                    responseCache,
                    details,
                    versionPolicy,
                    priorityQueuePolicy,
                    parameters,
                    graphOptimizationLevel,
                    defaultModelFilename,
                    keepPrevious,
                    aliases,
                    dependentRows);
        }
    }
}
