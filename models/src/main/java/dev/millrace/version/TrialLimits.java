// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.time.Duration;

/// What a model may take while it is tried. Immutable.
///
/// @param memoryBytes the memory that loading it and running it once may take, beside that of an empty JVM and
///     twice what its files have
/// @param timeout how long it may take, the start of the JVM included
public record TrialLimits(long memoryBytes, Duration timeout) {
    /// What is enough for most models: 1 GiB and a minute.
    public static final TrialLimits DEFAULT = new TrialLimits(1L << 30, Duration.ofMinutes(1));

    /// Checks the values.
    public TrialLimits {
        if (memoryBytes < 1) {
            throw new IllegalArgumentException("memoryBytes must be at least 1, was " + memoryBytes);
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be more than nothing, was " + timeout);
        }
    }
}
