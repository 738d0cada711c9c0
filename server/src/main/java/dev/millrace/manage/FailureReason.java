// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.runtime.Outcome;

/// Why requests were not answered, by the names that Triton's metrics have for it.
public enum FailureReason {
    /// The queue was full, or the deadline could not be met or passed.
    REJECTED,
    /// The caller gave up.
    CANCELED,
    /// The model's run failed.
    BACKEND,
    /// The request was wrong or too large, or the model does not take any now.
    OTHER;

    /// The reason for an outcome other than OK.
    public static FailureReason of(Outcome outcome) {
        return switch (outcome) {
            case OVERLOADED, EXPIRED -> REJECTED;
            case CANCELLED -> CANCELED;
            case FAILED -> BACKEND;
            case INVALID, NOT_FOUND, TOO_LARGE, UNAVAILABLE -> OTHER;
            case OK -> throw new IllegalArgumentException("OK is no failure");
        };
    }
}
