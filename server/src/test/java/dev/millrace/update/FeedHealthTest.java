// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// What is told of a feed, and when, by a clock that the test has.
class FeedHealthTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger("FeedHealthTest");
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private long now;
    private final FeedHealth health = new FeedHealth(logger, "the feed", () -> now);

    @BeforeEach
    void listen() {
        logger.setAdditive(false);
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void leave() {
        logger.detachAppender(lines);
    }

    private void after(Duration time) {
        now += time.toNanos();
    }

    @Test
    void shouldSayOnceThatItFailsAndOnceThatItWorksAgain() {
        assertThat(health.isUp()).isFalse();
        health.well();
        assertThat(health.isUp()).isTrue();
        for (int second = 0; second < 125; second++) {
            health.failed("no broker");
            after(Duration.ofSeconds(1));
        }
        assertThat(health.isUp()).isFalse();
        health.well();
        health.well();

        assertThat(health.isUp()).isTrue();
        assertThat(health.failures()).isEqualTo(125);
        assertThat(lines.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly(
                        "the feed fails and is tried again: no broker",
                        "the feed has failed for 60 s: no broker",
                        "the feed has failed for 120 s: no broker",
                        "the feed works again, after 125 s");
    }

    @Test
    void shouldTellOfDeadLettersEveryTenSeconds() {
        for (int second = 0; second < 21; second++) {
            health.dead(2, "offset " + second, "topic 'd'");
            after(Duration.ofSeconds(1));
        }

        assertThat(lines.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly(
                        "the feed: 2 more dead letters are in topic 'd'; the last: offset 0",
                        "the feed: 20 more dead letters are in topic 'd'; the last: offset 10",
                        "the feed: 20 more dead letters are in topic 'd'; the last: offset 20");
    }

    @Test
    void shouldNoticeThatNothingComesFromTheBrokers() {
        double[] bytes = new double[1];
        MetricName name = new MetricName("incoming-byte-total", "consumer-metrics", "", Map.of());
        Silence silence = new Silence(() -> now);
        silence.begin(new MockConsumer<>("earliest") {
            @Override
            public synchronized Map<MetricName, ? extends Metric> metrics() {
                return Map.of(name, new Metric() {
                    @Override
                    public MetricName metricName() {
                        return name;
                    }

                    @Override
                    public Object metricValue() {
                        return bytes[0];
                    }
                });
            }
        });

        assertThat(silence.isLong()).isFalse();
        assertThat(silence.wasHeard()).isFalse();
        after(Silence.LONGEST);
        assertThat(silence.isLong()).isTrue();
        bytes[0] = 100;
        assertThat(silence.isLong()).isFalse();
        assertThat(silence.wasHeard()).isTrue();
        after(Silence.LONGEST.minusNanos(1));
        assertThat(silence.isLong()).isFalse();
        after(Duration.ofNanos(1));
        assertThat(silence.isLong()).isTrue();
    }

    @Test
    void shouldNotListenWhereNothingIsCounted() {
        Silence silence = new Silence(() -> now);
        silence.begin(new MockConsumer<>("earliest"));
        after(Silence.LONGEST.multipliedBy(2));

        assertThat(silence.isLong()).isFalse();
        assertThat(silence.wasHeard()).isTrue();
    }
}
