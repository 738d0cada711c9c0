// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.Hot;
import java.util.Arrays;

/// Writes fields of protobuf messages into an array that grows. Threads: one.
final class WireWriter {
    private static final int LONGEST_VARINT = 10;

    private byte[] bytes = new byte[512];
    private int length;

    /// Begins anew.
    @Hot
    WireWriter reset() {
        length = 0;
        return this;
    }

    @Hot
    int length() {
        return length;
    }

    /// What was written, in its first [#length()] bytes; valid until more is written.
    @Hot
    byte[] array() {
        return bytes;
    }

    /// A copy of what was written.
    byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    @Hot
    private void reserve(int more) {
        if (bytes.length - length < more) {
            grow(more);
        }
    }

    private void grow(int more) {
        bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Math.addExact(length, more)));
    }

    @Hot
    WireWriter varint(long value) {
        reserve(LONGEST_VARINT);
        long left = value;
        while ((left & ~0x7FL) != 0) {
            bytes[length++] = (byte) (left | 0x80);
            left >>>= 7;
        }
        bytes[length++] = (byte) left;
        return this;
    }

    /// How many bytes a number takes.
    @Hot
    static int varintSize(long value) {
        return (Long.SIZE - Long.numberOfLeadingZeros(value | 1) + 6) / 7;
    }

    @Hot
    WireWriter raw(byte[] more) {
        return raw(more, more.length);
    }

    @Hot
    WireWriter raw(byte[] more, int count) {
        reserve(count);
        System.arraycopy(more, 0, bytes, length, count);
        length += count;
        return this;
    }

    /// A field of bytes.
    @Hot
    WireWriter bytes(int field, byte[] value) {
        return varint(Wire.tag(field, Wire.LENGTH)).varint(value.length).raw(value);
    }

    /// The beginning of a field whose `size` bytes come next.
    @Hot
    WireWriter begin(int field, long size) {
        return varint(Wire.tag(field, Wire.LENGTH)).varint(size);
    }
}
