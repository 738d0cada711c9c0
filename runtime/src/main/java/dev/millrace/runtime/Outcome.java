// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

/// How a request ended. Every accepted request ends with exactly one.
public enum Outcome {
    /// Answered.
    OK,
    /// Malformed: wrong name, type, shape, or a value out of range. Fix the request.
    INVALID,
    /// There is no such model or version. Check the name.
    NOT_FOUND,
    /// Over a stated limit. Send less.
    TOO_LARGE,
    /// The queue is full. Back off and try again.
    OVERLOADED,
    /// The caller gave up or went away.
    CANCELLED,
    /// The deadline passed before the answer was there. Raise it, or scale.
    EXPIRED,
    /// The model failed on this batch; the log has the error under the id in the message.
    FAILED,
    /// The model is loading, draining, broken or closed. Go elsewhere.
    UNAVAILABLE
}
