// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.ValueType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// How the stored values of a view come into a row's slots.
///
/// Threads: any; it does not change.
final class ViewSteps {
    final FeatureView view;
    final ViewLayout layout;

    /// The slot of the entity's key, and whether it is a text.
    private final int keySlot;

    private final boolean isTextKey;
    /// Of each field that a feature uses: its place in the view, its type, its slot, and its
    /// default.
    private final int[] fields;

    private final ValueType[] types;
    private final int[] slots;
    private final boolean[] hasDefault;
    private final long[] defaults;
    private final long ttlMicros;
    private final String staleExpectation;

    /// @param fields by place in the view, the slot or -1
    /// @param defaults by place in the view; [Constants#of] of each, null for none
    ViewSteps(FeatureView view, int keySlot, int[] fields, Long[] defaults) {
        this.view = view;
        this.layout = ViewLayout.of(view);
        this.keySlot = keySlot;
        this.isTextKey = view.entity().type() == ValueType.STRING;
        int count = 0;
        for (int slot : fields) {
            count += slot >= 0 ? 1 : 0;
        }
        this.fields = new int[count];
        types = new ValueType[count];
        slots = new int[count];
        hasDefault = new boolean[count];
        this.defaults = new long[count];
        int next = 0;
        for (int i = 0; i < fields.length; i++) {
            if (fields[i] >= 0) {
                this.fields[next] = i;
                types[next] = view.fields().get(i).type();
                slots[next] = fields[i];
                hasDefault[next] = defaults[i] != null;
                this.defaults[next++] = defaults[i] == null ? 0 : defaults[i];
            }
        }
        ttlMicros = view.ttl() == null
                ? Long.MAX_VALUE
                : view.ttl().toSeconds() * 1_000_000 + view.ttl().toNanosPart() / 1000;
        staleExpectation = "stored values that are at most " + ttlMicros + " microseconds old";
    }

    /// The slot of the entity's key.
    @Hot
    int keySlot() {
        return keySlot;
    }

    /// Marks its slots.
    @Hot
    void fix(boolean[] fixedSlots) {
        for (int slot : slots) {
            fixedSlots[slot] = true;
        }
    }

    /// Has the reader know which entity is looked for next.
    @Hot
    void expect(FeatureRow row, ViewReader reader) {
        if (!isTextKey && !row.nulls[keySlot]) {
            reader.expect(row.slots[keySlot]);
        }
    }

    /// Looks the entity up and takes what is known of it; whether the row is not rejected.
    @Hot
    boolean fetch(FeatureRow row, ViewReader reader) {
        if (row.nulls[keySlot]) {
            return missing(row);
        }
        boolean found = row.find(reader, keySlot, isTextKey);
        boolean unavailable = reader.isUnavailable();
        if (found) {
            return found(row, reader, unavailable);
        }
        return unavailable ? unavailable(row) : missing(row);
    }

    @Hot
    private boolean missing(FeatureRow row) {
        FeatureView.OnMissing policy = view.policies().onMissing();
        if (policy == FeatureView.OnMissing.REJECT) {
            return row.rejectInput(view.name(), "stored values of the entity", row.slots[keySlot], row.nulls[keySlot]);
        }
        substitute(row, policy == FeatureView.OnMissing.DEFAULT, FeatureStatus.NOT_FOUND, FeatureRow.NO_AGE);
        return true;
    }

    @Hot
    private boolean unavailable(FeatureRow row) {
        FeatureView.OnUnavailable policy = view.policies().onUnavailable();
        if (policy == FeatureView.OnUnavailable.REJECT) {
            return row.rejectInput(view.name(), "stored values of the entity", row.slots[keySlot], false);
        }
        boolean byDefaults = policy != FeatureView.OnUnavailable.NULL;
        substitute(row, byDefaults, FeatureStatus.UNAVAILABLE, FeatureRow.NO_AGE);
        return true;
    }

    /// @param unavailable whether the row is one that the store had before
    @Hot
    private boolean found(FeatureRow row, ViewReader reader, boolean unavailable) {
        long age = age(row.nowMicros, reader.eventTimeMicros());
        if (age <= ttlMicros) {
            take(row, reader, unavailable ? FeatureStatus.UNAVAILABLE : FeatureStatus.PRESENT, age);
            return true;
        }
        FeatureView.OnStale policy = view.policies().onStale();
        if (policy == FeatureView.OnStale.REJECT) {
            return row.rejectInput(view.name(), staleExpectation, age, false);
        }
        FeatureStatus status = unavailable ? FeatureStatus.UNAVAILABLE : FeatureStatus.OUTSIDE_MAX_AGE;
        if (policy == FeatureView.OnStale.SERVE_AND_FLAG) {
            take(row, reader, status, age);
        } else {
            substitute(row, policy == FeatureView.OnStale.DEFAULT, status, age);
        }
        return true;
    }

    /// How old something is; 0 if it is from the future.
    @Hot
    private static long age(long now, long then) {
        if (then >= now) {
            return 0;
        }
        long age = now - then;
        return age < 0 ? Long.MAX_VALUE : age;
    }

    @Hot
    private void substitute(FeatureRow row, boolean byDefaults, FeatureStatus status, long age) {
        for (int i = 0; i < slots.length; i++) {
            int slot = slots[i];
            row.nulls[slot] = !(byDefaults && hasDefault[i]);
            row.slots[slot] = defaults[i];
            row.slotStatus[slot] = status.code;
            row.slotAges[slot] = age;
        }
    }

    @Hot
    private void take(FeatureRow row, ViewReader reader, FeatureStatus status, long age) {
        MemorySegment memory = reader.memory();
        long start = reader.offset();
        FeatureStatus absent = status == FeatureStatus.PRESENT ? FeatureStatus.NULL_VALUE : status;
        for (int i = 0; i < slots.length; i++) {
            int slot = slots[i];
            int field = fields[i];
            boolean there = (memory.get(ValueLayout.JAVA_BYTE, start + (field >>> 3)) & 1 << (field & 7)) != 0;
            row.nulls[slot] = !there;
            if (there) {
                row.slots[slot] = value(row, types[i], memory, start, start + layout.offset(field));
            }
            row.slotStatus[slot] = there ? status.code : absent.code;
            row.slotAges[slot] = age;
        }
    }

    @Hot
    private static long value(FeatureRow row, ValueType type, MemorySegment memory, long start, long at) {
        switch (type) {
            case FLOAT32:
                return Double.doubleToRawLongBits((double) memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at));
            case INT32:
                return memory.get(ValueLayout.JAVA_INT_UNALIGNED, at);
            case BOOL:
                return memory.get(ValueLayout.JAVA_BYTE, at) != 0 ? 1 : 0;
            case STRING:
                return text(row, memory, start, at);
            default:
                return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        }
    }

    @Hot
    private static long text(FeatureRow row, MemorySegment memory, long start, long at) {
        int offset = memory.get(ValueLayout.JAVA_INT_UNALIGNED, at);
        int length = memory.get(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES);
        if (offset < 0 || length < 0 || length > FeatureRow.MAX_TEXT_BYTES) {
            throw new IllegalStateException("a stored text has offset " + offset + " and length " + length
                    + ", expected at most " + FeatureRow.MAX_TEXT_BYTES + " bytes");
        }
        return row.copied(memory, start + offset, length);
    }
}
