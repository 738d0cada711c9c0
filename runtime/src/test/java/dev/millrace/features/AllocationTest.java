// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A row costs no heap memory: setting fields, stored values, all operators, statuses. The least of
/// several rounds counts, because compilation may allocate on any thread's account while it goes
/// on.
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROWS = 10_000;
    private static final int ROUNDS = 100;
    private static final String ALL = """
        - name: a
          input: x
          treat:
            outlier: {low: -100, high: 100, treatment: as_extreme}
            missing: {treatment: as_value, value: 1, indicator: a_missing}
            invalid: {treatment: as_value, value: 2, min: -99, max: 99}
          transform: [{clip: {low: -5, high: 50}}, log1p, {standardize: {mean: 1, std: 2}},
                      {minmax: {min: 0, max: 3, clip: true}}]
          validate: [{finite: true, on_fail: flag}, {between: {min: 0, max: 0.5}, on_fail: clip}]
        - {name: b, input: s, transform: [{one_hot: {vocab: [DE, FR, München], unknown: bucket, drop: first}}]}
        - {name: c, input: s, treat: {invalid: {treatment: as_value, values: [DE, FR], value: none}},
           transform: [{vocab: {values: [DE, none], unknown: hash, oov_buckets: 7}},
                       {embed: {table: [[1, 2], [3, 4]], missing_row: 1}}]}
        - {name: d, input: s, transform: [{impute: {value: '?', indicator: d_missing}},
                                   {hash: {buckets: 99, algorithm: murmur3_x86_32}}]}
        - {name: e, input: t, transform: [{datetime: {part: day_of_year, zone: Europe/Berlin}}]}
        - {name: f, input: request_time, transform: [{cyclical: {part: hour, zone: America/New_York, fn: cos}}]}
        - {name: g, input: x, transform: [{bucketize: {boundaries: [-1, 0, 4], closed: right, nan: bucket}}],
           emit: false}
        - {name: h, inputs: [features.g, s, v.b], transform: [{cross: {buckets: 1000, algorithm: murmur3_x86_32}}],
           default: -1}
        - {name: i, inputs: [x, n, v.a], transform: [concat], default: 0}
        - {name: j, input: v.a, transform: [sqrt, {power: {method: yeo_johnson, lambda: 0.5}}, {cast: {to: int32}},
                                   {robust: {median: 1, iqr: 2}}]}
        """;

    /// Two stored rows.
    private static final class TwoRows implements ViewReader {
        private final MemorySegment memory;
        private long key;

        TwoRows(MemorySegment memory) {
            this.memory = memory;
        }

        @Override
        @Hot
        public boolean find(long wanted) {
            key = wanted;
            return wanted < 2;
        }

        @Override
        @Hot
        public boolean find(byte[] bytes, int offset, int length) {
            return false;
        }

        @Override
        @Hot
        public MemorySegment memory() {
            return memory;
        }

        @Override
        @Hot
        public long offset() {
            return 0;
        }

        @Override
        @Hot
        public long eventTimeMicros() {
            return key == 0 ? RandomSpecs.NOW : 0;
        }
    }

    private static void writeAll(FeaturePlan plan, FeatureRow row, MemorySegment out, byte[] words) {
        int x = plan.field("x");
        int n = plan.field("n");
        int s = plan.field("s");
        int t = plan.field("t");
        int must = plan.field("must");
        int statuses = 0;
        for (int i = 0; i < ROWS; i++) {
            row.begin(RandomSpecs.NOW + i);
            row.set(must, 1.5);
            row.set(n, (long) i % 3);
            row.set(t, RandomSpecs.NOW - i * 1_000_000_000L);
            if (i % 7 != 0) {
                row.set(x, i % 5 == 0 ? Double.NaN : i - 50.5);
                row.set(s, words, i % 11, i % 13);
            }
            if (!plan.write(row, out, 0)) {
                throw new AssertionError(row.problem());
            }
            statuses += row.status(0).ordinal() + (row.isDegraded() ? 1 : 0);
        }
        if (statuses == 0) {
            throw new AssertionError("no row was out of the ordinary");
        }
    }

    @Test
    void shouldAllocateNothingWhenARowIsWritten() {
        FeaturePlan plan = Specs.plan("ttl: 1h, on_stale: serve_and_flag", ALL);
        byte[] words = "DEFRMünchen and others".getBytes(StandardCharsets.UTF_8);
        try (OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.CALL, plan.width() * 4L)) {
            FeatureRow row = plan.newRow(
                    (view, layout) -> new TwoRows(MapSource.laidOut(view, layout, Map.of("a", 7.5, "b", "text"))
                            .asSlice(24)));
            for (int i = 0; i < 3; i++) {
                writeAll(plan, row, region.segment(), words);
            }
            long thread = Thread.currentThread().threadId();
            long least = Long.MAX_VALUE;
            for (int i = 0; i < ROUNDS && least > 0; i++) {
                long before = THREADS.getThreadAllocatedBytes(thread);
                writeAll(plan, row, region.segment(), words);
                least = Math.min(least, THREADS.getThreadAllocatedBytes(thread) - before);
            }
            assertThat(least).isZero();
        }
    }
}
