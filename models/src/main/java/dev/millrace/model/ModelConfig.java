// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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
/// by
///     itself, within `maxBatchSize`
public record ModelConfig(
        OptionalInt maxBatchSize,
        List<Integer> preferredBatchSizes,
        Optional<Duration> maxQueueDelay,
        OptionalInt maxQueueSize,
        OptionalInt instanceCount,
        OptionalInt intraOpThreads,
        Optional<Duration> objectiveP99) {
    /// Everything as the runtime has it.
    public static final ModelConfig DEFAULT = new ModelConfig(
            OptionalInt.empty(),
            List.of(),
            Optional.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty());

    /// The most instances that a model may have.
    public static final int MAX_INSTANCES = Long.SIZE;

    /// No row is held back for longer.
    public static final Duration MAX_DELAY = Duration.ofHours(1);

    /// Checks every value, and that they go together.
    ///
    /// @throws IllegalArgumentException naming the field, what came and what was expected
    public ModelConfig {
        preferredBatchSizes = List.copyOf(preferredBatchSizes);
        atLeast("max_batch_size", maxBatchSize, 0, Integer.MAX_VALUE);
        atLeast("max_queue_size", maxQueueSize, 1, 1 << 30);
        atLeast("instance_group count", instanceCount, 1, MAX_INSTANCES);
        atLeast("intra_op_thread_count", intraOpThreads, 1, Integer.MAX_VALUE);
        checkPreferred(preferredBatchSizes, maxBatchSize);
        checkDelay(maxQueueDelay);
        checkObjective(objectiveP99, preferredBatchSizes, maxQueueDelay);
        if (maxQueueSize.isPresent() && maxBatchSize.isPresent() && maxQueueSize.getAsInt() < maxBatchSize.getAsInt()) {
            throw new IllegalArgumentException("max_queue_size is " + maxQueueSize.getAsInt()
                    + " rows, expected at least max_batch_size, which is " + maxBatchSize.getAsInt());
        }
    }

    private static void atLeast(String name, OptionalInt value, int least, int most) {
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
                knobs ? objectiveP99 : objectiveP99.or(() -> other.objectiveP99));
    }

    private static OptionalInt or(OptionalInt first, OptionalInt second) {
        return first.isPresent() ? first : second;
    }

    /// These values with another largest batch in rows; 0 runs every request alone.
    public ModelConfig withMaxBatchSize(int rows) {
        return new ModelConfig(
                OptionalInt.of(rows),
                preferredBatchSizes,
                maxQueueDelay,
                maxQueueSize,
                instanceCount,
                intraOpThreads,
                objectiveP99);
    }

    /// These values with other preferred sizes in rows, ascending.
    public ModelConfig withPreferredBatchSizes(Integer... rows) {
        return new ModelConfig(
                maxBatchSize, List.of(rows), maxQueueDelay, maxQueueSize, instanceCount, intraOpThreads, objectiveP99);
    }

    /// These values with another delay.
    public ModelConfig withMaxQueueDelay(Duration delay) {
        return new ModelConfig(
                maxBatchSize,
                preferredBatchSizes,
                Optional.of(delay),
                maxQueueSize,
                instanceCount,
                intraOpThreads,
                objectiveP99);
    }

    /// These values with another queue length in rows.
    public ModelConfig withMaxQueueSize(int rows) {
        return new ModelConfig(
                maxBatchSize,
                preferredBatchSizes,
                maxQueueDelay,
                OptionalInt.of(rows),
                instanceCount,
                intraOpThreads,
                objectiveP99);
    }

    /// These values with another number of runs at the same time.
    public ModelConfig withInstanceCount(int count) {
        return new ModelConfig(
                maxBatchSize,
                preferredBatchSizes,
                maxQueueDelay,
                maxQueueSize,
                OptionalInt.of(count),
                intraOpThreads,
                objectiveP99);
    }

    /// These values with another number of threads per run.
    public ModelConfig withIntraOpThreads(int count) {
        return new ModelConfig(
                maxBatchSize,
                preferredBatchSizes,
                maxQueueDelay,
                maxQueueSize,
                instanceCount,
                OptionalInt.of(count),
                objectiveP99);
    }

    /// These values with an objective instead of a delay and preferred sizes.
    public ModelConfig withObjectiveP99(Duration latency) {
        return new ModelConfig(
                maxBatchSize,
                preferredBatchSizes,
                maxQueueDelay,
                maxQueueSize,
                instanceCount,
                intraOpThreads,
                Optional.of(latency));
    }
}
