// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// A row of a view where it lies in memory. A field that is null has zeros there.
///
/// Threads: as its memory. It owns nothing.
public final class Row {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final ViewSchema schema;
    private final MemorySegment segment;
    private final long offset;

    /// @param offset of the row in the segment, which has all of it
    Row(ViewSchema schema, MemorySegment segment, long offset) {
        this.schema = schema;
        this.segment = segment;
        this.offset = offset;
    }

    /// What it is laid out by.
    public ViewSchema schema() {
        return schema;
    }

    /// The memory that it is in.
    @Hot
    public MemorySegment segment() {
        return segment;
    }

    /// Where in the segment it begins.
    @Hot
    public long offset() {
        return offset;
    }

    /// When what it tells was so, in microseconds since 1970.
    @Hot
    public long eventTime() {
        return segment.get(LONG, offset + ViewSchema.EVENT_TIME);
    }

    /// When it could first have been known, in microseconds since 1970.
    @Hot
    public long availabilityTime() {
        return segment.get(LONG, offset + ViewSchema.AVAILABILITY_TIME);
    }

    /// Whether it says that the entity was deleted. Readers find no such rows.
    @Hot
    public boolean isDeletion() {
        return (segment.get(LONG, offset + ViewSchema.BITMAP) & 1) != 0;
    }

    /// Whether a field is null.
    @Hot
    public boolean isNull(int field) {
        int bit = field + 1;
        long word = segment.get(LONG, offset + ViewSchema.BITMAP + ((bit >> 6) << 3));
        return ((word >>> bit) & 1) != 0;
    }

    /// The value of a `float64`.
    @Hot
    public double getDouble(int field) {
        return segment.get(DOUBLE, at(field, FieldType.FLOAT64));
    }

    /// The value of a `float32`.
    @Hot
    public float getFloat(int field) {
        return segment.get(FLOAT, at(field, FieldType.FLOAT32));
    }

    /// The value of an `int64` or a `timestamp`.
    @Hot
    public long getLong(int field) {
        FieldType type = schema.type(field);
        return segment.get(LONG, at(field, type == FieldType.TIMESTAMP ? type : FieldType.INT64));
    }

    /// The value of an `int32`.
    @Hot
    public int getInt(int field) {
        return segment.get(INT, at(field, FieldType.INT32));
    }

    /// The value of a `bool`.
    @Hot
    public boolean getBoolean(int field) {
        return segment.get(ValueLayout.JAVA_BYTE, at(field, FieldType.BOOL)) != 0;
    }

    /// How many bytes of UTF-8 a string has.
    @Hot
    public int stringBytes(int field) {
        return Short.toUnsignedInt(segment.get(SHORT, at(field, FieldType.STRING)));
    }

    /// Where in [#segment()] the UTF-8 of a string begins.
    @Hot
    public long stringOffset(int field) {
        return at(field, FieldType.STRING) + Short.BYTES;
    }

    /// The value of a string, as a new object.
    public String getString(int field) {
        byte[] text = new byte[stringBytes(field)];
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, stringOffset(field), text, 0, text.length);
        return new String(text, StandardCharsets.UTF_8);
    }

    @Hot
    private long at(int field, FieldType type) {
        if (schema.type(field) != type) {
            throw new IllegalArgumentException(wrong(field, type));
        }
        return offset + schema.offset(field);
    }

    private String wrong(int field, FieldType type) {
        Field declared = schema.fields().get(field);
        return "field '" + declared.name() + "' of view '" + schema.name() + "' is " + declared.typeText()
                + ", but was read as " + type.word();
    }
}
