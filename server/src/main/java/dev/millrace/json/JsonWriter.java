// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes JSON into bytes of its own, which are used again and again.
///
/// Floats come out as the shortest decimal that reads back as the same value; those that are not finite as the bare
/// tokens NaN, Infinity and -Infinity. Threads: one.
public final class JsonWriter {
    private static final int INITIAL_BYTES = 4096;
    /// What a large answer left behind is given back beyond this.
    private static final int KEPT_BYTES = 1 << 20;
    /// No number takes more: 20 characters for a long, 24 for a double.
    private static final int NUMBER_BYTES = 32;

    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] TRUE = ascii("true");
    private static final byte[] FALSE = ascii("false");

    private final MemoryBudget budget;
    private byte[] bytes;
    private long booked;
    private int length;
    private final StringBuilder decimal = new StringBuilder(NUMBER_BYTES);

    /// A writer without a limit.
    public JsonWriter() {
        this(MemoryBudget.UNLIMITED);
    }

    /// @param budget what its bytes are booked in once they are more than a few; writing beyond it fails with a
    ///     [dev.millrace.memory.MemoryExceededException]
    public JsonWriter(MemoryBudget budget) {
        this.budget = budget;
        this.bytes = new byte[INITIAL_BYTES];
    }

    /// A writer without a limit.
    ///
    /// @param expectedBytes what it has room for at first
    public JsonWriter(int expectedBytes) {
        this.budget = MemoryBudget.UNLIMITED;
        this.bytes = new byte[expectedBytes];
    }

    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /// Starts anew.
    @Hot
    public JsonWriter reset() {
        length = 0;
        if (bytes.length > KEPT_BYTES) {
            shrink();
        }
        return this;
    }

    private void shrink() {
        bytes = new byte[INITIAL_BYTES];
        budget.release(MemoryTag.ANSWER, booked);
        booked = 0;
    }

    public int length() {
        return length;
    }

    /// The writer's own array, which begins with what was written; until the next write.
    @Hot
    public byte[] array() {
        return bytes;
    }

    public byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    /// Bytes that are JSON already.
    @Hot
    public JsonWriter raw(byte[] json) {
        reserve(json.length);
        System.arraycopy(json, 0, bytes, length, json.length);
        length += json.length;
        return this;
    }

    /// ASCII text that is JSON already.
    public JsonWriter raw(String json) {
        return raw(ascii(json));
    }

    @Hot
    public JsonWriter raw(char character) {
        reserve(1);
        bytes[length++] = (byte) character;
        return this;
    }

    @Hot
    public JsonWriter bool(boolean value) {
        return raw(value ? TRUE : FALSE);
    }

    @Hot
    public JsonWriter number(long value) {
        reserve(NUMBER_BYTES);
        if (value >= 0) {
            digits(value);
        } else if (value == Long.MIN_VALUE) {
            bytes[length++] = '-';
            unsigned(value);
        } else {
            bytes[length++] = '-';
            digits(-value);
        }
        return this;
    }

    /// The 64 bits of `value` as an unsigned number.
    @Hot
    public JsonWriter unsigned(long value) {
        reserve(NUMBER_BYTES);
        if (value < 0) {
            digits(Long.divideUnsigned(value, 10));
            bytes[length++] = (byte) ('0' + Long.remainderUnsigned(value, 10));
        } else {
            digits(value);
        }
        return this;
    }

    @Hot
    private void digits(long value) {
        int count = 1;
        for (long rest = value; rest > 9; rest /= 10) {
            count++;
        }
        long rest = value;
        for (int i = length + count - 1; i >= length; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += count;
    }

    @Hot
    public JsonWriter number(float value) {
        decimal.setLength(0);
        decimal.append(value);
        return decimal();
    }

    @Hot
    public JsonWriter number(double value) {
        decimal.setLength(0);
        decimal.append(value);
        return decimal();
    }

    @Hot
    private JsonWriter decimal() {
        int count = decimal.length();
        reserve(count);
        for (int i = 0; i < count; i++) {
            bytes[length + i] = (byte) decimal.charAt(i);
        }
        length += count;
        return this;
    }

    public JsonWriter string(String text) {
        return string(text.getBytes(StandardCharsets.UTF_8));
    }

    /// An element of a tensor: a number, a truth value or a text.
    @Hot
    public JsonWriter element(Tensor tensor, long i) {
        return switch (tensor.datatype()) {
            case FP32 -> number(tensor.getFloat(i));
            case FP64 -> number(tensor.getDouble(i));
            case FP16, BF16 -> number((float) tensor.getReal(i));
            case BOOL -> bool(tensor.getLong(i) != 0);
            case UINT64 -> unsigned(tensor.getLong(i));
            case BYTES -> string(tensor.getBytes((int) i));
            default -> number(tensor.getLong(i));
        };
    }

    /// UTF-8 bytes as a string; what is not UTF-8 in them becomes the replacement character.
    public JsonWriter string(byte[] utf8) {
        byte[] valid = isAscii(utf8) ? utf8 : replaced(utf8);
        reserve(2 + 6L * valid.length);
        bytes[length++] = '"';
        for (byte character : valid) {
            escape(character);
        }
        bytes[length++] = '"';
        return this;
    }

    private static boolean isAscii(byte[] text) {
        int union = 0;
        for (byte character : text) {
            union |= character;
        }
        return union >= 0;
    }

    private static byte[] replaced(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
    }

    private void escape(byte character) {
        switch (character) {
            case '"', '\\' -> escaped(character);
            case '\n' -> escaped('n');
            case '\r' -> escaped('r');
            case '\t' -> escaped('t');
            default -> {
                if (character >= 0 && character < ' ') {
                    escaped('u');
                    bytes[length++] = '0';
                    bytes[length++] = '0';
                    bytes[length++] = HEX[character >> 4];
                    bytes[length++] = HEX[character & 15];
                } else {
                    bytes[length++] = character;
                }
            }
        }
    }

    private void escaped(int character) {
        bytes[length++] = '\\';
        bytes[length++] = (byte) character;
    }

    @Hot
    private void reserve(long more) {
        if (length + more > bytes.length) {
            grow(length + more);
        }
    }

    private void grow(long needed) {
        if (needed > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("an answer of more than 2 GiB");
        }
        long steady = bytes.length < KEPT_BYTES ? 2L * bytes.length : bytes.length + bytes.length / 2L;
        int larger = (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(needed, steady));
        budget.reserve(MemoryTag.ANSWER, larger);
        try {
            bytes = Arrays.copyOf(bytes, larger);
        } catch (OutOfMemoryError e) {
            budget.release(MemoryTag.ANSWER, larger);
            throw e;
        }
        budget.release(MemoryTag.ANSWER, booked);
        booked = larger;
    }
}
