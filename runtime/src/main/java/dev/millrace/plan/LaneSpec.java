// SPDX-License-Identifier: Apache-2.0
package dev.millrace.plan;

import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.policy.Breaker;
import java.util.Arrays;
import java.util.List;

/// What a lane is made for and how large.
///
/// @param model the model's name
/// @param version the model's version
/// @param signature the tensors of its requests
/// @param kind how requests share runs
/// @param maxBatch the most slots in one slice
/// @param instances slices that may run at the same time, at most 64
/// @param queues one for each priority, the highest first
/// @param defaultLevel the priority of requests that do not say, from 0
/// @param weight the lane's share of the agents in relation to those of others
/// @param breakerFailures runs in a row that fail before requests are refused; 0: they never are
public record LaneSpec(
        String model,
        long version,
        Signature signature,
        Batching.Kind kind,
        int maxBatch,
        int instances,
        List<Queue> queues,
        int defaultLevel,
        int weight,
        int breakerFailures) {
    /// The timeout of requests that may take as long as they need.
    public static final long NO_TIMEOUT = Long.MAX_VALUE;

    /// How requests of one priority wait.
    ///
    /// @param capacity slots of its ring, a power of two
    /// @param defaultTimeoutNanos what a request may take at most, or [#NO_TIMEOUT]
    public record Queue(int capacity, long defaultTimeoutNanos) {
        /// Checks the capacity.
        public Queue {
            if (Integer.bitCount(capacity) != 1) {
                throw new IllegalArgumentException("capacity must be a power of two, was " + capacity);
            }
        }
    }

    /// One level, no timeout, and the usual breaker.
    public LaneSpec(
            String model,
            long version,
            Signature signature,
            Batching.Kind kind,
            int maxBatch,
            int capacity,
            int instances) {
        this(
                model,
                version,
                signature,
                kind,
                maxBatch,
                instances,
                List.of(new Queue(capacity, NO_TIMEOUT)),
                0,
                1,
                Breaker.DEFAULT_FAILURES);
    }

    /// The queue of a priority: 1 is the highest, 0 or one that there is not means the default.
    @Hot
    public int level(int priority) {
        return priority < 1 || priority > queues.size() ? defaultLevel : priority - 1;
    }

    /// Checks every value.
    public LaneSpec {
        queues = List.copyOf(queues);
        if (defaultLevel < 0 || defaultLevel >= queues.size() || weight < 1) {
            throw new IllegalArgumentException(
                    "levels " + queues.size() + ", default " + defaultLevel + ", weight " + weight);
        }
        if (maxBatch < 1 || instances < 1 || instances > Long.SIZE) {
            throw new IllegalArgumentException("maxBatch " + maxBatch + ", instances " + instances);
        }
    }

    /// Priorities.
    @Hot
    public int levels() {
        return queues.size();
    }

    /// Slots of a priority's ring.
    @Hot
    public int capacity(int level) {
        return queues.get(level).capacity;
    }

    /// What a request of a priority may take at most, or [#NO_TIMEOUT].
    @Hot
    public long defaultTimeoutNanos(int level) {
        return queues.get(level).defaultTimeoutNanos;
    }

    /// Slots of all levels.
    public int slots() {
        return queues.stream().mapToInt(Queue::capacity).sum();
    }

    /// Slots of the largest ring.
    public int largestCapacity() {
        return queues.stream().mapToInt(Queue::capacity).max().orElseThrow();
    }

    /// Whether a request's tensors have a leading dimension of rows, which may be split and put together.
    @Hot
    public boolean hasRows() {
        return kind != Batching.Kind.NONE;
    }

    /// What is wrong with an input's shape.
    public String wrongShape(int input, Tensor tensor) {
        TensorSpec spec = signature.inputs().get(input);
        return tensor.hasShape()
                ? "input '" + spec.name() + "' has shape " + Arrays.toString(tensor.shape()) + ", expected "
                        + spec.shape()
                : "input '" + spec.name() + "' is missing, expected " + spec.datatype() + " of shape " + spec.shape();
    }

    /// What is wrong with an input that has not as many rows as the first.
    public String differentRows(int input, long came, long expected) {
        List<TensorSpec> specs = signature.inputs();
        return "input '" + specs.get(input).name() + "' has " + came + " rows, expected " + expected + " as input '"
                + specs.getFirst().name() + "' has";
    }

    /// What is wrong with a number of rows, too few or too many.
    public String wrongRows(long rows, int level) {
        return rows < 1
                ? "input '" + signature.inputs().getFirst().name() + "' has 0 rows, expected at least 1"
                : rows + " rows in one request, at most " + capacity(level) + " fit into the queue of " + describe();
    }

    /// What logs and messages call it.
    public String describe() {
        return "model '" + model + "' version " + version;
    }
}
