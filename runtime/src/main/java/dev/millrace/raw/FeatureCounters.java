// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.FeatureRow;
import dev.millrace.features.FeatureStatus;
import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureSpec;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLongArray;

/// Counts what becomes of rows: each who writes rows has a part of its own, so that nobody waits.
///
/// Threads: any; a part is for one at a time.
final class FeatureCounters {
    private static final FeatureStatus[] ALL = FeatureStatus.values();
    private static final int STATUSES = ALL.length;
    private static final int ROWS = 0;
    private static final int DEGRADED = 1;
    private static final int REJECTED = 2;
    private static final int FIRST = 3;

    private final FeatureSpec spec;
    private final Set<Part> parts = new HashSet<>();
    private final long[] ended;

    FeatureCounters(FeatureSpec spec) {
        this.spec = spec;
        this.ended = new long[FIRST + spec.features().size() * STATUSES];
    }

    /// The counts of one who writes rows.
    static final class Part {
        private final AtomicLongArray counts;

        private Part(int size) {
            counts = new AtomicLongArray(size);
        }

        /// Counts a row that was written.
        @Hot
        void written(FeatureRow row, int features) {
            add(ROWS);
            if (row.isDegraded()) {
                add(DEGRADED);
            }
            for (int i = 0; i < features; i++) {
                add(FIRST + i * STATUSES + row.status(i).ordinal());
            }
        }

        @Hot
        void rejected() {
            add(REJECTED);
        }

        /// There is one who writes.
        @Hot
        private void add(int index) {
            counts.setOpaque(index, counts.getPlain(index) + 1);
        }
    }

    /// A part for somebody new.
    synchronized Part begin() {
        Part part = new Part(ended.length);
        parts.add(part);
        return part;
    }

    /// Somebody writes no more.
    synchronized void end(Part part) {
        if (parts.remove(part)) {
            add(part, ended);
        }
    }

    private static void add(Part part, long[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += part.counts.getOpaque(i);
        }
    }

    synchronized FeatureCounts sum() {
        long[] sums = ended.clone();
        parts.forEach(part -> add(part, sums));
        List<FeatureCounts.OfFeature> features = new ArrayList<>();
        for (int i = 0; i < spec.features().size(); i++) {
            Map<FeatureStatus, Long> statuses = new EnumMap<>(FeatureStatus.class);
            for (FeatureStatus status : ALL) {
                statuses.put(status, sums[FIRST + i * STATUSES + status.ordinal()]);
            }
            features.add(new FeatureCounts.OfFeature(spec.features().get(i).name(), statuses));
        }
        return new FeatureCounts(sums[ROWS], sums[DEGRADED], sums[REJECTED], List.copyOf(features));
    }
}
