// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

/// The shortest decimal that is nearer to a float than to any other one, as [Float#toString] has
/// it, and the nearest of several: without a search, for floats that are written without an
/// exponent.
///
/// Such a float is c·2^q with 24 bits of c. With 10^-n the largest power of ten that is not above
/// 2^q, the decimals that read back as the float are an interval of at least one and less than ten
/// of these; all of it multiplied by a power of two, with two bits more for the interval's ends,
/// fits into a long. So everything is exact. Threads: stateless.
final class FloatDigits {
    /// What [#of(float)] says of all other floats.
    static final long OTHER = -1;

    /// Digits are above these bits, places within.
    static final int PLACES_BITS = 8;

    static final int PLACES = (1 << PLACES_BITS) - 1;

    private static final float LEAST = 1e-3f;
    private static final float LIMIT = 1e7f;
    private static final int FRACTION_BITS = 23;
    private static final int HIDDEN = 1 << FRACTION_BITS;
    private static final int BIAS = 150;
    private static final int MOST_PLACES = 10;
    private static final long[] FIVES = new long[MOST_PLACES + 1];

    static {
        FIVES[0] = 1;
        for (int i = 1; i <= MOST_PLACES; i++) {
            FIVES[i] = 5 * FIVES[i - 1];
        }
    }

    private FloatDigits() {}

    /// The digits of a positive float, and how many of them are behind the point; [#OTHER] if it has
    /// an exponent when it is written, or if it is a power of two or above 2^23: those have other
    /// neighbours, or no places.
    static long of(float value) {
        int bits = Float.floatToRawIntBits(value);
        int low = bits & (HIDDEN - 1);
        if (!(value >= LEAST && value < LIMIT) || low == 0) {
            return OTHER;
        }
        int q = (bits >>> FRACTION_BITS) - BIAS;
        if (q >= 0) {
            return OTHER;
        }
        long four = 4L * (HIDDEN | low);
        // 1233 / 4096 is near enough to the logarithm of 2 for these exponents.
        int places = ((-q * 1233) >> 12) + 1;
        int shift = -q - places + 2;
        long five = FIVES[places];
        long exact = four * five;
        // Halfway to the neighbours; what lies there reads back as the one that is even.
        long least = (four - 2) * five + (low & 1);
        long most = (four + 2) * five - (low & 1);
        long below = exact >>> shift;
        long tens = below / 10 * 10;
        if (tens << shift >= least) {
            return (tens << PLACES_BITS) | places;
        }
        if ((tens + 10) << shift <= most) {
            return ((tens + 10) << PLACES_BITS) | places;
        }
        return (nearest(below, exact, least, most, shift) << PLACES_BITS) | places;
    }

    private static long nearest(long below, long exact, long least, long most, int shift) {
        boolean down = below << shift >= least;
        boolean up = (below + 1) << shift <= most;
        if (down && up) {
            long middle = (below << shift) + (1L << (shift - 1));
            down = exact < middle || (exact == middle && (below & 1) == 0);
        }
        return down ? below : below + 1;
    }
}
