// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// A place in the bytes of a protocol buffer, which reads what comes next there. What the fields mean is known to
/// whoever asks.
///
/// Everything that does not fit the bytes, or the message that is being read, is an [IndexOutOfBoundsException].
/// Threads: one. Ownership: the bytes are the caller's.
public final class ProtoCursor {
    /// The wire types: how a field's value is written.
    public static final int VARINT = 0;

    public static final int FIXED64 = 1;
    public static final int BYTES = 2;
    public static final int FIXED32 = 5;

    /// Groups, which nobody writes any more, hold fields between these two.
    private static final int START_GROUP = 3;

    private static final int END_GROUP = 4;

    /// No protocol buffer that ONNX Runtime reads is nested deeper.
    public static final int MAX_DEPTH = 100;

    private final MemorySegment bytes;
    private long position;

    /// A cursor at the first byte.
    public ProtoCursor(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /// Where the next byte is.
    public long position() {
        return position;
    }

    /// Goes elsewhere.
    public void position(long next) {
        position = next;
    }

    /// Reads a number of up to 64 bits: a tag (the field shifted left by three, and the wire type), a length or a
    /// value.
    public long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = bytes.get(ValueLayout.JAVA_BYTE, position++);
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IndexOutOfBoundsException("a number without an end");
    }

    /// Reads the length of a field of [#BYTES]; the cursor is where its bytes begin.
    ///
    /// @param end where the message ends that the field is in
    public long length(long end) {
        long length = varint();
        if (length < 0 || length > end - position) {
            throw new IndexOutOfBoundsException("a field beyond its message");
        }
        return length;
    }

    /// Passes over a value that is not [#BYTES], also over a whole group.
    public void skip(int wire) {
        switch (wire) {
            case VARINT -> varint();
            case FIXED64 -> position += 8;
            case FIXED32 -> position += 4;
            case START_GROUP -> skipGroup();
            default -> throw new IndexOutOfBoundsException("no wire type " + wire);
        }
    }

    private void skipGroup() {
        for (int depth = 1; depth > 0; ) {
            int wire = (int) varint() & 7;
            if (wire == START_GROUP) {
                depth++;
            } else if (wire == END_GROUP) {
                depth--;
            } else if (wire == BYTES) {
                long length = length(bytes.byteSize());
                position += length;
            } else {
                skip(wire);
            }
            if (depth > MAX_DEPTH) {
                throw new IndexOutOfBoundsException("nested too deep");
            }
        }
    }

    /// Some of the bytes, not copied.
    public MemorySegment slice(long from, long length) {
        return bytes.asSlice(from, length);
    }

    /// Some of the bytes as UTF-8.
    public String text(long from, long length) {
        return new String(slice(from, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
}
