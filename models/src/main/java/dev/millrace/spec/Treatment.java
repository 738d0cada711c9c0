// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.util.List;

/// What is done with a raw value before it is transformed, in this order: outliers, missing values,
/// invalid values. Each may be null, which is as it is.
public record Treatment(Outlier outlier, Missing missing, Invalid invalid) {
    /// Nothing is done.
    public static final Treatment NONE = new Treatment(null, null, null);

    /// Numbers below `low` or above `high`.
    public record Outlier(double low, double high, As treatment) {
        /// What is done with them.
        public enum As {
            /// Nothing.
            AS_IS,
            /// They count as missing.
            AS_MISSING,
            /// The nearest of the two takes their place.
            AS_EXTREME
        }
    }

    /// Null, and NaN.
    ///
    /// @param value what takes their place; null where they stay as they are or are rejected
    /// @param reject whether the row is rejected
    /// @param indicator the column that is 1 where a value was missing and else 0; null for none
    public record Missing(Literal value, boolean reject, String indicator) {}

    /// Infinite numbers, and those that are not among the valid ones.
    ///
    /// @param min the least valid number
    /// @param max the greatest valid number
    /// @param values the valid values; null for all
    /// @param value what takes their place, for [As#AS_VALUE]; null otherwise
    public record Invalid(As treatment, double min, double max, List<Literal> values, Literal value) {
        /// What is done with them.
        public enum As {
            /// The row is rejected.
            REJECT,
            /// Nothing, and the row says so.
            AS_IS,
            /// What is done with missing ones.
            AS_MISSING,
            /// A value takes their place.
            AS_VALUE
        }
    }
}
