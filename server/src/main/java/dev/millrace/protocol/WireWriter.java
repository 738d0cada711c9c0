// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Writes fields of protobuf messages into an array that grows. Threads: one.
public final class WireWriter {
    private static final int LONGEST_VARINT = 10;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[512];
    private int length;

    /// Begins anew.
    @Hot
    public WireWriter reset() {
        length = 0;
        return this;
    }

    @Hot
    public int length() {
        return length;
    }

    /// What was written, in its first [#length()] bytes; valid until more is written.
    @Hot
    public byte[] array() {
        return bytes;
    }

    /// A copy of what was written.
    public byte[] toBytes() {
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
    public WireWriter varint(long value) {
        reserve(LONGEST_VARINT);
        long left = value;
        while ((left & ~0x7FL) != 0) {
            bytes[length++] = (byte) (left | 0x80);
            left >>>= 7;
        }
        bytes[length++] = (byte) left;
        return this;
    }

    /// Four bytes, the lowest first.
    @Hot
    public WireWriter fixed32(int value) {
        reserve(Integer.BYTES);
        INT.set(bytes, length, value);
        length += Integer.BYTES;
        return this;
    }

    /// Eight bytes, the lowest first.
    @Hot
    public WireWriter fixed64(long value) {
        reserve(Long.BYTES);
        LONG.set(bytes, length, value);
        length += Long.BYTES;
        return this;
    }

    /// How many bytes a number takes.
    @Hot
    static int varintSize(long value) {
        return (Long.SIZE - Long.numberOfLeadingZeros(value | 1) + 6) / 7;
    }

    @Hot
    public WireWriter raw(byte[] more) {
        return raw(more, more.length);
    }

    @Hot
    public WireWriter raw(byte[] more, int count) {
        reserve(count);
        System.arraycopy(more, 0, bytes, length, count);
        length += count;
        return this;
    }

    /// A field of bytes.
    @Hot
    public WireWriter bytes(int field, byte[] value) {
        return varint(Wire.tag(field, Wire.LENGTH)).varint(value.length).raw(value);
    }

    /// The beginning of a field whose `size` bytes come next.
    @Hot
    public WireWriter begin(int field, long size) {
        return varint(Wire.tag(field, Wire.LENGTH)).varint(size);
    }
}
