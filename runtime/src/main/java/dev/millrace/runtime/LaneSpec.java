// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;

/// What a lane is made for and how large.
///
/// @param model the model's name
/// @param version the model's version
/// @param signature the tensors of its requests
/// @param kind how requests share runs
/// @param maxBatch the most slots in one slice
/// @param capacity slots of the ring, a power of two
/// @param instances slices that may run at the same time, at most 64
record LaneSpec(
        String model,
        long version,
        Signature signature,
        Batching.Kind kind,
        int maxBatch,
        int capacity,
        int instances) {
    LaneSpec {
        if (Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("capacity must be a power of two, was " + capacity);
        }
        if (maxBatch < 1 || instances < 1 || instances > Long.SIZE) {
            throw new IllegalArgumentException("maxBatch " + maxBatch + ", instances " + instances);
        }
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
