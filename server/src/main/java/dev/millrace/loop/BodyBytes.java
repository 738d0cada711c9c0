// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.protocol.BinaryBody;
import dev.millrace.protocol.BinaryOutputs;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Tensors as bytes of bodies: those of requests are copied from where the socket's bytes lie, those of answers to
/// where they go out from.
///
/// Threads: one. Ownership: the buffer stays its owner's.
public final class BodyBytes implements BinaryBody {
    private static final int PIECE_BYTES = 1 << 14;

    private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
    private int start;
    private int length;

    /// Stands for `count` bytes of a buffer from `index` on, until it is cleared.
    @Hot
    public BodyBytes of(ByteBuf bytes, int index, int count) {
        buffer = bytes;
        start = index;
        length = count;
        return this;
    }

    /// Lets go of the buffer.
    @Hot
    public void clear() {
        buffer = Unpooled.EMPTY_BUFFER;
        length = 0;
    }

    @Override
    @Hot
    public int length() {
        return length;
    }

    @Override
    @Hot
    public int getInt(int index) {
        return buffer.getIntLE(start + index);
    }

    @Override
    public void get(int index, byte[] target) {
        buffer.getBytes(start + index, target);
    }

    @Override
    @Hot
    public void get(int index, MemorySegment target, int count) {
        if (count == 0) {
            return;
        }
        if (buffer.nioBufferCount() == 1) {
            MemorySegment.copy(segment(buffer, start + index, count), 0, target, 0, count);
        } else {
            getPieces(start + index, target, count);
        }
    }

    private void getPieces(int index, MemorySegment target, int count) {
        buffer.getBytes(index, target.asSlice(0, count).asByteBuffer());
    }

    @Hot
    private static MemorySegment segment(ByteBuf bytes, int index, int count) {
        return MemorySegment.ofBuffer(bytes.internalNioBuffer(index, count));
    }

    /// Appends outputs to a buffer that has room for them.
    @Hot
    public static void append(ByteBuf target, BinaryOutputs outputs) {
        for (int i = 0; i < outputs.count(); i++) {
            Tensor tensor = outputs.tensor(i);
            if (tensor.datatype() == DataType.BYTES) {
                appendStrings(target, tensor);
            } else if (tensor.byteSize() > 0) {
                int at = target.writerIndex();
                int count = (int) tensor.byteSize();
                MemorySegment.copy(tensor.data(), 0, segment(target, at, count), 0, count);
                target.writerIndex(at + count);
            }
        }
    }

    @Hot
    private static void appendStrings(ByteBuf target, Tensor tensor) {
        for (int i = 0; i < tensor.elementCount(); i++) {
            byte[] text = tensor.getBytes(i);
            target.writeIntLE(text.length).writeBytes(text);
        }
    }

    /// Writes outputs to a stream.
    public static void write(OutputStream target, BinaryOutputs outputs) throws IOException {
        byte[] piece = new byte[PIECE_BYTES];
        for (int i = 0; i < outputs.count(); i++) {
            Tensor tensor = outputs.tensor(i);
            if (tensor.datatype() == DataType.BYTES) {
                writeStrings(target, tensor);
            }
            for (long at = 0; at < tensor.byteSize(); at += PIECE_BYTES) {
                int count = (int) Math.min(PIECE_BYTES, tensor.byteSize() - at);
                MemorySegment.copy(tensor.data(), ValueLayout.JAVA_BYTE, at, piece, 0, count);
                target.write(piece, 0, count);
            }
        }
    }

    private static void writeStrings(OutputStream target, Tensor tensor) throws IOException {
        for (int i = 0; i < tensor.elementCount(); i++) {
            byte[] text = tensor.getBytes(i);
            for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                target.write(text.length >>> shift);
            }
            target.write(text);
        }
    }
}
