// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.Optional;
import java.util.OptionalDouble;

/// How long runs of so many rows take. Immutable.
///
/// @param rows how many rows a run has
/// @param before the other model's, if there is one
/// @param after the model's
public record Speed(long rows, Optional<Timing> before, Timing after) {
    /// How many times as fast as the other the model is.
    public OptionalDouble speedup() {
        return before.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(before.get().median() / after.median());
    }
}
