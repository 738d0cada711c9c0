// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.redis.RedisCounts;
import dev.millrace.redis.RedisStore;

/// What has become of reads of a store of features in Redis, in Prometheus' text format.
///
/// Threads: one at a time.
final class RedisMetrics {
    private static final String COUNTER = "counter";
    private static final String GAUGE = "gauge";
    private static final String ROWS = "millrace_feature_store_rows_total";

    private final MetricText text = new MetricText();

    /// Everything.
    ///
    /// @param store null if there is none, and nothing to tell
    String text(RedisStore store) {
        text.clear();
        if (store == null) {
            return "";
        }
        RedisCounts counts = store.counts();
        text.head(ROWS, COUNTER, "Rows that requests needed of the feature store, by where they came from");
        rows("cache", counts.cached());
        rows("redis", counts.fetched());
        rows("stale", counts.stale());
        rows("nowhere", counts.failed());
        line("reads_total", COUNTER, "Rows that Redis has answered", counts.read());
        line("joined_total", COUNTER, "Rows that another request was waiting for already", counts.joined());
        line("late_total", COUNTER, "Rows that Redis did not answer in time", counts.late());
        line("unreadable_total", COUNTER, "Rows and values that are not as they are expected", counts.unreadable());
        line("pending_rows", GAUGE, "Rows that Redis has not answered yet", counts.pending());
        line("kept_bytes", GAUGE, "What rows take that are kept, about", counts.keptBytes());
        line("connected", GAUGE, "Whether there is a connection", counts.isConnected() ? 1 : 0);
        line("breaker_open", GAUGE, "Whether reads are not tried for a while", counts.isOpen() ? 1 : 0);
        return text.toString();
    }

    private void rows(String source, long count) {
        text.line(ROWS, MetricText.label("source", source), count);
    }

    private void line(String name, String type, String help, long value) {
        String whole = "millrace_feature_store_" + name;
        text.head(whole, type, help);
        text.line(whole, "", value);
    }
}
