// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Rows that are written together, of any views of one store. A row is begun, then its fields are
/// put; those that are not are null.
///
///     batch.row(view, customer, eventTime, availabilityTime).putDouble(0, 12.5).putString(1, "CH");
///
/// Threads: one. It may be written as often as is wanted; [#clear()] makes it empty again and keeps
/// its memory, which is on the heap.
public final class WriteBatch {
    /// The most bytes that the rows of a batch may take, with their keys.
    public static final int MAX_BYTES = 1 << 26;

    /// Before each row: the view's number, and how many bytes follow.
    static final int ENTRY_HEADER = 2 * Integer.BYTES;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private byte[] bytes = new byte[4096];
    private MemorySegment memory = MemorySegment.ofArray(bytes);
    private int length;
    private int rows;
    /// Of the row that was begun last.
    private ViewSchema schema;
    private int row = -1;
    private boolean deletion;

    /// Takes the rows of a batch.
    @FunctionalInterface
    public interface RowSink {
        /// Takes one.
        ///
        /// @param view the number of its view
        /// @param memory what the key and the row are in
        /// @param key where the key is: a long, or the length of a string in four bytes, and
        ///     its text
        /// @param row where the row is, laid out by the view's schema
        void accept(int view, MemorySegment memory, long key, long row);
    }

    /// Makes an empty one.
    public WriteBatch() {}

    /// Begins the row of an entity with an integer key.
    ///
    /// @param eventTime when what it tells was so, in microseconds since 1970
    /// @param availabilityTime when it could first have been known, in microseconds since 1970
    /// @throws IllegalArgumentException if the view's key is a string, or the batch is full
    public WriteBatch row(View view, long key, long eventTime, long availabilityTime) {
        begin(view, FieldType.INT64, eventTime, availabilityTime);
        memory.set(LONG, row - (long) schema.keyBytes(), key);
        return this;
    }

    /// Begins the row of an entity with a string key.
    ///
    /// @throws IllegalArgumentException if the view's key is an integer or takes less bytes, or
    ///     the batch is full
    public WriteBatch row(View view, String key, long eventTime, long availabilityTime) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        Field declared = view.schema().key();
        if (declared.type() == FieldType.STRING && text.length > declared.maxBytes()) {
            throw new IllegalArgumentException("the key '" + declared.name() + "' of view '"
                    + view.schema().name() + "' is " + text.length + " bytes long: '" + key + "', expected at most "
                    + declared.maxBytes());
        }
        begin(view, FieldType.STRING, eventTime, availabilityTime);
        long at = row - (long) schema.keyBytes();
        memory.set(INT, at, text.length);
        MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, at + Integer.BYTES, text.length);
        return this;
    }

    /// Has the entity of an integer key deleted, unless there is a newer row.
    public WriteBatch delete(View view, long key, long eventTime, long availabilityTime) {
        return row(view, key, eventTime, availabilityTime).asDeletion();
    }

    /// Has the entity of a string key deleted, unless there is a newer row.
    public WriteBatch delete(View view, String key, long eventTime, long availabilityTime) {
        return row(view, key, eventTime, availabilityTime).asDeletion();
    }

    private WriteBatch asDeletion() {
        long word = row + (long) ViewSchema.BITMAP;
        memory.set(LONG, word, memory.get(LONG, word) | 1);
        deletion = true;
        return this;
    }

    private void begin(View view, FieldType key, long eventTime, long availabilityTime) {
        ViewSchema next = view.schema();
        if (next.key().type() != key) {
            throw new IllegalArgumentException("the key '" + next.key().name() + "' of view '" + next.name() + "' is "
                    + next.key().typeText() + ", but was given as " + key.word());
        }
        int entry = ENTRY_HEADER + next.keyBytes() + next.rowBytes();
        reserve(entry);
        Arrays.fill(bytes, length, length + entry, (byte) 0);
        memory.set(INT, length, view.id());
        memory.set(INT, length + (long) Integer.BYTES, entry - ENTRY_HEADER);
        schema = next;
        row = length + ENTRY_HEADER + next.keyBytes();
        deletion = false;
        length += entry;
        rows++;
        memory.set(LONG, row + (long) ViewSchema.EVENT_TIME, eventTime);
        memory.set(LONG, row + (long) ViewSchema.AVAILABILITY_TIME, availabilityTime);
        setNulls();
    }

    private void setNulls() {
        int bits = schema.fields().size();
        for (int word = 0; word <= bits >> 6; word++) {
            int left = Math.min(Long.SIZE, bits + 1 - word * Long.SIZE);
            long nulls = left == Long.SIZE ? -1 : (1L << left) - 1;
            memory.set(LONG, row + ViewSchema.BITMAP + (long) word * Long.BYTES, word == 0 ? nulls & -2 : nulls);
        }
    }

    private void reserve(int more) {
        if (more > MAX_BYTES - length) {
            throw new IllegalArgumentException(
                    "the batch has " + length + " bytes and takes no more, at most " + MAX_BYTES);
        }
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, (int) Math.min(MAX_BYTES, 2L * bytes.length)));
            memory = MemorySegment.ofArray(bytes);
        }
    }

    /// Puts a `float64`.
    public WriteBatch putDouble(int field, double value) {
        memory.set(DOUBLE, place(field, FieldType.FLOAT64), value);
        return this;
    }

    /// Puts a `float32`.
    public WriteBatch putFloat(int field, float value) {
        memory.set(FLOAT, place(field, FieldType.FLOAT32), value);
        return this;
    }

    /// Puts an `int64`, or a `timestamp` in microseconds since 1970.
    public WriteBatch putLong(int field, long value) {
        boolean time = schema != null && schema.type(field) == FieldType.TIMESTAMP;
        memory.set(LONG, place(field, time ? FieldType.TIMESTAMP : FieldType.INT64), value);
        return this;
    }

    /// Puts an `int32`.
    public WriteBatch putInt(int field, int value) {
        memory.set(INT, place(field, FieldType.INT32), value);
        return this;
    }

    /// Puts a `bool`.
    public WriteBatch putBoolean(int field, boolean value) {
        memory.set(ValueLayout.JAVA_BYTE, place(field, FieldType.BOOL), (byte) (value ? 1 : 0));
        return this;
    }

    /// Puts a string.
    ///
    /// @throws IllegalArgumentException if it has more bytes than the field is declared for
    public WriteBatch putString(int field, String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        long at = place(field, FieldType.STRING);
        Field declared = schema.fields().get(field);
        if (text.length > declared.maxBytes()) {
            putNull(field);
            throw new IllegalArgumentException("field '" + declared.name() + "' of view '" + schema.name() + "' is "
                    + text.length + " bytes long: '" + value + "', expected at most " + declared.maxBytes());
        }
        // What a longer one before it left must not stay: equal rows have equal bytes.
        memory.asSlice(at, declared.bytes()).fill((byte) 0);
        memory.set(SHORT, at, (short) text.length);
        MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, at + Short.BYTES, text.length);
        return this;
    }

    /// Makes a field null again.
    public WriteBatch putNull(int field) {
        FieldType type = schema == null ? FieldType.INT64 : schema.type(field);
        long at = place(field, type);
        memory.asSlice(at, schema.fields().get(field).bytes()).fill((byte) 0);
        int bit = field + 1;
        long word = bitmapWord(bit);
        memory.set(LONG, word, memory.get(LONG, word) | 1L << bit);
        return this;
    }

    /// Where the field's value goes; it is not null from now on.
    private long place(int field, FieldType type) {
        if (row < 0 || deletion) {
            throw new IllegalStateException("no row was begun that takes fields");
        }
        if (schema.type(field) != type) {
            Field declared = schema.fields().get(field);
            throw new IllegalArgumentException("field '" + declared.name() + "' of view '" + schema.name() + "' is "
                    + declared.typeText() + ", but " + type.word() + " was put");
        }
        int bit = field + 1;
        long word = bitmapWord(bit);
        memory.set(LONG, word, memory.get(LONG, word) & ~(1L << bit));
        return (long) row + schema.offset(field);
    }

    private long bitmapWord(int bit) {
        return (long) row + ViewSchema.BITMAP + ((bit >> 6) << 3);
    }

    /// Makes it empty.
    public WriteBatch clear() {
        length = 0;
        rows = 0;
        row = -1;
        schema = null;
        return this;
    }

    /// How many rows it has.
    public int rows() {
        return rows;
    }

    /// How many bytes its rows take, with their keys.
    public int bytes() {
        return length;
    }

    /// Hands all rows out, in the order in which they were begun.
    ///
    /// @param store whose views they are of
    /// @throws IllegalArgumentException if one is of no view of the store
    public void forEach(FeatureStore store, RowSink sink) {
        Entries.forEach(memory, 0, length, store.views(), sink);
    }

    /// What its rows are in, from the first byte on.
    MemorySegment memory() {
        return memory;
    }
}
