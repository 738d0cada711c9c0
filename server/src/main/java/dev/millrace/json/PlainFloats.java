// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The numbers that requests are full of: an array of decimals without exponents, one after the other.
///
/// Eight characters are looked at together, as one long: which of them are digits, and what these are worth. There is
/// no loop over digits, and hardly a branch that depends on how long a number is or on its sign, which no processor
/// could foresee. Whatever is out of the ordinary ends the run before it.
///
/// Threads: stateless.
final class PlainFloats {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private static final long ZEROS = 0x3030303030303030L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    /// Added to a byte of more than 9 it sets the high bit.
    private static final long ABOVE_NINE = 0x7676767676767676L;

    private static final long[] POWERS = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000};

    private PlainFloats() {}

    /// Reads numbers from `from` on, as [JsonReader#readFloats] says, and leaves in `numbers` where they end.
    ///
    /// One loop on purpose: cut into methods it takes a fifth longer.
    @Hot
    static int read(byte[] text, int from, MemorySegment target, long index, long limit, NumberDecoder numbers) {
        int at = from;
        int after = from;
        long next = index;
        while (next < limit) {
            at += text[at] == ' ' ? 1 : 0;
            // Bit 4 is set in digits and not in a minus sign.
            int sign = (~text[at] >> 4) & 1;
            int start = at + sign;
            int digit = text[start] - '0';
            int dot = start + 1;
            long whole = digit;
            if (text[dot] != '.') {
                long word = (long) LONGS.get(text, start) ^ ZEROS;
                int digits = digits(word);
                if (digits == 8 || (digit == 0 && digits > 1)) {
                    break;
                }
                whole = value(word, digits);
                dot = start + digits;
            }
            if (digit < 0 || digit > 9 || (sign != 0 && text[at] != '-')) {
                break;
            }
            int end = dot;
            double magnitude = whole;
            if (text[dot] == '.') {
                long word = (long) LONGS.get(text, dot + 1) ^ ZEROS;
                long more = (long) LONGS.get(text, dot + 9) ^ ZEROS;
                int full = digits(word);
                // Nothing of the second word unless the first one is full.
                int rest = digits(more) & -(full >> 3);
                int places = full + rest;
                if (places == 0 || rest == 8 || dot - start + places > NumberDecoder.MAX_DIGITS) {
                    break;
                }
                long upTo8 = whole * POWERS[full] + value(word, full);
                magnitude = NumberDecoder.fraction(upTo8 * POWERS[rest] + value(more, rest), places);
                end = dot + 1 + places;
            }
            if ((text[end] | 0x20) == 'e' || !NumberDecoder.isFloatCertain(magnitude)) {
                break;
            }
            int bits = Float.floatToRawIntBits((float) magnitude) | (sign << 31);
            target.set(FLOAT, next << 2, Float.intBitsToFloat(bits));
            next++;
            after = end;
            if (text[end] != ',') {
                break;
            }
            at = end + 1;
        }
        numbers.position(after);
        return (int) (next - index);
    }

    /// How many of eight characters, counted from the first, are digits; given without their zeros.
    @Hot
    private static int digits(long word) {
        // A carry out of a byte that is no digit only spoils those behind it.
        long others = ((word + ABOVE_NINE) | word) & HIGH_BITS;
        return Long.numberOfTrailingZeros(others) >>> 3;
    }

    /// The value of the first `count` of eight digits.
    @Hot
    private static long value(long word, int count) {
        // Two shifts: one by all 64 bits would be none.
        int bits = (8 - count) << 2;
        long digits = word << bits << bits;
        long pairs = (digits * 10 + (digits >>> 8)) & 0x00FF00FF00FF00FFL;
        long fours = (pairs * 100 + (pairs >>> 16)) & 0x0000FFFF0000FFFFL;
        return (fours * 10_000 + (fours >>> 32)) & 0xFFFFFFFFL;
    }
}
