// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// What a feature's columns are to be, and what happens if they are not.
///
/// @param min the least number, for [Check#BETWEEN]
/// @param max the greatest number, for [Check#BETWEEN]
/// @param mostly which share of rows is expected to pass, for whoever watches over many; a single
///     row knows nothing of it
public record Validation(Check check, double min, double max, OnFail onFail, double mostly) {
    /// What is looked at.
    public enum Check {
        /// The float that is written is neither NaN nor infinite.
        FINITE,
        /// There is a value; it may be NaN.
        NOT_NULL,
        /// Not below `min` nor above `max`; what is missing passes.
        BETWEEN
    }

    /// What happens otherwise.
    public enum OnFail {
        /// The row is rejected.
        REJECT,
        /// The feature's default is written.
        DEFAULT,
        /// The nearest number that passes is written.
        CLIP,
        /// The row says so.
        FLAG
    }
}
