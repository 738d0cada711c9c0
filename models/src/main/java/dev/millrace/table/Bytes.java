// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Bytes that are gathered, little-endian where that matters; memory grows and is used again.
/// Threads: one.
final class Bytes {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes;
    private int length;

    Bytes(int capacity) {
        bytes = new byte[capacity];
    }

    int length() {
        return length;
    }

    void clear() {
        length = 0;
    }

    /// Makes room for more.
    private void reserve(int more) {
        if (bytes.length - length < more) {
            long wanted = Math.max(2L * bytes.length, (long) length + more);
            if ((long) length + more > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException("values of more than 2 GiB are to be written at once");
            }
            bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
        }
    }

    void put(int value) {
        reserve(1);
        bytes[length++] = (byte) value;
    }

    void putInt(int value) {
        reserve(4);
        INT.set(bytes, length, value);
        length += 4;
    }

    void putLong(long value) {
        reserve(8);
        LONG.set(bytes, length, value);
        length += 8;
    }

    void put(byte[] from) {
        put(from, 0, from.length);
    }

    void put(byte[] from, int offset, int count) {
        reserve(count);
        System.arraycopy(from, offset, bytes, length, count);
        length += count;
    }

    void put(Bytes other) {
        put(other.bytes, 0, other.length);
    }

    /// Adds a number of seven bits a byte, the lowest first.
    void putVarint(long value) {
        long left = value;
        while ((left & ~0x7FL) != 0) {
            put((int) (left & 0x7F) | 0x80);
            left >>>= 7;
        }
        put((int) left);
    }

    /// Adds characters below 128.
    void putAscii(String text) {
        int count = text.length();
        reserve(count);
        for (int i = 0; i < count; i++) {
            bytes[length + i] = (byte) text.charAt(i);
        }
        length += count;
    }

    void putUtf8(String text) {
        put(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Adds the digits of a number.
    void putDecimal(long value) {
        if (value == Long.MIN_VALUE) {
            putAscii(Long.toString(value));
            return;
        }
        reserve(20);
        long left = Math.abs(value);
        int at = length + digits(left) + (value < 0 ? 1 : 0);
        int end = at;
        do {
            bytes[--at] = (byte) ('0' + left % 10);
            left /= 10;
        } while (left > 0);
        if (value < 0) {
            bytes[length] = '-';
        }
        length = end;
    }

    /// Adds the digits of a number that is not negative, the last `places` of them behind a point, without zeros at
    /// the end but for one next to the point.
    void putDecimal(long value, int places) {
        long left = value;
        int rest = places;
        while (rest > 1 && left % 10 == 0) {
            left /= 10;
            rest--;
        }
        reserve(20 + places);
        // The digits first, as many as there are places for at least, with a place for the point.
        int at = length + Math.max(digits(left), rest + 1) + 1;
        int end = at;
        for (int i = 0; i < rest; i++) {
            bytes[--at] = (byte) ('0' + left % 10);
            left /= 10;
        }
        bytes[--at] = '.';
        while (at > length) {
            bytes[--at] = (byte) ('0' + left % 10);
            left /= 10;
        }
        length = end;
    }

    private static int digits(long value) {
        int count = 1;
        for (long left = value; left >= 10; left /= 10) {
            count++;
        }
        return count;
    }

    void writeTo(OutputStream out) throws IOException {
        out.write(bytes, 0, length);
    }
}
