// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import dev.millrace.ort.ProtoCursor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/// Writes fields of protocol buffers. Threads: one.
final class ProtoWriter {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int MAX_HEAD_BYTES = 15;

    private final WritableByteChannel out;
    /// What is small is gathered here.
    private final ByteBuffer gathered = ByteBuffer.allocate(CHUNK_BYTES);

    ProtoWriter(WritableByteChannel out) {
        this.out = out;
    }

    /// Writes bytes as they are.
    void copy(MemorySegment bytes) throws IOException {
        for (long at = 0; at < bytes.byteSize(); at += CHUNK_BYTES) {
            long length = Math.min(CHUNK_BYTES, bytes.byteSize() - at);
            if (length > gathered.remaining()) {
                flush();
            }
            gathered.put(bytes.asSlice(at, length).asByteBuffer());
        }
    }

    /// Writes the tag and the length of a message.
    void head(int field, long length) throws IOException {
        if (gathered.remaining() < MAX_HEAD_BYTES) {
            flush();
        }
        varint(gathered, tag(field, ProtoCursor.BYTES));
        varint(gathered, length);
    }

    /// Hands on what was gathered.
    void flush() throws IOException {
        gathered.flip();
        while (gathered.hasRemaining()) {
            out.write(gathered);
        }
        gathered.clear();
    }

    /// How many bytes [#head(int, long)] writes.
    static int headSize(int field, long length) {
        return varintSize(tag(field, ProtoCursor.BYTES)) + varintSize(length);
    }

    static byte[] number(int field, long value) {
        long tag = tag(field, ProtoCursor.VARINT);
        ByteBuffer bytes = ByteBuffer.allocate(varintSize(tag) + varintSize(value));
        varint(bytes, tag);
        varint(bytes, value);
        return bytes.array();
    }

    static byte[] real(int field, float value) {
        long tag = tag(field, ProtoCursor.FIXED32);
        ByteBuffer bytes = ByteBuffer.allocate(varintSize(tag) + Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        varint(bytes, tag);
        return bytes.putFloat(value).array();
    }

    static byte[] real(int field, double value) {
        long tag = tag(field, ProtoCursor.FIXED64);
        ByteBuffer bytes = ByteBuffer.allocate(varintSize(tag) + Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        varint(bytes, tag);
        return bytes.putDouble(value).array();
    }

    static byte[] bytes(int field, byte[] value) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.addExact(headSize(field, value.length), value.length));
        varint(bytes, tag(field, ProtoCursor.BYTES));
        varint(bytes, value.length);
        return bytes.put(value).array();
    }

    static byte[] join(List<byte[]> parts) {
        int length = 0;
        for (byte[] part : parts) {
            length = Math.addExact(length, part.length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        parts.forEach(bytes::put);
        return bytes.array();
    }

    private static long tag(int field, int wire) {
        return (long) field << 3 | wire;
    }

    private static void varint(ByteBuffer bytes, long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes.put((byte) (rest | 0x80));
            rest >>>= 7;
        }
        bytes.put((byte) rest);
    }

    private static int varintSize(long value) {
        return (Long.SIZE - Long.numberOfLeadingZeros(value | 1) + 6) / 7;
    }
}
