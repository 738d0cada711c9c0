// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.FeastFormatException;
import dev.millrace.feast.FeastRow;
import dev.millrace.feast.UnixTime;
import dev.millrace.features.FeatureRow;
import dev.millrace.features.ViewLayout;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// Lays stored values out as plans want them.
final class RowLayout {
    private static final long MICROS = 1_000_000;

    private RowLayout() {}

    /// @throws FeastFormatException if a value is of another type than the view declares
    static MemorySegment of(FeatureView view, ViewLayout layout, FeastRow row) {
        int count = view.fields().size();
        Object[] values = new Object[count];
        int bytes = layout.byteSize();
        for (int i = 0; i < count; i++) {
            Object value = value(view, i, row.value(i));
            values[i] = value;
            bytes += value instanceof byte[] text ? text.length : 0;
        }
        MemorySegment memory = MemorySegment.ofArray(new byte[bytes]);
        int end = layout.byteSize();
        for (int i = 0; i < count; i++) {
            if (values[i] != null) {
                long bit = i / Byte.SIZE;
                memory.set(ValueLayout.JAVA_BYTE, bit, (byte) (memory.get(ValueLayout.JAVA_BYTE, bit) | 1 << i % 8));
                end = put(memory, layout.offset(i), end, values[i]);
            }
        }
        return memory;
    }

    /// Puts a value; where the texts end then.
    private static int put(MemorySegment memory, long at, int end, Object value) {
        switch (value) {
            case Double real -> memory.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, real);
            case Float real -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, real);
            case Long number -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, number);
            case Integer number -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, number);
            case Boolean truth -> memory.set(ValueLayout.JAVA_BYTE, at, (byte) (truth ? 1 : 0));
            default -> {
                byte[] text = (byte[]) value;
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES, text.length);
                MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, end, text.length);
                return end + text.length;
            }
        }
        return end;
    }

    /// A value as the declared type has it: whole numbers and floats are widened, nothing is rounded but a whole number
    /// where a double is declared.
    private static Object value(FeatureView view, int field, Object stored) {
        FieldSpec spec = view.fields().get(field);
        Object value = stored == null
                ? null
                : switch (spec.type()) {
                    case FLOAT64 ->
                        stored instanceof Number number && isReal(stored) ? (Object) number.doubleValue() : null;
                    case FLOAT32 -> stored instanceof Float ? stored : null;
                    case INT64 ->
                        stored instanceof Long || stored instanceof Integer ? ((Number) stored).longValue() : null;
                    case INT32 -> stored instanceof Integer ? stored : null;
                    case BOOL -> stored instanceof Boolean ? stored : null;
                    case STRING -> stored instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : null;
                    case TIMESTAMP -> stored instanceof UnixTime(long seconds) ? micros(seconds) : null;
                };
        boolean tooLong = value instanceof byte[] text && text.length > FeatureRow.MAX_TEXT_BYTES;
        if ((value == null && stored != null) || tooLong) {
            throw new FeastFormatException("field '" + spec.name() + "' of view '" + view.name() + "' is "
                    + stored.getClass().getSimpleName() + " in the store, expected "
                    + spec.type().word()
                    + (tooLong ? " of at most " + FeatureRow.MAX_TEXT_BYTES + " bytes" : ""));
        }
        return value;
    }

    /// Null if it is too far away.
    private static Long micros(long seconds) {
        return Math.abs(seconds) > Long.MAX_VALUE / MICROS ? null : (Long) (seconds * MICROS);
    }

    private static boolean isReal(Object stored) {
        return stored instanceof Double
                || stored instanceof Float
                || stored instanceof Long
                || stored instanceof Integer;
    }
}
