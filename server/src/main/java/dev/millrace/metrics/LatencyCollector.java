// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.monitor.Distribution;
import dev.millrace.monitor.Recording;
import dev.millrace.monitor.Stage;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/// Recordings as summaries and histograms.
///
/// Counts and sums are of all time. Quantiles are of a window that ends now and began one or two periods ago:
/// [#endPeriod()] is called every period, whoever asks and however often.
///
/// Threads: any; one at a time is in it.
final class LatencyCollector implements MultiCollector {
    /// With the largest value at the end.
    private static final double[] QUANTILES = {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};

    private static final int LARGEST_BUCKET = 1024;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Supplier<List<Recording>> source;
    /// When the last period began, and when it ended.
    private Map<Key, Recording> before = Map.of();

    private Map<Key, Recording> last = Map.of();

    private record Key(String model, long version) {
        static Key of(Recording recording) {
            return new Key(recording.model(), recording.version());
        }
    }

    LatencyCollector(Supplier<List<Recording>> source) {
        this.source = source;
    }

    /// A new period begins.
    synchronized void endPeriod() {
        Map<Key, Recording> now = new HashMap<>();
        source.get().forEach(recording -> now.put(Key.of(recording), recording));
        before = last;
        last = now;
    }

    @Override
    public synchronized MetricSnapshots collect() {
        SummarySnapshot.Builder requests = SummarySnapshot.builder()
                .name("millrace_request_seconds")
                .help("Answered requests, from the first stage to the last");
        SummarySnapshot.Builder stages = SummarySnapshot.builder()
                .name("millrace_request_stage_seconds")
                .help("Where the time of answered requests went");
        HistogramSnapshot.Builder batches =
                HistogramSnapshot.builder().name("millrace_batch_rows").help("Rows per run of the model");
        for (Recording recording : source.get()) {
            if (!recording.stages().isEmpty()) {
                Labels labels = Labels.of("model", recording.model(), "version", Long.toString(recording.version()));
                add(requests, stages, labels, recording);
                batches.dataPoint(sizes(labels, recording.batchRows()));
            }
        }
        return MetricSnapshots.of(requests.build(), stages.build(), batches.build());
    }

    private void add(
            SummarySnapshot.Builder requests, SummarySnapshot.Builder stages, Labels labels, Recording recording) {
        Recording window = recording.since(before.get(Key.of(recording)));
        for (Stage stage : Stage.values()) {
            Distribution all = recording.stages().get(stage);
            Distribution lately = window.stages().get(stage);
            if (stage == Stage.TOTAL) {
                requests.dataPoint(summary(labels, all, lately));
            } else {
                String name = stage.name().toLowerCase(Locale.ROOT);
                stages.dataPoint(summary(labels.merge(Labels.of("stage", name)), all, lately));
            }
        }
    }

    /// Without quantiles if nothing came lately: there is no such value then.
    private static SummaryDataPointSnapshot summary(Labels labels, Distribution all, Distribution lately) {
        Quantiles.Builder quantiles = Quantiles.builder();
        if (lately.count() > 0) {
            for (double quantile : QUANTILES) {
                quantiles.quantile(quantile, lately.percentile(100 * quantile) / NANOS_PER_SECOND);
            }
        }
        return SummaryDataPointSnapshot.builder()
                .labels(labels)
                .quantiles(quantiles.build())
                .count(all.count())
                .sum(all.sum() / NANOS_PER_SECOND)
                .build();
    }

    private static HistogramDataPointSnapshot sizes(Labels labels, Distribution batchRows) {
        ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
        long below = 0;
        for (int size = 1; size <= LARGEST_BUCKET; size *= 2) {
            long upTo = batchRows.countUpTo(size);
            buckets.bucket(size, upTo - below);
            below = upTo;
        }
        buckets.bucket(Double.POSITIVE_INFINITY, batchRows.count() - below);
        return HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(buckets.build())
                .sum((double) batchRows.sum())
                .build();
    }
}
