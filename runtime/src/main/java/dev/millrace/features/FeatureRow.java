// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.ValueType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The raw values of one row for a plan, and what the plan found out about them. It is used again
/// and again: begin, set fields, [FeaturePlan#write], look at statuses. Nothing is allocated on the
/// way, except for texts that come as strings and for the room of longer texts than ever before.
///
/// Where many rows have values in common, as candidates have those of the one who chooses, these are
/// set first, then [FeaturePlan#fix] has what follows from them alone worked out once, and each row
/// begins with [#next()].
///
/// Threads: one at a time. Memory: on the heap; texts are copied in. Ownership: whoever made it
/// closes it, and with it the readers of stored values.
public final class FeatureRow implements AutoCloseable {
    /// The age of values that have none.
    public static final long NO_AGE = -1;

    /// The longest text in bytes.
    public static final int MAX_TEXT_BYTES = 1 << 16;

    private static final int FIRST_TEXT_BYTES = 256;

    final FeaturePlan plan;
    final ViewReader[] readers;
    /// Values by slot: a double's bits, a whole number, or where a text is and how long.
    final long[] slots;
    final boolean[] nulls;
    /// By slot the status, [FeatureStatus#code]: bytes, because collectors want to know of each
    /// reference that is stored.
    final byte[] slotStatus;
    final long[] slotAges;
    final double[] columns;
    /// The columns that are written, as floats.
    final float[] floats;

    long nowMicros;

    /// The value that the steps of a feature pass on.
    long bits;
    boolean missing;
    private byte status;
    private long age;
    private boolean anyNull;

    private FeatureSteps current;
    private byte[] text;
    private int textLength;
    /// How far the texts of the request go; those of stored values follow.
    private int requestTextEnd;

    private boolean begun;

    /// What is the same for all rows that follow: slots, views and features that are worked out.
    final boolean[] fixedSlots;

    final boolean[] fixedViews;
    final boolean[] fixedFeatures;
    private boolean anyFixed;
    private boolean fixedDegraded;
    private int fixedTextEnd;

    private final byte[] statuses;
    private final long[] ages;
    private boolean degraded;
    private final Rejection rejection = new Rejection();

    FeatureRow(FeaturePlan plan, ViewReader[] readers, int slotCount, int columnCount) {
        this.plan = plan;
        this.readers = readers;
        slots = new long[slotCount];
        nulls = new boolean[slotCount];
        slotStatus = new byte[slotCount];
        slotAges = new long[slotCount];
        columns = new double[columnCount];
        floats = new float[plan.width()];
        Arrays.fill(slotAges, NO_AGE);
        statuses = new byte[plan.features().length];
        ages = new long[statuses.length];
        fixedSlots = new boolean[slotCount];
        fixedViews = new boolean[readers.length];
        fixedFeatures = new boolean[statuses.length];
        text = Arrays.copyOf(plan.constants(), Math.max(FIRST_TEXT_BYTES, 2 * plan.constants().length));
    }

    /// Begins with a new row: all fields are null.
    ///
    /// @param nowMicros the time of the request, in microseconds since 1970
    @Hot
    public FeatureRow begin(long nowMicros) {
        this.nowMicros = nowMicros;
        for (int i = 0; i < plan.fieldCount(); i++) {
            nulls[i] = true;
            slotStatus[i] = FeatureStatus.NULL_VALUE.code;
        }
        if (plan.timeSlot() >= 0) {
            slots[plan.timeSlot()] = nowMicros;
        }
        textLength = plan.constants().length;
        requestTextEnd = textLength;
        begun = true;
        if (anyFixed) {
            Arrays.fill(fixedSlots, false);
            Arrays.fill(fixedViews, false);
            Arrays.fill(fixedFeatures, false);
            anyFixed = false;
        }
        fixedDegraded = false;
        reset();
        return this;
    }

    /// Begins with the next row of those that have what was fixed in common: all other fields are
    /// null.
    @Hot
    public FeatureRow next() {
        for (int i = 0; i < plan.fieldCount(); i++) {
            if (!fixedSlots[i]) {
                nulls[i] = true;
                slotStatus[i] = FeatureStatus.NULL_VALUE.code;
            }
        }
        textLength = fixedTextEnd;
        requestTextEnd = textLength;
        reset();
        return this;
    }

    /// Something is about to be fixed.
    @Hot
    void fixing() {
        enter();
        anyFixed = true;
    }

    /// What is there now stays for the rows that follow.
    @Hot
    void fixed() {
        fixedDegraded = degraded;
        fixedTextEnd = textLength;
        requestTextEnd = textLength;
    }

    @Hot
    private void reset() {
        degraded = fixedDegraded;
        rejection.clear();
        if (!anyFixed) {
            Arrays.fill(statuses, FeatureStatus.PRESENT.code);
            Arrays.fill(ages, NO_AGE);
            return;
        }
        for (int i = 0; i < statuses.length; i++) {
            if (!fixedFeatures[i]) {
                statuses[i] = FeatureStatus.PRESENT.code;
                ages[i] = NO_AGE;
            }
        }
    }

    /// Sets a field of numbers. Where whole ones are wanted it has to be one.
    ///
    /// @param field from [FeaturePlan#field]
    @Hot
    public FeatureRow set(int field, double value) {
        ValueType type = plan.type(field);
        if (type == ValueType.FLOAT64) {
            return put(field, Double.doubleToRawLongBits(value));
        }
        if (type == ValueType.FLOAT32) {
            return put(field, Double.doubleToRawLongBits((float) value));
        }
        if (value != Math.rint(value) || Math.abs(value) > 0x1p53 || type == ValueType.TIMESTAMP) {
            throw wrong(field, value);
        }
        return set(field, (long) value);
    }

    /// Sets a field of numbers; where truth values are wanted, 1 or 0; where times are,
    /// microseconds since 1970.
    @Hot
    public FeatureRow set(int field, long value) {
        switch (plan.type(field)) {
            case FLOAT64:
                return put(field, Double.doubleToRawLongBits((double) value));
            case FLOAT32:
                return put(field, Double.doubleToRawLongBits((double) (float) value));
            case INT32:
                if ((int) value != value) {
                    throw wrong(field, value);
                }
                return put(field, value);
            case BOOL:
                if ((value & ~1) != 0) {
                    throw wrong(field, value);
                }
                return put(field, value);
            case STRING:
                throw wrong(field, value);
            default:
                return put(field, value);
        }
    }

    /// Sets a field of truth values; where numbers are wanted it is 1 or 0.
    @Hot
    public FeatureRow set(int field, boolean value) {
        if (plan.type(field) == ValueType.TIMESTAMP) {
            throw wrong(field, value ? 1L : 0L);
        }
        return set(field, value ? 1L : 0L);
    }

    /// Sets a field of texts from bytes in UTF-8, which are copied.
    @Hot
    public FeatureRow set(int field, byte[] bytes, int offset, int length) {
        int start = room(field, length);
        System.arraycopy(bytes, offset, text, start, length);
        return put(field, (long) start << 32 | length);
    }

    /// Sets a field of texts from bytes in UTF-8, which are copied.
    @Hot
    public FeatureRow set(int field, MemorySegment bytes, long offset, int length) {
        int start = room(field, length);
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, text, start, length);
        return put(field, (long) start << 32 | length);
    }

    /// Sets a field of texts. Allocates.
    public FeatureRow set(int field, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return set(field, bytes, 0, bytes.length);
    }

    /// Sets a field to null, as it is in the beginning.
    @Hot
    public FeatureRow setNull(int field) {
        nulls[field] = true;
        slotStatus[field] = FeatureStatus.NULL_VALUE.code;
        return this;
    }

    @Hot
    private FeatureRow put(int field, long value) {
        slots[field] = value;
        nulls[field] = false;
        slotStatus[field] = FeatureStatus.PRESENT.code;
        return this;
    }

    @Hot
    private int room(int field, int length) {
        if (plan.type(field) != ValueType.STRING) {
            throw wrong(field, "a text");
        }
        if (length < 0 || length > MAX_TEXT_BYTES) {
            throw wrongLength(field, length);
        }
        int start = room(length);
        requestTextEnd = textLength;
        return start;
    }

    /// Where a text of so many bytes may go.
    @Hot
    private int room(int length) {
        int start = textLength;
        if (start + length > text.length) {
            grow(start + length);
        }
        textLength = start + length;
        return start;
    }

    private void grow(int needed) {
        text = Arrays.copyOf(text, Math.max(needed, 2 * text.length));
    }

    private IllegalArgumentException wrong(int field, double came) {
        return wrong(field, Double.toString(came));
    }

    private IllegalArgumentException wrong(int field, long came) {
        return wrong(field, Long.toString(came));
    }

    private IllegalArgumentException wrongLength(int field, int length) {
        return wrong(field, "a text of " + length + " bytes");
    }

    private IllegalArgumentException wrong(int field, String came) {
        return new IllegalArgumentException("field '" + plan.fieldName(field) + "' was given " + came + ", expected "
                + plan.type(field).word()
                + (plan.type(field) == ValueType.STRING ? " of at most " + MAX_TEXT_BYTES + " bytes" : ""));
    }

    /// Takes a text from a stored row, whose length has been looked at; returns its place.
    @Hot
    long copied(MemorySegment from, long offset, int length) {
        int start = room(length);
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, text, start, length);
        return (long) start << 32 | length;
    }

    /// Prepares for being worked on.
    @Hot
    void enter() {
        if (!begun) {
            throw new IllegalStateException("the row was not begun, expected begin(nowMicros) first");
        }
        textLength = requestTextEnd;
        reset();
    }

    /// Begins with a feature.
    @Hot
    void enter(FeatureSteps feature) {
        current = feature;
        status = FeatureStatus.PRESENT.code;
        anyNull = false;
        int[] inputs = feature.inputs;
        int first = inputs[0];
        for (int i = 0; i < inputs.length; i++) {
            byte next = slotStatus[inputs[i]];
            if (next != 0) {
                raise(next);
            }
        }
        age = slotAges[first];
        for (int i = 1; i < inputs.length; i++) {
            age = Math.max(age, slotAges[inputs[i]]);
        }
        bits = slots[first];
        missing = nulls[first];
    }

    /// Ends a feature's steps: what they gave is there for others, and in a column.
    @Hot
    void leave(FeatureSteps feature) {
        if (feature.result != ValueKind.VECTOR) {
            slots[feature.slot] = bits;
            nulls[feature.slot] = missing;
            slotStatus[feature.slot] = status;
            slotAges[feature.slot] = age;
            put(feature, feature.first, missing, feature.result == ValueKind.INTEGER, bits);
        }
    }

    /// Puts a value into a column.
    @Hot
    void put(FeatureSteps feature, int column, boolean isNull, boolean isWhole, long value) {
        if (!isNull) {
            columns[column] = isWhole ? (double) value : Double.longBitsToDouble(value);
        } else if (feature.hasDefault) {
            columns[column] = feature.fallback;
            raise(FeatureStatus.DEFAULTED);
        } else {
            columns[column] = Double.NaN;
            anyNull = true;
        }
    }

    /// Puts the feature's default into all of its columns.
    @Hot
    void putDefault(FeatureSteps feature) {
        for (int column = 0; column < feature.width; column++) {
            columns[feature.first + column] = feature.fallback;
        }
        anyNull = false;
        raise(FeatureStatus.DEFAULTED);
    }

    /// Whether one of the feature's values is null and stays so.
    @Hot
    boolean anyNull() {
        return anyNull;
    }

    /// Notes what the feature has become.
    @Hot
    void conclude(FeatureSteps feature) {
        statuses[feature.index] = status;
        ages[feature.index] = age;
    }

    @Hot
    void becomeMissing() {
        missing = true;
        raise(FeatureStatus.NULL_VALUE);
    }

    @Hot
    void raise(FeatureStatus next) {
        raise(next.code);
    }

    @Hot
    private void raise(byte next) {
        if (next > status) {
            status = next;
        }
        degraded |= (FeatureStatus.DEGRADING >>> next & 1) != 0;
    }

    /// Says in the feature's indicator column whether a value was missing.
    @Hot
    void indicate(int column, boolean isMissing) {
        columns[current.first + column] = isMissing ? 1 : 0;
    }

    /// Rejects the row for the value that the feature has come to.
    @Hot
    boolean reject(String expectation, ValueKind kind) {
        rejection.set(current.feature.name(), expectation, kind, bits);
        rejection.isNull = missing;
        return false;
    }

    /// Rejects the row for the value of a column.
    @Hot
    boolean rejectColumn(String expectation, double value, boolean isNull) {
        rejection.set(current.feature.name(), expectation, ValueKind.NUMBER, Double.doubleToRawLongBits(value));
        rejection.isNull = isNull;
        return false;
    }

    /// Rejects the row for what is no feature's.
    @Hot
    boolean rejectInput(String name, String expectation, long value, boolean isNull) {
        rejection.set(name, expectation, ValueKind.INTEGER, value);
        rejection.isNull = isNull;
        return false;
    }

    /// The place of the value, a text, among others; -1 if it is none of them.
    @Hot
    int find(TextIndex texts) {
        return texts.find(text, (int) (bits >>> 32), (int) bits);
    }

    /// Whether two texts are the same.
    @Hot
    boolean isSame(long place, long other) {
        int length = (int) place;
        int from = (int) (place >>> 32);
        int otherFrom = (int) (other >>> 32);
        return length == (int) other && Arrays.equals(text, from, from + length, text, otherFrom, otherFrom + length);
    }

    /// The hash of the value, a text.
    @Hot
    int hash(int seed) {
        return hash(bits, seed);
    }

    @Hot
    int hash(long place, int seed) {
        return Murmur3.hash(text, (int) (place >>> 32), (int) place, seed);
    }

    /// Looks for the entity whose key a slot has.
    @Hot
    boolean find(ViewReader reader, int slot, boolean isText) {
        long key = slots[slot];
        return isText ? reader.find(text, (int) (key >>> 32), (int) key) : reader.find(key);
    }

    /// How a feature came to its value, by its place in the specification.
    @Hot
    public FeatureStatus status(int feature) {
        return FeatureStatus.ALL[statuses[feature]];
    }

    /// How old the stored values are that a feature was made of, the oldest one's, in microseconds;
    /// [#NO_AGE] if none was found.
    @Hot
    public long ageMicros(int feature) {
        return ages[feature];
    }

    /// Whether something was not as it should be: a value was stale, not found or invalid, or a
    /// default was used.
    @Hot
    public boolean isDegraded() {
        return degraded;
    }

    /// Whether the row was rejected.
    @Hot
    public boolean isRejected() {
        return rejection.name != null;
    }

    /// What the row was rejected for: the feature, what came and what was expected; null if it was
    /// not.
    public String problem() {
        return rejection.name == null
                ? null
                : rejection.name + ": " + (rejection.isNull ? "null" : shown(rejection.kind, rejection.bits))
                        + " came, expected " + rejection.expectation;
    }

    @Override
    public void close() {
        for (ViewReader reader : readers) {
            reader.close();
        }
    }

    /// What the texts of values are in.
    byte[] texts() {
        return text;
    }

    /// A value as a text.
    String shown(ValueKind kind, long value) {
        return switch (kind) {
            case NUMBER -> Double.toString(Double.longBitsToDouble(value));
            case TEXT -> "'" + new String(text, (int) (value >>> 32), (int) value, StandardCharsets.UTF_8) + "'";
            default -> Long.toString(value);
        };
    }

    /// Why a row was rejected, kept until somebody asks.
    private static final class Rejection {
        String name;
        String expectation;
        ValueKind kind;
        long bits;
        boolean isNull;

        @Hot
        void clear() {
            name = null;
        }

        @Hot
        void set(String ofName, String ofExpectation, ValueKind ofKind, long ofBits) {
            name = ofName;
            expectation = ofExpectation;
            kind = ofKind;
            bits = ofBits;
        }
    }
}
