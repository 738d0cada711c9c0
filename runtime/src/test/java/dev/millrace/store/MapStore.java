// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// A store that is a map, and forgets everything: what others are compared with, and the proof that
/// the interface is not made for one of them.
final class MapStore implements FeatureStore {
    private final List<MapView> views = new ArrayList<>();
    private long sequence;
    private volatile boolean closed;

    MapStore(ViewSchema... schemas) {
        for (ViewSchema schema : schemas) {
            views.add(new MapView(schema, views.size()));
        }
    }

    @Override
    public List<View> views() {
        return List.copyOf(views);
    }

    @Override
    public synchronized long write(WriteBatch batch) {
        requireOpen();
        batch.forEach(this, (view, memory, key, row) -> views.get(view).put(memory, key, row));
        return ++sequence;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the store is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
    }

    private final class MapView implements View {
        private final ViewSchema schema;
        private final int id;
        private final Map<ByteBuffer, byte[]> rows = new ConcurrentHashMap<>();

        MapView(ViewSchema schema, int id) {
            this.schema = schema;
            this.id = id;
        }

        void put(MemorySegment memory, long key, long row) {
            byte[] text = memory.asSlice(key, schema.keyBytes()).toArray(ValueLayout.JAVA_BYTE);
            byte[] newer = memory.asSlice(row, schema.rowBytes()).toArray(ValueLayout.JAVA_BYTE);
            rows.merge(ByteBuffer.wrap(text), newer, (old, put) -> isNewer(row(old), row(put)) ? old : put);
        }

        private static boolean isNewer(Row old, Row put) {
            return old.eventTime() == put.eventTime()
                    ? old.availabilityTime() > put.availabilityTime()
                    : old.eventTime() > put.eventTime();
        }

        private Row row(byte[] bytes) {
            return new Row(schema, MemorySegment.ofArray(bytes), 0);
        }

        @Override
        public ViewSchema schema() {
            return schema;
        }

        @Override
        public int id() {
            return id;
        }

        @Override
        public ViewReader reader() {
            requireOpen();
            return new MapReader(this);
        }

        @Override
        public ViewStatistics statistics() {
            List<Row> all = rows.values().stream().map(this::row).toList();
            List<Row> living = all.stream().filter(row -> !row.isDeletion()).toList();
            return new ViewStatistics(
                    living.size(),
                    (long) all.size() - living.size(),
                    Long.MAX_VALUE,
                    0,
                    living.stream().mapToLong(Row::eventTime).min().orElse(0),
                    living.stream().mapToLong(Row::eventTime).max().orElse(0));
        }
    }

    private final class MapReader implements ViewReader {
        private final MapView view;
        private final MemorySegment found;
        private final Row row;

        MapReader(MapView view) {
            this.view = view;
            this.found = MemorySegment.ofArray(new byte[view.schema.rowBytes()]);
            this.row = new Row(view.schema, found, 0);
        }

        @Override
        public boolean find(long key) {
            require(FieldType.INT64);
            MemorySegment text = MemorySegment.ofArray(new byte[Long.BYTES]);
            text.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, key);
            return find(text);
        }

        @Override
        public boolean find(MemorySegment text, long offset, int length) {
            require(FieldType.STRING);
            if (length > view.schema.key().maxBytes()) {
                return false;
            }
            MemorySegment key = MemorySegment.ofArray(new byte[view.schema.keyBytes()]);
            key.set(ValueLayout.JAVA_INT_UNALIGNED, 0, length);
            MemorySegment.copy(text, offset, key, Integer.BYTES, length);
            return find(key);
        }

        @Override
        public boolean find(String key) {
            byte[] text = key.getBytes(StandardCharsets.UTF_8);
            return find(MemorySegment.ofArray(text), 0, text.length);
        }

        private boolean find(MemorySegment key) {
            requireOpen();
            byte[] bytes = view.rows.get(ByteBuffer.wrap(key.toArray(ValueLayout.JAVA_BYTE)));
            if (bytes == null) {
                return false;
            }
            found.copyFrom(MemorySegment.ofArray(bytes));
            return !row.isDeletion();
        }

        private void require(FieldType key) {
            if (view.schema.key().type() != key) {
                throw new IllegalArgumentException(
                        "the key is " + view.schema.key().typeText());
            }
        }

        @Override
        public Row row() {
            return row;
        }

        @Override
        public void close() {
            // It has nothing to free.
        }
    }
}
