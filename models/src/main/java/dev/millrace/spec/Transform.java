// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.time.ZoneId;
import java.util.List;

/// One step from a raw value to columns. The set is closed; `docs/features.md` says what each makes
/// of every value, null, NaN and infinity among them.
public sealed interface Transform {
    /// (x - mean) / std; a std of 0 counts as 1.
    record Standardize(double mean, double std) implements Transform {}

    /// From \[min, max\] to \[low, high\].
    ///
    /// @param clip whether numbers outside of it are put to its ends
    record MinMax(double min, double max, double low, double high, boolean clip) implements Transform {}

    /// (x - median) / iqr; an iqr of 0 counts as 1.
    record Robust(double median, double iqr) implements Transform {}

    /// Not below `low` nor above `high`.
    record Clip(double low, double high) implements Transform {}

    /// ln(1 + x).
    record Log1p() implements Transform {}

    /// The square root.
    record Sqrt() implements Transform {}

    /// The power transforms that make numbers more like normal ones.
    record Power(Method method, double lambda) implements Transform {
        /// Which.
        public enum Method {
            /// Yeo and Johnson's, for all numbers.
            YEO_JOHNSON,
            /// Box and Cox's, for positive ones.
            BOX_COX
        }
    }

    /// A value for null and NaN.
    ///
    /// @param indicator the column that is 1 where there was none and else 0; null for none
    record Impute(Literal value, String indicator) implements Transform {}

    /// The index of the interval that a number is in.
    ///
    /// @param closedLeft whether an interval has its lower boundary, and not its upper one
    /// @param missingBucket whether null and NaN have an index of their own, after all others
    record Bucketize(List<Double> boundaries, boolean closedLeft, OutOfRange outOfRange, boolean missingBucket)
            implements Transform {
        /// The boundaries cannot change.
        public Bucketize {
            boundaries = List.copyOf(boundaries);
        }

        /// What becomes of numbers before the first boundary and after the last.
        public enum OutOfRange {
            /// They have an interval each.
            BUCKET,
            /// They are in the first and the last interval.
            CLAMP,
            /// They count as null.
            NULL
        }
    }

    /// The index of a category.
    ///
    /// @param unknownValue for [Unknown#VALUE]
    /// @param oovBuckets for [Unknown#HASH], how many indices after the categories' own
    /// @param missingValue the index of null; null if it stays null
    record Vocab(Vocabulary vocabulary, Unknown unknown, long unknownValue, int oovBuckets, Long missingValue)
            implements Transform {
        /// What becomes of other values.
        public enum Unknown {
            /// A fixed index.
            VALUE,
            /// Null.
            NULL,
            /// The row is rejected.
            REJECT,
            /// One of some indices, by hash.
            HASH
        }
    }

    /// A column for each category, 1 in one and 0 in the others.
    record OneHot(Vocabulary vocabulary, Unknown unknown, Drop drop) implements Transform {
        /// What becomes of other values, and of null.
        public enum Unknown {
            /// All columns are 0.
            IGNORE,
            /// The row is rejected.
            REJECT,
            /// They have a column, the last one.
            BUCKET
        }

        /// Which category has no column.
        public enum Drop {
            /// None.
            NONE,
            /// The first.
            FIRST,
            /// The first, if there are two.
            IF_BINARY
        }

        /// How many categories at the beginning have no column, 0 or 1.
        public int dropped() {
            return drop == Drop.FIRST || (drop == Drop.IF_BINARY && vocabulary.size() == 2) ? 1 : 0;
        }

        /// How many columns it gives.
        public int width() {
            return vocabulary.size() - dropped() + (unknown == Unknown.BUCKET ? 1 : 0);
        }
    }

    /// A category's hash, by murmur3_x86_32, modulo a number of buckets.
    record Hash(int buckets, int seed) implements Transform {}

    /// The hash of several categories together.
    record Cross(int buckets, int seed) implements Transform {}

    /// A row of a table.
    ///
    /// @param missingRow the row for null and for an index that the table does not have; -1 for
    ///     zeros
    record Embed(Table table, int missingRow) implements Transform {}

    /// Sine or cosine of a number that begins again after a period.
    ///
    /// @param part the part of a time that is the number; null where it is the value itself
    record Cyclical(DatePart part, ZoneId zone, double period, boolean sine) implements Transform {}

    /// A part of a time.
    record DateTime(DatePart part, ZoneId zone) implements Transform {}

    /// Several numbers, a column each.
    record Concat() implements Transform {}

    /// The first of two numbers less the second.
    record Subtract() implements Transform {}

    /// The first of two numbers by the second.
    record Divide() implements Transform {}

    /// Whether two texts or two whole numbers are the same, 1 or 0.
    record Equal() implements Transform {}

    /// How long after the second of two times the first is; negative if it is before.
    record Elapsed(Unit unit) implements Transform {
        /// What it is told in.
        public enum Unit {
            /// Of a million microseconds.
            SECONDS(1_000_000L),
            /// Of 60 seconds.
            MINUTES(60_000_000L),
            /// Of 60 minutes.
            HOURS(3_600_000_000L),
            /// Of 24 hours.
            DAYS(86_400_000_000L);

            private final long micros;

            Unit(long micros) {
                this.micros = micros;
            }

            /// The microseconds that it has.
            public long micros() {
                return micros;
            }
        }
    }

    /// A number of another type.
    record Cast(ValueType to) implements Transform {}
}
