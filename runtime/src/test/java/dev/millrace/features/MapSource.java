// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/// Stored values in maps, laid out as plans want them. Rows do not begin at the memory's beginning.
final class MapSource implements FeatureSource {
    private static final int BEFORE = 24;

    private final Map<String, Map<Object, StoredRow>> store;

    MapSource(Map<String, Map<Object, StoredRow>> store) {
        this.store = store;
    }

    /// A row as it lies in memory, after some bytes.
    static MemorySegment laidOut(FeatureView view, ViewLayout layout, Map<String, Object> values) {
        int texts = values.values().stream()
                .mapToInt(value -> value instanceof String text ? text.getBytes(StandardCharsets.UTF_8).length : 0)
                .sum();
        MemorySegment memory = MemorySegment.ofArray(new byte[BEFORE + layout.byteSize() + texts]);
        int end = layout.byteSize();
        for (int i = 0; i < view.fields().size(); i++) {
            FieldSpec field = view.fields().get(i);
            Object value = values.get(field.name());
            if (value == null) {
                continue;
            }
            long bit = BEFORE + i / 8L;
            memory.set(ValueLayout.JAVA_BYTE, bit, (byte) (memory.get(ValueLayout.JAVA_BYTE, bit) | 1 << i % 8));
            long at = (long) BEFORE + layout.offset(i);
            switch (field.type()) {
                case FLOAT64 -> memory.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, (Double) value);
                case FLOAT32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, ((Double) value).floatValue());
                case INT32 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, ((Long) value).intValue());
                case BOOL -> memory.set(ValueLayout.JAVA_BYTE, at, ((Long) value).byteValue());
                case STRING -> {
                    byte[] bytes = ((String) value).getBytes(StandardCharsets.UTF_8);
                    memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                    memory.set(ValueLayout.JAVA_INT_UNALIGNED, at + 4, bytes.length);
                    MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, BEFORE + (long) end, bytes.length);
                    end += bytes.length;
                }
                default -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, (Long) value);
            }
        }
        return memory;
    }

    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        Map<Object, MemorySegment> rows = new HashMap<>();
        store.get(view.name()).forEach((key, row) -> {
            if (row.values() != null) {
                rows.put(key, laidOut(view, layout, row.values()));
            }
        });
        return new Reader(rows, store.get(view.name()));
    }

    private static final class Reader implements ViewReader {
        private final Map<Object, MemorySegment> rows;
        private final Map<Object, StoredRow> stored;
        private Object found;

        Reader(Map<Object, MemorySegment> rows, Map<Object, StoredRow> stored) {
            this.rows = rows;
            this.stored = stored;
        }

        @Override
        @Hot
        public boolean find(long key) {
            found = key;
            return rows.containsKey(found);
        }

        @Override
        @Hot
        public boolean find(byte[] key, int offset, int length) {
            found = new String(key, offset, length, StandardCharsets.UTF_8);
            return rows.containsKey(found);
        }

        @Override
        @Hot
        public boolean isUnavailable() {
            return stored.containsKey(found) && stored.get(found).unavailable();
        }

        @Override
        @Hot
        public MemorySegment memory() {
            return rows.get(found);
        }

        @Override
        @Hot
        public long offset() {
            return BEFORE;
        }

        @Override
        @Hot
        public long eventTimeMicros() {
            return stored.get(found).eventTime();
        }
    }
}
