// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/// How requests of one priority wait; what is left open is as for all of the model. Immutable.
///
/// @param maxQueueSize the most rows that wait; more are refused as overloaded
/// @param defaultTimeout what a request may take at most; what it asks for itself can only be less
public record QueuePolicy(OptionalInt maxQueueSize, Optional<Duration> defaultTimeout) {
    /// Everything as for all of the model.
    public static final QueuePolicy DEFAULT = new QueuePolicy(OptionalInt.empty(), Optional.empty());

    /// Checks every value.
    ///
    /// @throws IllegalArgumentException naming the field, what came and what was expected
    public QueuePolicy {
        ModelConfig.atLeast("max_queue_size", maxQueueSize, 1, 1 << 30);
        ModelConfig.checkTimeout(defaultTimeout);
    }

    /// This policy with another queue length in rows.
    public QueuePolicy withMaxQueueSize(int rows) {
        return new QueuePolicy(OptionalInt.of(rows), defaultTimeout);
    }

    /// This policy with another limit for how long a request may take.
    public QueuePolicy withDefaultTimeout(Duration timeout) {
        return new QueuePolicy(maxQueueSize, Optional.of(timeout));
    }
}
