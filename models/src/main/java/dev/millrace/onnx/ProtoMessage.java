// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import dev.millrace.ort.ProtoCursor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.ObjLongConsumer;

/// A message of a protocol buffer that can be changed in places and keeps the rest byte by byte: the order of fields,
/// fields that nobody knows, lengths that are written longer than they need be.
///
/// It is a list of runs, consecutive fields of the same number. Runs and the messages in them are found when they are
/// asked for; what was not asked for, and what was not changed, is copied from the file as it is.
///
/// Threads: one. Ownership: the bytes belong to the file, which has to be open.
public final class ProtoMessage {
    /// What a run or a message takes of the heap, with its places in lists; rounded up.
    private static final int OBJECT_BYTES = 96;
    /// What a string takes besides its characters.
    private static final int STRING_BYTES = 56;
    /// No array is longer.
    private static final int MAX_LENGTH = Integer.MAX_VALUE - 8;

    private static final ProtoMessage[] NONE = {};

    /// Consecutive fields of one number and one wire type.
    private static final class Run {
        private final int number;
        private final int wire;
        /// Where they are in the file, tags included; of no meaning for what was made here.
        private final long start;

        private long end;
        /// The messages in them, once they were asked for.
        private ProtoMessage[] messages;
        /// The fields as they were made here; null for those of the file.
        private final byte[] made;

        private Run(int number, int wire, long start, long end, byte[] made) {
            this.number = number;
            this.wire = wire;
            this.start = start;
            this.end = end;
            this.made = made;
        }

        boolean isChanged() {
            return made != null
                    || start < 0
                    || (messages != null && Arrays.stream(messages).anyMatch(ProtoMessage::isChanged));
        }
    }

    private final Source source;
    private final int depth;
    /// The whole field in the file, from its tag; below 0 if it was made here.
    private final long fieldStart;

    private final long start;
    private final long end;
    private List<Run> runs;
    private boolean changed;

    private ProtoMessage(Source source, int depth, long fieldStart, long start, long end) {
        this.source = source;
        this.depth = depth;
        this.fieldStart = fieldStart;
        this.start = start;
        this.end = end;
        if (depth > ProtoCursor.MAX_DEPTH) {
            throw new InvalidModelException("its messages are nested deeper than " + ProtoCursor.MAX_DEPTH);
        }
    }

    /// The outermost message of a file.
    static ProtoMessage root(Source source) {
        return new ProtoMessage(source, 0, 0, 0, source.bytes().byteSize());
    }

    /// A message without fields.
    public ProtoMessage() {
        this(new Source(MemorySegment.NULL), 0, -1, 0, 0);
        changed = true;
    }

    private ProtoCursor cursor(Run run) {
        MemorySegment bytes = run.made == null ? source.bytes() : MemorySegment.ofArray(run.made);
        ProtoCursor cursor = new ProtoCursor(bytes);
        cursor.position(run.made == null ? run.start : 0);
        return cursor;
    }

    private static long end(Run run) {
        return run.made == null ? run.end : run.made.length;
    }

    private List<Run> runs() {
        if (runs == null) {
            runs = scan();
        }
        return runs;
    }

    private List<Run> scan() {
        List<Run> found = new ArrayList<>();
        ProtoCursor cursor = new ProtoCursor(source.bytes());
        cursor.position(start);
        Run last = null;
        while (cursor.position() < end) {
            long at = cursor.position();
            try {
                long tag = cursor.varint();
                int wire = (int) tag & 7;
                long number = tag >>> 3;
                if (number == 0 || number > Integer.MAX_VALUE >>> 2) {
                    throw new IndexOutOfBoundsException("a field of number " + number);
                }
                skipValue(cursor, wire, end);
                if (last == null || last.number != number || last.wire != wire) {
                    source.spend(OBJECT_BYTES);
                    last = new Run((int) number, wire, at, at, null);
                    found.add(last);
                }
                last.end = cursor.position();
            } catch (IndexOutOfBoundsException e) {
                throw new InvalidModelException(
                        "the file is cut off or damaged: no field fits at byte " + at + " of a message that ends at "
                                + end,
                        e);
            }
        }
        return found;
    }

    private static void skipValue(ProtoCursor cursor, int wire, long end) {
        if (wire == ProtoCursor.BYTES) {
            long length = cursor.length(end);
            cursor.position(cursor.position() + length);
        } else {
            cursor.skip(wire);
        }
        if (cursor.position() > end) {
            throw new IndexOutOfBoundsException("a value beyond its message");
        }
    }

    /// What is done with the values of a field, one after the other.
    private interface Visitor {
        /// @param cursor at the value, behind its length
        /// @param valueEnd where it ends
        void visit(ProtoCursor cursor, MemorySegment bytes, long valueEnd);
    }

    private void visit(int field, int wire, Visitor visitor) {
        for (Run run : runs()) {
            if (run.number == field && run.wire == wire) {
                visit(run, visitor);
            }
        }
    }

    private void visit(Run run, Visitor visitor) {
        if (run.made == null ? run.isChanged() : isEdited(run)) {
            throw new IllegalStateException("field " + run.number + " was changed as messages");
        }
        ProtoCursor cursor = cursor(run);
        try {
            visit(run, cursor, visitor);
        } catch (IndexOutOfBoundsException e) {
            // Fields were found to fit, but what is in them is looked at here first.
            throw new InvalidModelException(
                    "the file is cut off or damaged: a value of field " + run.number + " of a message does not fit it,"
                            + " at byte " + cursor.position(),
                    e);
        }
    }

    private void visit(Run run, ProtoCursor cursor, Visitor visitor) {
        MemorySegment bytes = run.made == null ? source.bytes() : MemorySegment.ofArray(run.made);
        long runEnd = end(run);
        while (cursor.position() < runEnd) {
            cursor.varint();
            long next;
            if (run.wire == ProtoCursor.BYTES) {
                long length = cursor.length(runEnd);
                next = cursor.position() + length;
            } else {
                long at = cursor.position();
                cursor.skip(run.wire);
                next = cursor.position();
                cursor.position(at);
            }
            visitor.visit(cursor, bytes, next);
            cursor.position(next);
        }
    }

    /// Whether there is a field of this number.
    public boolean has(int field) {
        return runs().stream().anyMatch(run -> run.number == field);
    }

    /// A whole number, the last if there are several.
    public long number(int field, long otherwise) {
        long[] value = {otherwise};
        visit(field, ProtoCursor.VARINT, (cursor, _, _) -> value[0] = cursor.varint());
        return value[0];
    }

    /// A float, the last if there are several.
    public float real(int field, float otherwise) {
        float[] value = {otherwise};
        visit(
                field,
                ProtoCursor.FIXED32,
                (cursor, bytes, _) ->
                        value[0] = Float.intBitsToFloat(bytes.get(ValueLayout.JAVA_INT_UNALIGNED, cursor.position())));
        return value[0];
    }

    /// Text, the last if there are several, empty if there is none.
    public String text(int field) {
        long[] place = {-1, 0};
        MemorySegment[] in = new MemorySegment[1];
        visit(field, ProtoCursor.BYTES, (cursor, bytes, valueEnd) -> {
            place[0] = cursor.position();
            place[1] = valueEnd;
            in[0] = bytes;
        });
        return in[0] == null ? "" : string(in[0], place[0], place[1]);
    }

    /// All texts of a field.
    public List<String> texts(int field) {
        List<String> texts = new ArrayList<>();
        visit(
                field,
                ProtoCursor.BYTES,
                (cursor, bytes, valueEnd) -> texts.add(string(bytes, cursor.position(), valueEnd)));
        return texts;
    }

    private String string(MemorySegment bytes, long from, long to) {
        if (from == to) {
            source.spend(Long.BYTES);
            return "";
        }
        // The bytes, the characters, and perhaps two bytes for each.
        source.spend(STRING_BYTES + 3 * (to - from));
        if (to - from > MAX_LENGTH) {
            throw new InvalidModelException("a text of " + (to - from) + " bytes");
        }
        return new String(bytes.asSlice(from, to - from).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /// The bytes of a field, the last if there are several; not copied.
    public Optional<MemorySegment> bytes(int field) {
        MemorySegment[] value = new MemorySegment[1];
        visit(
                field,
                ProtoCursor.BYTES,
                (cursor, bytes, valueEnd) -> value[0] = bytes.asSlice(cursor.position(), valueEnd - cursor.position()));
        return Optional.ofNullable(value[0]);
    }

    /// How many values a field of whole numbers has, be they written one by one or together.
    public long count(int field) {
        long[] count = {0};
        visit(field, ProtoCursor.VARINT, (_, _, _) -> count[0]++);
        visit(field, ProtoCursor.BYTES, (cursor, _, valueEnd) -> {
            while (cursor.position() < valueEnd) {
                cursor.varint();
                count[0]++;
            }
            requireEnd(cursor, valueEnd);
        });
        return count[0];
    }

    /// How many values a field has whose values all take as many bytes, be they written one by one or together.
    public long count(int field, int valueBytes) {
        long[] count = {0};
        visit(field, valueBytes == Float.BYTES ? ProtoCursor.FIXED32 : ProtoCursor.FIXED64, (_, _, _) -> count[0]++);
        visit(field, ProtoCursor.BYTES, (cursor, _, valueEnd) -> {
            count[0] += (valueEnd - cursor.position()) / valueBytes;
            cursor.position(valueEnd);
        });
        return count[0];
    }

    /// Tells the length of each text or bytes of a field.
    void eachBytes(int field, LongConsumer length) {
        visit(field, ProtoCursor.BYTES, (cursor, _, valueEnd) -> length.accept(valueEnd - cursor.position()));
    }

    /// Accounts for what is made of this message on the heap.
    public void spend(long heapBytes) {
        source.spend(heapBytes);
    }

    /// How many fields of texts, bytes or messages there are.
    public long fields(int field) {
        long[] count = {0};
        visit(field, ProtoCursor.BYTES, (_, _, _) -> count[0]++);
        return count[0];
    }

    /// All whole numbers of a field, be they written one by one or together.
    public long[] numbers(int field) {
        long count = count(field);
        source.spend(Math.addExact(16, Math.multiplyExact(count, Long.BYTES)));
        long[] values = new long[length(field, count)];
        int[] at = {0};
        for (Run run : runs()) {
            if (run.number == field && (run.wire == ProtoCursor.VARINT || run.wire == ProtoCursor.BYTES)) {
                visit(run, (cursor, _, valueEnd) -> {
                    while (cursor.position() < valueEnd) {
                        values[at[0]++] = cursor.varint();
                    }
                });
            }
        }
        return values;
    }

    /// All floats of a field, be they written one by one or together.
    public float[] reals(int field) {
        long count = count(field, Float.BYTES);
        source.spend(Math.addExact(16, Math.multiplyExact(count, Float.BYTES)));
        float[] values = new float[length(field, count)];
        int[] at = {0};
        eachFixed(
                field,
                ProtoCursor.FIXED32,
                Float.BYTES,
                (bytes, p) -> values[at[0]++] = Float.intBitsToFloat(bytes.get(ValueLayout.JAVA_INT_UNALIGNED, p)));
        return values;
    }

    /// All doubles of a field, be they written one by one or together.
    public double[] doubles(int field) {
        long count = count(field, Double.BYTES);
        source.spend(Math.addExact(16, Math.multiplyExact(count, Double.BYTES)));
        double[] values = new double[length(field, count)];
        int[] at = {0};
        eachFixed(
                field,
                ProtoCursor.FIXED64,
                Double.BYTES,
                (bytes, p) -> values[at[0]++] = Double.longBitsToDouble(bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, p)));
        return values;
    }

    private void eachFixed(int field, int wire, int valueBytes, ObjLongConsumer<MemorySegment> value) {
        for (Run run : runs()) {
            if (run.number == field && (run.wire == wire || run.wire == ProtoCursor.BYTES)) {
                visit(run, (cursor, bytes, valueEnd) -> {
                    for (long p = cursor.position(); p + valueBytes <= valueEnd; p += valueBytes) {
                        value.accept(bytes, p);
                    }
                });
            }
        }
    }

    /// The length of an array for so many values.
    private static int length(int field, long count) {
        if (count > MAX_LENGTH) {
            throw new InvalidModelException(
                    "field " + field + " of a message has " + count + " values, expected " + MAX_LENGTH + " at most");
        }
        return (int) count;
    }

    private static void requireEnd(ProtoCursor cursor, long end) {
        if (cursor.position() != end) {
            throw new InvalidModelException("a number goes on behind the end of its field, at byte " + end);
        }
    }

    /// The message that a field is, if it is there.
    public Optional<ProtoMessage> message(int field) {
        List<ProtoMessage> all = messages(field);
        if (all.size() > 1) {
            throw new InvalidModelException(
                    "field " + field + " of a message is there " + all.size() + " times, expected once");
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getFirst());
    }

    /// The messages that the fields of a number are. To change one changes this message.
    public List<ProtoMessage> messages(int field) {
        List<ProtoMessage> all = new ArrayList<>();
        for (Run run : runs()) {
            if (run.number == field && run.wire == ProtoCursor.BYTES) {
                all.addAll(List.of(messages(run)));
            }
        }
        return all;
    }

    private ProtoMessage[] messages(Run run) {
        if (run.messages == null) {
            List<ProtoMessage> found = new ArrayList<>();
            Source from = run.made == null ? source : new Source(MemorySegment.ofArray(run.made));
            long[] fieldStart = {run.made == null ? run.start : 0};
            visit(run, (cursor, _, valueEnd) -> {
                source.spend(OBJECT_BYTES);
                found.add(new ProtoMessage(from, depth + 1, fieldStart[0], cursor.position(), valueEnd));
                fieldStart[0] = valueEnd;
            });
            run.messages = found.toArray(NONE);
        }
        return run.messages;
    }

    /// Sets a whole number; others of the same field go.
    public ProtoMessage setNumber(int field, long value) {
        return replace(field, ProtoCursor.VARINT, ProtoWriter.number(field, value));
    }

    /// Sets a float; others of the same field go.
    public ProtoMessage setReal(int field, float value) {
        return replace(field, ProtoCursor.FIXED32, ProtoWriter.real(field, value));
    }

    /// Sets a text; others of the same field go.
    public ProtoMessage setText(int field, String value) {
        return setTexts(field, List.of(value));
    }

    /// Sets all texts of a field.
    public ProtoMessage setTexts(int field, Collection<String> values) {
        List<byte[]> fields = new ArrayList<>();
        values.forEach(value -> fields.add(ProtoWriter.bytes(field, value.getBytes(StandardCharsets.UTF_8))));
        return replace(field, ProtoCursor.BYTES, ProtoWriter.join(fields));
    }

    /// Sets bytes; others of the same field go.
    public ProtoMessage setBytes(int field, byte[] value) {
        return replace(field, ProtoCursor.BYTES, ProtoWriter.bytes(field, value));
    }

    /// Sets all whole numbers of a field, one by one as ONNX has them.
    public ProtoMessage setNumbers(int field, long... values) {
        List<byte[]> fields = new ArrayList<>();
        for (long value : values) {
            fields.add(ProtoWriter.number(field, value));
        }
        return replace(field, ProtoCursor.VARINT, ProtoWriter.join(fields));
    }

    /// Sets all floats of a field, one by one as ONNX has them.
    public ProtoMessage setReals(int field, float... values) {
        List<byte[]> fields = new ArrayList<>();
        for (float value : values) {
            fields.add(ProtoWriter.real(field, value));
        }
        return replace(field, ProtoCursor.FIXED32, ProtoWriter.join(fields));
    }

    /// Sets all doubles of a field, one by one as ONNX has them.
    public ProtoMessage setDoubles(int field, double... values) {
        List<byte[]> fields = new ArrayList<>();
        for (double value : values) {
            fields.add(ProtoWriter.real(field, value));
        }
        return replace(field, ProtoCursor.FIXED64, ProtoWriter.join(fields));
    }

    /// Takes all fields of a number out.
    public ProtoMessage clear(int field) {
        return replace(field, ProtoCursor.BYTES, new byte[0]);
    }

    /// Sets all messages of a field; they may be from here, from elsewhere, or new, and are written where the first of
    /// the field was. Those from another file need it to be open until this one is written.
    public ProtoMessage setMessages(int field, List<ProtoMessage> messages) {
        Run run = new Run(field, ProtoCursor.BYTES, -1, -1, null);
        run.messages = messages.toArray(NONE);
        return put(field, messages.isEmpty() ? null : run);
    }

    private ProtoMessage replace(int field, int wire, byte[] made) {
        return put(field, made.length == 0 ? null : new Run(field, wire, -1, -1, made));
    }

    /// Puts a run where the first of its number was, or where its number has its place.
    private ProtoMessage put(int field, Run run) {
        List<Run> all = new ArrayList<>(runs());
        int place = 0;
        while (place < all.size() && all.get(place).number != field) {
            place++;
        }
        boolean isNew = place == all.size();
        for (int i = 0; isNew && i < all.size(); i++) {
            if (all.get(i).number > field) {
                place = i;
                break;
            }
        }
        all.removeIf(other -> other.number == field);
        if (run != null) {
            all.add(place, run);
        }
        runs = all;
        changed = true;
        return this;
    }

    /// Whether it would be written otherwise than it was read.
    public boolean isChanged() {
        return changed || (runs != null && runs.stream().anyMatch(Run::isChanged));
    }

    /// How many bytes it takes, without its tag and length.
    public long byteSize() {
        if (!isChanged()) {
            return end - start;
        }
        long size = 0;
        for (Run run : runs()) {
            size = Math.addExact(size, size(run));
        }
        return size;
    }

    private long size(Run run) {
        if (run.made != null && !isEdited(run)) {
            return run.made.length;
        }
        if (!run.isChanged()) {
            return run.end - run.start;
        }
        long size = 0;
        for (ProtoMessage message : run.messages) {
            size = Math.addExact(size, message.fieldSize(run.number, this));
        }
        return size;
    }

    private static boolean isEdited(Run run) {
        return run.messages != null && Arrays.stream(run.messages).anyMatch(ProtoMessage::isChanged);
    }

    /// Whether the field can be copied with its tag and length as they are in the file.
    private boolean isVerbatim(ProtoMessage parent) {
        return fieldStart >= 0 && source == parent.source && !isChanged();
    }

    private long fieldSize(int number, ProtoMessage parent) {
        long size = byteSize();
        return isVerbatim(parent) ? end - fieldStart : Math.addExact(size, ProtoWriter.headSize(number, size));
    }

    /// Writes it, without a tag and a length.
    void write(ProtoWriter out) throws IOException {
        if (!isChanged()) {
            out.copy(source.bytes().asSlice(start, end - start));
            return;
        }
        for (Run run : runs()) {
            if (run.made != null && !isEdited(run)) {
                out.copy(MemorySegment.ofArray(run.made));
            } else if (!run.isChanged()) {
                out.copy(source.bytes().asSlice(run.start, run.end - run.start));
            } else {
                for (ProtoMessage message : run.messages) {
                    message.writeField(out, run.number, this);
                }
            }
        }
    }

    private void writeField(ProtoWriter out, int number, ProtoMessage parent) throws IOException {
        if (isVerbatim(parent)) {
            out.copy(source.bytes().asSlice(fieldStart, end - fieldStart));
        } else {
            out.head(number, byteSize());
            write(out);
        }
    }
}
