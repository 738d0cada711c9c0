// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/// Notices that no broker answers: a poll does not say so. A broker that is asked for records or gets
/// a heartbeat answers every few seconds at least. Threads: one.
final class Silence {
    /// Longer than any answer takes.
    static final Duration LONGEST = Duration.ofSeconds(15);

    private final LongSupplier clock;
    /// The bytes that came, or null for a consumer that does not count them.
    private Metric incoming;

    private double bytes;
    private long since;

    /// @param clock in nanoseconds
    Silence(LongSupplier clock) {
        this.clock = clock;
    }

    /// Listens to another consumer.
    void begin(Consumer<?, ?> consumer) {
        incoming = null;
        for (Map.Entry<MetricName, ? extends Metric> metric : consumer.metrics().entrySet()) {
            MetricName name = metric.getKey();
            if (name.name().equals("incoming-byte-total") && name.group().equals("consumer-metrics")) {
                incoming = metric.getValue();
            }
        }
        bytes = 0;
        since = clock.getAsLong();
    }

    /// Whether there was nothing for long.
    boolean isLong() {
        return incoming != null && !isNew() && clock.getAsLong() - since >= LONGEST.toNanos();
    }

    /// Whether anything came from this consumer's brokers at all.
    boolean wasHeard() {
        return incoming == null || bytes > 0 || isNew();
    }

    private boolean isNew() {
        double now = ((Number) incoming.metricValue()).doubleValue();
        if (now == bytes) {
            return false;
        }
        bytes = now;
        since = clock.getAsLong();
        return true;
    }
}
