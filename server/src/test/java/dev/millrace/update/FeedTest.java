// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.Row;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewReader;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/// A feed on the thread of the test, with consumers that need no broker, and a store that fails when it
/// is told to.
class FeedTest {
    private static final ViewSchema SCHEMA = ViewSchema.parse("""
        view v
        key id string(8)
        field x float64
        """);

    @TempDir
    Path temp;

    private EmbeddedStore embedded;
    private final FakeTopic topic = new FakeTopic(2);
    private final FailingStore store = new FailingStore();
    private final KeptLetters letters = new KeptLetters();
    private final List<AssertionError> broken = new ArrayList<>();
    private Feed feed;

    /// Passes writes on, after what the test does before each.
    private final class FailingStore implements FeatureStore {
        final AtomicInteger writes = new AtomicInteger();
        Before before = () -> {};

        @Override
        public List<View> views() {
            return embedded.views();
        }

        @Override
        public long write(WriteBatch batch) throws IOException {
            writes.incrementAndGet();
            before.run();
            return embedded.write(batch);
        }

        @Override
        public void close() {}
    }

    @FunctionalInterface
    private interface Before {
        void run() throws IOException;
    }

    private static final class KeptLetters implements DeadLetters {
        final List<String> kept = new ArrayList<>();
        Before before = () -> {};
        boolean closed;

        @Override
        public void add(List<Letter> letters) throws IOException {
            before.run();
            letters.forEach(letter ->
                    kept.add(letter.record().partition() + ":" + letter.record().offset() + " " + letter.reason()));
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    @BeforeEach
    void open() throws IOException {
        embedded = EmbeddedStore.open(temp.resolve("store"), StoreOptions.DEFAULT, SCHEMA);
        topic.idle = () -> feed.stop();
    }

    @AfterEach
    void close() throws IOException {
        embedded.close();
    }

    private FeedStatistics run() throws IOException {
        return run(topic);
    }

    private FeedStatistics run(FakeTopic from) throws IOException {
        FeedConfig config = Samples.config(
                "v",
                Samples.source("localhost:1", FakeTopic.NAME),
                new FeedConfig.Letters(java.util.Optional.of("dead"), java.util.Optional.empty()));
        RowReader reader = RowReader.of(SCHEMA, config, () -> Instant.EPOCH);
        feed = new Feed(
                new Feed.Parts(config, reader, store, store.view("v"), letters, from::consumer),
                new FeedHealth(LoggerFactory.getLogger("test"), "test", () -> 0),
                new Silence(() -> 0),
                new Feed.Pauses(0, 0));
        feed.run();
        assertThat(broken).isEmpty();
        return feed.statistics();
    }

    /// Within a feed, which would go on after an error.
    private void check(Runnable assertion) {
        try {
            assertion.run();
        } catch (AssertionError e) {
            broken.add(e);
        }
    }

    /// What is in the store, by key: event time and value.
    private Map<String, String> content(Iterable<String> keys) {
        Map<String, String> content = new TreeMap<>();
        try (ViewReader reader = embedded.view("v").reader()) {
            for (String key : keys) {
                if (reader.find(key)) {
                    Row row = reader.row();
                    content.put(key, row.eventTime() + " " + (row.isNull(0) ? null : row.getDouble(0)));
                }
            }
        }
        return content;
    }

    private Map<String, String> content() {
        return content(List.of("a", "b", "c", "d"));
    }

    private static String row(String key, long at, double value) {
        return "{'id':'" + key + "','at':" + at + ",'x':" + value + "}";
    }

    @Test
    void shouldWriteRowsAndCommit() throws IOException {
        topic.add(0, null, row("a", 5, 1)).add(1, null, row("b", 7, 2)).add(0, null, "{'id':'c','at':6,'x':null}");

        FeedStatistics statistics = run();

        assertThat(content()).isEqualTo(Map.of("a", "5 1.0", "b", "7 2.0", "c", "6 null"));
        assertThat(topic.committed(0)).isEqualTo(2);
        assertThat(topic.committed(1)).isEqualTo(1);
        assertThat(statistics.rows()).isEqualTo(3);
        assertThat(statistics.newestEventMicros()).hasValue(7);
        assertThat(statistics.up()).isTrue();
        assertThat(statistics.failures()).isZero();
        assertThat(topic.consumers)
                .singleElement()
                .satisfies(consumer -> assertThat(consumer.closed()).isTrue());
        assertThat(letters.closed).isTrue();
    }

    @Test
    void shouldDeleteWhenTombstonesCome() throws IOException {
        topic.add(0, "a", row("a", 5, 1)).add(0, "b", row("b", 5, 1)).add(0, "a", null);
        run();
        // The record's timestamp is 1 s.
        assertThat(content()).isEqualTo(Map.of("b", "5 1.0"));

        topic.add(0, "a", row("a", 999_999, 2))
                .add(0, "b", row("b", 1_000_001, 3))
                .add(0, "b", null);
        run();
        assertThat(content()).isEqualTo(Map.of("b", "1000001 3.0"));
    }

    @Test
    void shouldCommitOnlyWhenTheStoreHasAcknowledged() throws IOException {
        topic.add(0, null, row("a", 5, 1)).add(1, null, row("b", 5, 2));
        store.before = () -> {
            check(() -> assertThat(topic.committed).isEmpty());
            if (store.writes.get() <= 3) {
                throw new IOException("the disk is full");
            }
        };
        List<Boolean> up = new ArrayList<>();
        topic.polling = _ -> up.add(feed.statistics().up());

        FeedStatistics statistics = run();

        assertThat(store.writes).hasValue(4);
        assertThat(content()).hasSize(2);
        assertThat(topic.committed(0)).isEqualTo(1);
        assertThat(statistics.failures()).isEqualTo(3);
        assertThat(statistics.rows()).isEqualTo(2);
        assertThat(statistics.up()).isTrue();
        assertThat(up).startsWith(false, false, false, false);
        // It stays in the group, with everything paused, while it waits.
        assertThat(topic.consumers)
                .singleElement()
                .satisfies(consumer -> assertThat(consumer.pausedWhenPolled).startsWith(0, 2, 2, 2, 0));
    }

    @Test
    void shouldKeepWhatIsNoRowWithTheReasonAndGoOn() throws IOException {
        topic.add(0, null, row("a", 5, 1))
                .add(0, null, "nonsense")
                .add(0, null, "{'id':'b','at':5,'x':'high'}")
                .add(0, null, row("much too long", 5, 1))
                .add(0, null, "{'at':5,'x':1}")
                .add(0, null, "{'id':'b','x':1}")
                .add(0, null, null)
                .add(0, null, row("c", 5, 1));

        FeedStatistics statistics = run();

        assertThat(letters.kept)
                .extracting(letter -> letter.substring(0, Math.min(letter.length(), 40)))
                .containsExactly(
                        "0:1 malformed JSON: line 1, column 1: 'n",
                        "0:2 x is 'high', expected a number",
                        "0:3 id is 'much too long' with 13 bytes,",
                        "0:4 id: nothing came, expected the key '",
                        "0:5 at is null, expected a time like 202",
                        "0:6 the record has neither key nor value");
        assertThat(content()).containsOnlyKeys("a", "c");
        assertThat(topic.committed(0)).isEqualTo(8);
        assertThat(statistics.deadLetters()).isEqualTo(6);
        assertThat(statistics.rows()).isEqualTo(2);
        assertThat(statistics.failures()).isZero();
    }

    @Test
    void shouldCommitOnlyWhenDeadLettersAreDurable() throws IOException {
        topic.add(0, null, row("a", 5, 1)).add(0, null, "nonsense");
        AtomicInteger attempts = new AtomicInteger();
        letters.before = () -> {
            check(() -> assertThat(topic.committed).isEmpty());
            if (attempts.incrementAndGet() <= 2) {
                throw new IOException("no room");
            }
        };

        FeedStatistics statistics = run();

        assertThat(attempts).hasValue(3);
        assertThat(letters.kept).hasSize(1);
        assertThat(topic.committed(0)).isEqualTo(2);
        assertThat(store.writes).as("what is durable is not written again").hasValue(1);
        assertThat(statistics.failures()).isEqualTo(2);
        assertThat(statistics.deadLetters()).isEqualTo(1);
    }

    @Test
    void shouldResumeWithoutLossAfterACrashBetweenStoreAndCommit() throws IOException {
        topic.pollRecords = 2;
        for (int i = 0; i < 6; i++) {
            topic.add(0, null, row(i % 2 == 0 ? "a" : "b", i, i));
        }
        AtomicInteger commits = new AtomicInteger();
        topic.committing = () -> {
            if (commits.incrementAndGet() >= 2) {
                feed.stop();
                throw new KafkaException("gone");
            }
        };
        run();
        assertThat(content()).isEqualTo(Map.of("a", "2 2.0", "b", "3 3.0"));
        assertThat(topic.committed(0)).isEqualTo(2);

        topic.committing = () -> {};
        FeedStatistics statistics = run();

        assertThat(statistics.rows()).as("from the committed offset on").isEqualTo(4);
        assertThat(content()).isEqualTo(Map.of("a", "4 4.0", "b", "5 5.0"));
        assertThat(topic.committed(0)).isEqualTo(6);
    }

    @Test
    void shouldGoOnWithAnotherConsumerWhenOneFails() throws IOException {
        topic.add(0, null, row("a", 5, 1));
        AtomicInteger polls = new AtomicInteger();
        topic.polling = consumer -> {
            if (polls.incrementAndGet() <= 2) {
                consumer.setPollException(new KafkaException("not allowed"));
            }
        };

        FeedStatistics statistics = run();

        assertThat(topic.consumers)
                .hasSize(3)
                .allSatisfy(consumer -> assertThat(consumer.closed()).isTrue());
        assertThat(content()).hasSize(1);
        assertThat(statistics.failures()).isEqualTo(2);
        assertThat(statistics.up()).isTrue();
    }

    @Test
    void shouldCommitLaterWhatCannotBeCommittedNow() throws IOException {
        topic.pollRecords = 1;
        topic.add(0, null, row("a", 5, 1)).add(0, null, row("b", 5, 1)).add(0, null, row("c", 5, 1));
        List<RuntimeException> failures = new ArrayList<>(List.of(
                new TimeoutException("no broker"), new RebalanceInProgressException(), new CommitFailedException("")));
        topic.committing = () -> {
            if (!failures.isEmpty()) {
                throw failures.removeFirst();
            }
        };
        run();
        assertThat(content()).hasSize(3);
        assertThat(topic.committed).as("others have the partition").isEmpty();

        FeedStatistics statistics = run();

        assertThat(topic.consumers).hasSize(2);
        assertThat(statistics.rows()).as("once more, and nothing changes").isEqualTo(3);
        assertThat(content()).hasSize(3);
        assertThat(topic.committed(0)).isEqualTo(3);
    }

    @Test
    void shouldCommitWhatIsDurableWhenPartitionsAreRevoked() throws IOException {
        topic.pollRecords = 1;
        topic.add(0, null, row("a", 5, 1)).add(0, null, row("b", 5, 1));
        List<RuntimeException> failures = new ArrayList<>(List.of(new TimeoutException("no broker")));
        topic.committing = () -> {
            if (!failures.isEmpty()) {
                throw failures.removeFirst();
            }
        };
        AtomicInteger polls = new AtomicInteger();
        topic.polling = consumer -> {
            // The first poll assigns, and brings the first record, whose commit fails.
            if (polls.incrementAndGet() == 2) {
                consumer.schedulePollTask(() -> {
                    consumer.assignNow(List.of(FakeTopic.partition(1)));
                    check(() -> assertThat(topic.committed(0)).isEqualTo(1));
                });
            }
        };

        run();

        assertThat(content()).containsOnlyKeys("a");
        assertThat(topic.committed(0)).isEqualTo(1);
    }

    @Test
    void shouldLeaveToOthersWhatIsRevokedWhileTheStoreFails() throws IOException {
        topic.add(0, null, row("a", 5, 1)).add(1, null, row("b", 5, 2)).add(1, null, row("c", 5, 2));
        topic.pollRecords = 1;
        store.before = () -> {
            if (store.writes.get() <= 2) {
                throw new IOException("the disk is full");
            }
        };
        AtomicInteger polls = new AtomicInteger();
        topic.polling = consumer -> {
            int poll = polls.incrementAndGet();
            if (poll == 2) {
                // Both go away, and one comes back, while the row of the first waits for the store.
                consumer.schedulePollTask(() -> {
                    consumer.assignNow(List.of());
                    consumer.assignNow(List.of(FakeTopic.partition(1)));
                    check(() -> assertThat(consumer.paused())
                            .as("what comes while it waits is paused")
                            .containsExactly(FakeTopic.partition(1)));
                });
            }
        };

        FeedStatistics statistics = run();

        assertThat(content()).containsKeys("b", "c");
        assertThat(topic.committed(1)).isEqualTo(2);
        assertThat(statistics.up()).isTrue();
    }

    @Test
    void shouldStopWhileTheStoreFails() throws IOException {
        topic.add(0, null, row("a", 5, 1));
        store.before = () -> {
            if (store.writes.get() == 3) {
                feed.stop();
            }
            throw new IOException("the disk is full");
        };

        FeedStatistics statistics = run();

        assertThat(statistics.up()).isFalse();
        assertThat(statistics.rows()).isZero();
        assertThat(topic.committed).isEmpty();
        assertThat(topic.consumers)
                .singleElement()
                .satisfies(consumer -> assertThat(consumer.closed()).isTrue());
    }

    @Test
    void shouldCommitWhatWasWrittenWhenItIsStopped() throws IOException {
        topic.add(0, null, row("a", 5, 1));
        store.before = () -> feed.stop();

        run();

        assertThat(content()).hasSize(1);
        assertThat(topic.committed(0)).isEqualTo(1);
    }

    /// What wakes a poll up may hit a commit instead, and one more.
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldCommitWhenItIsStoppedWhileItCommits(int wakeUps) throws IOException {
        topic.add(0, null, row("a", 5, 1));
        AtomicInteger commits = new AtomicInteger();
        topic.committing = () -> {
            feed.stop();
            if (commits.incrementAndGet() <= wakeUps) {
                throw new WakeupException();
            }
        };

        FeedStatistics statistics = run();

        assertThat(topic.committed(0)).isEqualTo(1);
        assertThat(statistics.failures()).isZero();
    }

    /// Any order of the same events, with any of them several times, over partitions, polls of any
    /// size, a store and brokers that fail at random, and crashes: the store ends as it always does.
    @Test
    void shouldEndWithTheSameContentInWhateverOrderEventsCome() throws IOException {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            List<String> keys = new ArrayList<>();
            Map<String, String> expected = new TreeMap<>();
            List<String> events = new ArrayList<>();
            for (int key = 0; key < 1 + random.nextInt(4); key++) {
                String name = "s" + seed + "k" + key;
                keys.add(name);
                int count = 1 + random.nextInt(6);
                for (int i = 0; i < count; i++) {
                    String event = row(name, 100 * i + key, i);
                    events.addAll(Collections.nCopies(1 + random.nextInt(3), event));
                }
                expected.put(name, 100 * (count - 1) + key + " " + (count - 1.0));
            }
            Collections.shuffle(events, random);
            FakeTopic shuffled = new FakeTopic(1 + random.nextInt(3));
            int count = 1 + random.nextInt(3);
            events.forEach(event -> shuffled.add(random.nextInt(shuffled.partitions()), null, event));
            consumeInSpiteOfFailures(shuffled, random, count);

            assertThat(content(keys)).as("seed %d", seed).isEqualTo(expected);
            long committed = shuffled.committed.values().stream()
                    .mapToLong(offset -> offset.offset())
                    .sum();
            assertThat(committed).as("seed %d", seed).isEqualTo(shuffled.records());
        }
    }

    /// Crashes now and then, and goes on with another feed until one comes to the end.
    private void consumeInSpiteOfFailures(FakeTopic from, Random random, int pollRecords) throws IOException {
        from.pollRecords = pollRecords;
        boolean[] done = new boolean[1];
        store.before = () -> {
            if (random.nextInt(4) == 0) {
                throw new IOException("at random");
            }
        };
        while (!done[0]) {
            from.idle = () -> {
                done[0] = true;
                feed.stop();
            };
            from.committing = () -> {
                switch (random.nextInt(8)) {
                    case 0 -> throw new TimeoutException("at random");
                    case 1 -> {
                        feed.stop();
                        throw new KafkaException("a crash");
                    }
                    default -> {
                        // It goes well.
                    }
                }
            };
            run(from);
            done[0] &= from.isCommitted();
        }
        store.before = () -> {};
    }
}
