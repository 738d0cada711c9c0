// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/// Stored values of some rows that were fetched before: nothing is looked for.
///
/// Threads: one.
final class AtHand implements FeatureSource {
    private final FeatureSource store;
    private final Payments payments;
    private final List<Reader> readers = new ArrayList<>();

    /// @param store where the values are fetched from
    AtHand(FeatureSource store, Payments payments) {
        this.store = store;
        this.payments = payments;
    }

    /// Turns to a row.
    void turnTo(int row) {
        for (int i = 0; i < readers.size(); i++) {
            readers.get(i).row = row;
        }
    }

    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        IntToLongFunction key = view.name().equals(Payments.USERS.name()) ? payments::user : payments::merchant;
        MemorySegment[] rows = new MemorySegment[payments.rows()];
        try (ViewReader reader = store.open(view, layout)) {
            for (int i = 0; i < rows.length; i++) {
                if (!reader.find(key.applyAsLong(i))) {
                    throw new IllegalStateException("row " + i + " has no values in view '" + view.name() + "'");
                }
                byte[] bytes = new byte[(int) (reader.memory().byteSize() - reader.offset())];
                MemorySegment.copy(reader.memory(), reader.offset(), MemorySegment.ofArray(bytes), 0, bytes.length);
                rows[i] = MemorySegment.ofArray(bytes);
            }
        }
        Reader reader = new Reader(rows);
        readers.add(reader);
        return reader;
    }

    private static final class Reader implements ViewReader {
        private final MemorySegment[] rows;
        private int row;

        Reader(MemorySegment[] rows) {
            this.rows = rows;
        }

        @Override
        @Hot
        public boolean find(long key) {
            return true;
        }

        @Override
        @Hot
        public boolean find(byte[] key, int offset, int length) {
            return true;
        }

        @Override
        @Hot
        public MemorySegment memory() {
            return rows[row];
        }

        @Override
        @Hot
        public long offset() {
            return 0;
        }

        @Override
        @Hot
        public long eventTimeMicros() {
            return Payments.NOW;
        }
    }
}
