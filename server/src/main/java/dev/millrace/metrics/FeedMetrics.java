// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.update.FeedStatistics;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// How the feature store is kept up to date, in Prometheus' text format. A gauge that nobody knows yet is NaN.
///
/// Threads: one at a time.
final class FeedMetrics {
    private static final double MICROS_PER_SECOND = 1e6;
    private static final double MILLIS_PER_SECOND = 1e3;

    private final MetricText text = new MetricText();

    /// Everything; nothing without feeds.
    ///
    /// @param nowMillis what the clock says, in milliseconds since 1970
    String text(List<FeedStatistics> feeds, long nowMillis) {
        text.clear();
        if (feeds.isEmpty()) {
            return "";
        }
        lines(feeds, "millrace_update_rows_total", "counter", "Rows written from a topic", FeedStatistics::rows);
        lines(
                feeds,
                "millrace_update_dead_letters_total",
                "counter",
                "Records that were no rows and are kept among the dead letters",
                FeedStatistics::deadLetters);
        lines(
                feeds,
                "millrace_update_lag_records",
                "gauge",
                "Records of the topic that were not consumed yet",
                feed -> feed.lag().isEmpty() ? Double.NaN : feed.lag().getAsLong());
        lines(
                feeds,
                "millrace_update_freshness_seconds",
                "gauge",
                "Time since the latest event time that was written",
                feed -> feed.newestEventMicros().isEmpty()
                        ? Double.NaN
                        : nowMillis / MILLIS_PER_SECOND
                                - feed.newestEventMicros().getAsLong() / MICROS_PER_SECOND);
        lines(feeds, "millrace_update_up", "gauge", "Whether the feed works", feed -> feed.up() ? 1 : 0);
        lines(
                feeds,
                "millrace_update_failures_total",
                "counter",
                "How often the feed failed and tried again",
                FeedStatistics::failures);
        return text.toString();
    }

    private void lines(
            List<FeedStatistics> feeds, String name, String type, String help, ToDoubleFunction<FeedStatistics> value) {
        text.head(name, type, help);
        for (FeedStatistics feed : feeds) {
            text.line(
                    name,
                    MetricText.label("topic", feed.topic()) + "," + MetricText.label("view", feed.view()),
                    value.applyAsDouble(feed));
        }
    }
}
