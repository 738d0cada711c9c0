// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.millrace.monitor.LaneRecorder;
import dev.millrace.monitor.Stage;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBucket;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LatencyCollectorTest {
    private LaneRecorder recorder = LaneRecorder.of("m", 3, 128, 0);
    private final LatencyCollector collector = new LatencyCollector(() -> List.of(recorder.snapshot()));

    private MetricSnapshot metric(String name) {
        return collector.collect().stream()
                .filter(metric -> metric.getMetadata().getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private SummaryDataPointSnapshot total() {
        return ((SummarySnapshot) metric("millrace_request_seconds"))
                .getDataPoints()
                .getFirst();
    }

    private SummaryDataPointSnapshot stage(String stage) {
        return ((SummarySnapshot) metric("millrace_request_stage_seconds"))
                .getDataPoints().stream()
                        .filter(point -> point.getLabels().get("stage").equals(stage))
                        .findFirst()
                        .orElseThrow();
    }

    private static double quantile(SummaryDataPointSnapshot point, double which) {
        for (Quantile quantile : point.getQuantiles()) {
            if (quantile.getQuantile() == which) {
                return quantile.getValue();
            }
        }
        throw new AssertionError("no quantile " + which);
    }

    @Test
    void shouldBeginAnewWhenTheVersionWasLoadedAnew() {
        recorder.record(Stage.TOTAL, 1_000, 5);
        collector.endPeriod();
        collector.endPeriod();
        recorder = LaneRecorder.of("m", 3, 128, 7);
        recorder.record(Stage.TOTAL, 2_000_000, 3);

        SummaryDataPointSnapshot point = total();

        assertThat(point.getCount()).isEqualTo(3);
        assertThat(quantile(point, 0.5)).isBetween(0.00198, 0.00202);
    }

    @Test
    void shouldShowQuantilesOfWhatWasRecorded() {
        SplittableRandom random = new SplittableRandom(5);
        long[] nanos = random.longs(30_000, 1_000, 50_000_000).toArray();
        for (long value : nanos) {
            recorder.record(Stage.TOTAL, value, 1);
        }
        Arrays.sort(nanos);

        SummaryDataPointSnapshot point = total();

        for (double which : new double[] {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1}) {
            double expected = nanos[(int) Math.ceil(which * nanos.length) - 1] / 1e9;
            assertThat(quantile(point, which)).as("quantile %s", which).isBetween(expected * 0.99, expected * 1.01);
        }
        assertThat(point.getQuantiles().size()).isEqualTo(7);
        assertThat(point.getCount()).isEqualTo(30_000);
        assertThat(point.getSum()).isEqualTo(Arrays.stream(nanos).sum() / 1e9);
        assertThat(point.getLabels().get("model")).isEqualTo("m");
        assertThat(point.getLabels().get("version")).isEqualTo("3");
    }

    @Test
    void shouldShowEveryStageByItself() {
        for (Stage stage : Stage.values()) {
            recorder.record(stage, 1_000_000L * (stage.ordinal() + 1), 2);
        }
        for (Stage stage : Stage.values()) {
            SummaryDataPointSnapshot point =
                    stage == Stage.TOTAL ? total() : stage(stage.name().toLowerCase(java.util.Locale.ROOT));
            assertThat(point.getCount()).isEqualTo(2);
            assertThat(point.getSum()).isEqualTo(2e6 * (stage.ordinal() + 1) / 1e9);
        }
    }

    @Test
    void shouldForgetQuantilesAfterTwoPeriodsAndKeepCounts() {
        recorder.record(Stage.TOTAL, 9_000_000, 1);
        collector.endPeriod();
        recorder.record(Stage.TOTAL, 1_000_000, 1);
        assertThat(quantile(total(), 1)).as("one period old").isBetween(0.009, 0.0091);

        collector.endPeriod();
        assertThat(quantile(total(), 1))
                .as("the period before last is forgotten")
                .isBetween(0.001, 0.00101);
        assertThat(quantile(total(), 1)).as("asking changes nothing").isBetween(0.001, 0.00101);

        collector.endPeriod();
        assertThat(total().getQuantiles().size()).as("nothing came lately").isZero();
        assertThat(total().getCount()).isEqualTo(2);
        assertThat(total().getSum()).isEqualTo(0.01);
    }

    @Test
    void shouldSortBatchesIntoPowersOfTwo() {
        long rows = 0;
        for (int size = 1; size <= 100; size++) {
            recorder.batch(size, 0);
            rows += size;
        }
        HistogramDataPointSnapshot point = ((HistogramSnapshot) metric("millrace_batch_rows"))
                .getDataPoints()
                .getFirst();

        assertThat(point.getClassicBuckets().stream())
                .extracting(ClassicHistogramBucket::getUpperBound, ClassicHistogramBucket::getCount)
                .startsWith(
                        tuple(1.0, 1L),
                        tuple(2.0, 1L),
                        tuple(4.0, 2L),
                        tuple(8.0, 4L),
                        tuple(16.0, 8L),
                        tuple(32.0, 16L),
                        tuple(64.0, 32L),
                        tuple(128.0, 36L),
                        tuple(256.0, 0L));
        assertThat(point.getCount()).isEqualTo(100);
        assertThat(point.getSum()).isEqualTo((double) rows);
    }

    @Test
    void shouldShowNothingWhenNothingIsRecorded() {
        LatencyCollector off =
                new LatencyCollector(() -> List.of(LaneRecorder.off("m", 1, 128).snapshot()));
        off.endPeriod();
        assertThat(off.collect().stream())
                .allSatisfy(metric -> assertThat(metric.getDataPoints()).isEmpty());
    }
}
