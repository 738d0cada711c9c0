// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.policy.Breaker;

/// What a lane is made for and how large.
///
/// @param model the model's name
/// @param version the model's version
/// @param signature the tensors of its requests
/// @param kind how requests share runs
/// @param maxBatch the most slots in one slice
/// @param capacity slots of the ring, a power of two
/// @param instances slices that may run at the same time, at most 64
/// @param levels priorities, each with a ring of `capacity` slots
/// @param defaultLevel the one of requests that do not say, from 0
/// @param defaultTimeoutNanos what a request may take at most, or [Call#NO_TIMEOUT]
/// @param weight the lane's share of the agents in relation to those of others
/// @param breakerFailures runs in a row that fail before requests are refused; 0: they never are
record LaneSpec(
        String model,
        long version,
        Signature signature,
        Batching.Kind kind,
        int maxBatch,
        int capacity,
        int instances,
        int levels,
        int defaultLevel,
        long defaultTimeoutNanos,
        int weight,
        int breakerFailures) {
    /// One level, no timeout, and the usual breaker.
    LaneSpec(
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
                capacity,
                instances,
                1,
                0,
                Call.NO_TIMEOUT,
                1,
                Breaker.DEFAULT_FAILURES);
    }

    LaneSpec {
        if (Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("capacity must be a power of two, was " + capacity);
        }
        if (levels < 1 || defaultLevel < 0 || defaultLevel >= levels || weight < 1) {
            throw new IllegalArgumentException("levels " + levels + ", default " + defaultLevel + ", weight " + weight);
        }
        if (maxBatch < 1 || instances < 1 || instances > Long.SIZE) {
            throw new IllegalArgumentException("maxBatch " + maxBatch + ", instances " + instances);
        }
    }

    /// Slots of all levels.
    int slots() {
        return levels * capacity;
    }

    /// Whether a request's tensors have a leading dimension of rows, which may be split and put together.
    @Hot
    boolean hasRows() {
        return kind != Batching.Kind.NONE;
    }

    String describe() {
        return "model '" + model + "' version " + version;
    }
}
