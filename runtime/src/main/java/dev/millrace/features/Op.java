// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

/// The operations of steps, each with the fields of [Step] that it uses. Those up to [#LAST_NUMBER]
/// take a number and give one, and are not done where there is none.
final class Op {
    /// The value is a whole number.
    static final int TO_NUMBER = 0;
    /// a mean, b divisor.
    static final int STANDARDIZE = 1;
    /// a factor, b summand; flag whether to clip to c, d.
    static final int SCALE = 2;
    /// a low, b high.
    static final int CLIP = 3;
    static final int LOG1P = 4;
    static final int SQRT = 5;
    /// a lambda.
    static final int YEO_JOHNSON = 6;
    /// a lambda.
    static final int BOX_COX = 7;
    /// a period; flag sine, else cosine.
    static final int CYCLICAL = 8;
    static final int TO_FLOAT = 9;
    static final int LAST_NUMBER = TO_FLOAT;

    /// a, b bounds; flag whether missing, else extreme.
    static final int OUTLIER_NUMBER = 10;
    /// a, b bounds, n, m the same as whole numbers; flag whether missing, else extreme.
    static final int OUTLIER_INTEGER = 11;
    /// replace by n; flag rejects; i indicator column of the feature, or -1.
    static final int MISSING = 12;
    /// a, b bounds; j what to do; n replacement; missing.
    static final int INVALID_NUMBER = 13;
    /// a, b bounds; integers or null; j what to do; n replacement; missing.
    static final int INVALID_INTEGER = 14;
    /// texts or null; j what to do; n replacement; missing.
    static final int INVALID_TEXT = 15;
    static final int LAST_TREATMENT = INVALID_TEXT;

    /// numbers; flag closed left; j out of range; k the index of what is missing, or -1; i the
    /// number of intervals.
    static final int BUCKETIZE = 16;
    /// texts; j unknown; n its value; i the number of categories; k buckets; flag and m for missing
    /// ones.
    static final int VOCAB_TEXT = 17;
    /// integers, and the others.
    static final int VOCAB_INTEGER = 18;
    /// texts; j unknown; k dropped; i the number of columns.
    static final int ONE_HOT_TEXT = 19;
    /// integers, and the others.
    static final int ONE_HOT_INTEGER = 20;
    /// i buckets, j seed.
    static final int HASH_TEXT = 21;
    /// i buckets, j seed.
    static final int HASH_INTEGER = 22;
    /// i buckets, j seed.
    static final int CROSS = 23;
    /// numbers; i columns, j rows, k the missing row or -1.
    static final int EMBED = 24;
    /// No field.
    static final int CONCAT = 25;
    /// part, zone.
    static final int DATE_PART = 26;
    /// n, m bounds.
    static final int TO_INTEGER = 27;
    static final int TO_BOOL_NUMBER = 28;
    static final int TO_BOOL_INTEGER = 29;
    /// n, m bounds: a whole number of fewer bits.
    static final int TO_NARROW = 30;
    /// Of two inputs.
    static final int SUBTRACT = 31;
    /// Of two inputs.
    static final int DIVIDE = 32;
    /// Of two inputs.
    static final int EQUAL = 33;
    /// Of two inputs; a microseconds of the unit.
    static final int ELAPSED = 34;

    /// numbers, by the whole number that the value is.
    static final int CYCLICAL_PART = 35;

    private Op() {}
}
