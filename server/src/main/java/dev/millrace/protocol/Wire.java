// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A cursor over the bytes of one protobuf message, which lie where they were received: in one piece or in several.
///
/// What is read ends at a limit: the end of the message, or of the field that was entered. Threads: one. Ownership: the
/// bytes are somebody else's and have to stay there until [#close()].
public final class Wire implements BinaryBody {
    /// How a field's value is written: a number of 7 bits per byte.
    public static final int VARINT = 0;

    /// 8 bytes.
    public static final int FIXED64 = 1;

    /// A length and as many bytes.
    public static final int LENGTH = 2;

    /// 4 bytes.
    public static final int FIXED32 = 5;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int TYPE_BITS = 3;
    private static final int MAX_VARINT_BYTES = 10;

    private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
    private MemorySegment[] parts = new MemorySegment[4];
    /// Where each part begins, and the last one ends.
    private int[] starts = new int[5];
    private int count;
    private MemorySegment part = MemorySegment.NULL;
    private int partStart;
    private int partEnd;
    private int position;
    private int limit;

    /// Adds bytes to the end of the message that is given to it, before any is read.
    public void add(MemorySegment bytes) {
        grow();
        parts[count] = bytes;
        starts[count + 1] = Math.toIntExact(starts[count] + bytes.byteSize());
        count++;
    }

    private void grow() {
        if (count == parts.length) {
            parts = Arrays.copyOf(parts, 2 * count);
            starts = Arrays.copyOf(starts, 2 * count + 1);
        }
    }

    /// Begins to read what was added.
    public void open() {
        position = 0;
        limit = starts[count];
        part = MemorySegment.NULL;
        partStart = 0;
        partEnd = 0;
    }

    /// Forgets the message.
    void close() {
        Arrays.fill(parts, 0, count, null);
        count = 0;
        open();
    }

    @Override
    @Hot
    public int length() {
        return starts[count];
    }

    /// Where the next byte is.
    @Hot
    public int position() {
        return position;
    }

    /// Goes to another place, which ends at `end`.
    @Hot
    public void seek(int place, int end) {
        position = place;
        limit = end;
    }

    /// How many bytes there are up to the limit.
    @Hot
    int left() {
        return limit - position;
    }

    /// Where what is read ends.
    @Hot
    int limit() {
        return limit;
    }

    /// Goes on with what is behind the field that was entered.
    ///
    /// @param outer the limit before it
    @Hot
    public void leave(int outer) {
        position = limit;
        limit = outer;
    }

    /// Whether there is more before the limit.
    @Hot
    public boolean hasMore() {
        return position < limit;
    }

    @Hot
    private byte next() {
        if (position >= limit) {
            throw malformed("a field is cut off");
        }
        if (position >= partEnd || position < partStart) {
            find(position);
        }
        return part.get(BYTE, position++ - partStart);
    }

    @Hot
    private void find(int place) {
        int index = Arrays.binarySearch(starts, 0, count, place);
        index = index < 0 ? -index - 2 : index;
        // Empty parts share their beginning with the one that follows.
        while (starts[index + 1] <= place) {
            index++;
        }
        part = parts[index];
        partStart = starts[index];
        partEnd = starts[index + 1];
    }

    /// Reads a number of up to 64 bits.
    @Hot
    public long varint() {
        long value = next();
        if (value >= 0) {
            return value;
        }
        value &= 0x7F;
        for (int i = 1; i < MAX_VARINT_BYTES; i++) {
            long more = next();
            value |= (more & 0x7F) << (7 * i);
            if (more >= 0) {
                return value;
            }
        }
        throw malformed("a number has more than " + MAX_VARINT_BYTES + " bytes");
    }

    /// Reads what a field is: its number and how its value is written, see [#tag(int, int)].
    @Hot
    public int tag() {
        long tag = varint();
        if (tag <= 0 || tag > 0xFFFF_FFFFL || tag >>> TYPE_BITS == 0) {
            throw wrongNumber(tag >>> TYPE_BITS);
        }
        return (int) tag;
    }

    private Refusal wrongNumber(long number) {
        return malformed("a field has the number " + number);
    }

    /// A field's number and how its value is written.
    @Hot
    public static int tag(int number, int type) {
        return number << TYPE_BITS | type;
    }

    /// How the value of a field is written.
    @Hot
    static int type(int tag) {
        return tag & 7;
    }

    /// Reads a length, which the limit allows.
    @Hot
    public int size() {
        long size = varint();
        if (size < 0 || size > limit - position) {
            throw cutOff(size);
        }
        return (int) size;
    }

    private Refusal cutOff(long size) {
        int came = limit - position;
        return malformed("a field has " + Long.toUnsignedString(size) + " bytes of which " + came + " came");
    }

    /// Reads a length, and goes no further than so many bytes until [#leave(int)].
    ///
    /// @return the limit before
    @Hot
    public int enter() {
        int size = size();
        int outer = limit;
        limit = position + size;
        return outer;
    }

    /// Passes over the value of a field.
    @Hot
    public void skip(int tag) {
        switch (type(tag)) {
            case VARINT -> varint();
            case FIXED64 -> advance(Long.BYTES);
            case LENGTH -> advance(size());
            case FIXED32 -> advance(Integer.BYTES);
            default -> throw unknownType(type(tag));
        }
    }

    private Refusal unknownType(int type) {
        return malformed("a field is written in a way that is not known: " + type);
    }

    /// Passes over bytes.
    @Hot
    public void advance(int bytes) {
        if (bytes > limit - position) {
            throw malformed("a field is cut off");
        }
        position += bytes;
    }

    /// Reads 4 bytes.
    @Hot
    public int fixed32() {
        int at = position;
        advance(Integer.BYTES);
        return getInt(at);
    }

    /// Reads 8 bytes.
    @Hot
    public long fixed64() {
        return (fixed32() & 0xFFFF_FFFFL) | ((long) fixed32() << Integer.SIZE);
    }

    /// Whether there are these bytes.
    @Hot
    boolean is(int from, int size, byte[] expected) {
        if (size != expected.length) {
            return false;
        }
        for (int i = 0; i < size; i++) {
            if (byteAt(from + i) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    @Hot
    private byte byteAt(int index) {
        if (index >= partEnd || index < partStart) {
            find(index);
        }
        return part.get(BYTE, index - partStart);
    }

    @Override
    @Hot
    public int getInt(int index) {
        if (index >= partStart && index + Integer.BYTES <= partEnd) {
            return part.get(INT, index - partStart);
        }
        return (byteAt(index) & 0xFF)
                | ((byteAt(index + 1) & 0xFF) << 8)
                | ((byteAt(index + 2) & 0xFF) << 16)
                | (byteAt(index + 3) << 24);
    }

    @Override
    public void get(int index, byte[] target) {
        get(index, MemorySegment.ofArray(target), target.length);
    }

    @Override
    @Hot
    public void get(int index, MemorySegment target, int size) {
        get(index, target, 0, size);
    }

    /// Copies bytes to a place in `target`.
    @Hot
    void get(int index, MemorySegment target, long offset, int size) {
        int done = 0;
        while (done < size) {
            int at = index + done;
            if (at >= partEnd || at < partStart) {
                find(at);
            }
            int bytes = Math.min(size - done, partEnd - at);
            MemorySegment.copy(part, at - partStart, target, offset + done, bytes);
            done += bytes;
        }
    }

    /// A text.
    ///
    /// @param what whose text it is, for messages
    /// @throws Refusal if it is no UTF-8
    public String text(int from, int size, String what) {
        byte[] bytes = new byte[size];
        get(from, bytes);
        try {
            return utf8.decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException _) {
            throw Refusal.invalid(what + " is no UTF-8");
        }
    }

    /// What cannot be a message.
    private Refusal malformed(String problem) {
        return Refusal.invalid("malformed protobuf at byte " + position + ": " + problem);
    }
}
