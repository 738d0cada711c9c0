// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.FeatureStore;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;

/// Keeps a view up to date: consumes records, writes rows, keeps dead letters, and when both are
/// durable commits. So a record whose offset is committed is in the store or among the dead
/// letters; one that is not is read again, which changes nothing, as the store keeps the newest row.
///
/// What fails is tried again after a pause, which doubles up to a limit. While the store does not take a
/// batch all partitions are paused and polled, so that the group does not take the feed for dead.
///
/// Threads: its own runs it; any may stop it and ask for statistics. Ownership: it makes consumers
/// and closes them, and the dead letters.
final class Feed implements Runnable {
    /// How long a poll waits, and so how old the lag may be.
    private static final Duration POLL = Duration.ofSeconds(1);
    private static final Duration COMMIT = Duration.ofSeconds(5);
    private static final int BATCH_BYTES = 1 << 24;

    private final Parts parts;
    private final Pauses pauses;
    private final FeedHealth health;
    private final Silence silence;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final AtomicLong rows = new AtomicLong();
    private final AtomicLong letters = new AtomicLong();
    private volatile Consumer<byte[], byte[]> consumer;
    private volatile long lag = -1;
    private volatile long newestEventMicros = Long.MIN_VALUE;

    /// What is durable and not committed.
    private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();

    private boolean holding;
    private long pause;

    /// What a feed works with.
    record Parts(
            FeedConfig config,
            RowReader reader,
            FeatureStore store,
            View view,
            DeadLetters letters,
            Supplier<Consumer<byte[], byte[]>> consumers) {}

    /// How long a feed waits before it tries again, in milliseconds.
    record Pauses(long first, long longest) {
        static final Pauses DEFAULT = new Pauses(100, 10_000);
    }

    Feed(Parts parts, FeedHealth health, Silence silence, Pauses pauses) {
        this.parts = parts;
        this.health = health;
        this.silence = silence;
        this.pauses = pauses;
        this.pause = pauses.first();
    }

    @Override
    public void run() {
        try {
            while (!isStopping()) {
                attempt();
                if (!isStopping()) {
                    var _ = stopping.await(nextPause(), TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException _) {
            // Nobody interrupts it but to end it.
            Thread.currentThread().interrupt();
        } finally {
            lag = -1;
            parts.letters().close();
        }
    }

    /// Consumes until it is to stop, or something fails that needs another consumer.
    private void attempt() {
        uncommitted.clear();
        holding = false;
        try {
            consumer = parts.consumers().get();
            silence.begin(consumer);
            consumer.subscribe(List.of(parts.config().source().topic()), new Rebalances());
            while (!isStopping()) {
                consume(consumer.poll(POLL));
            }
        } catch (WakeupException _) {
            // It is to stop; what is durable is committed below.
        } catch (RuntimeException | Error e) {
            // Whatever it is: a feed that is gone would be noticed by nobody.
            health.failed(String.valueOf(e));
        } finally {
            closeConsumer();
        }
    }

    private void closeConsumer() {
        Consumer<byte[], byte[]> closing = consumer;
        if (closing == null) {
            return;
        }
        try {
            commit(closing);
        } catch (WakeupException _) {
            // It came between the last poll and this.
            commitAgain(closing);
        } catch (RuntimeException e) {
            health.failed("commit: " + e);
        }
        try {
            closing.close(CloseOptions.timeout(KafkaClients.CLOSE));
        } catch (RuntimeException e) {
            health.failed("close: " + e);
        }
        consumer = null;
    }

    private void commitAgain(Consumer<byte[], byte[]> closing) {
        try {
            commit(closing);
        } catch (RuntimeException e) {
            health.failed("commit: " + e);
        }
    }

    private void consume(ConsumerRecords<byte[], byte[]> records) {
        if (!records.isEmpty()) {
            Arrivals arrivals = Arrivals.of(records, parts.reader(), parts.view(), BATCH_BYTES);
            while (!deliver(arrivals)) {
                if (isStopping()) {
                    return;
                }
                hold(nextPause());
            }
            uncommitted.putAll(arrivals.offsets());
        }
        commit(consumer);
        lag = lagNow();
        if (!uncommitted.isEmpty()) {
            return;
        }
        if (silence.isLong()) {
            health.failed("nothing was heard of " + parts.config().source().servers() + " for "
                    + Silence.LONGEST.toSeconds() + " s");
        } else if (silence.wasHeard()) {
            pause = pauses.first();
            health.well();
        }
    }

    /// Writes what is left to be written.
    ///
    /// @return whether nothing is left
    private boolean deliver(Arrivals arrivals) {
        try {
            while (!arrivals.batches().isEmpty()) {
                WriteBatch batch = arrivals.batches().element();
                parts.store().write(batch);
                rows.addAndGet(batch.rows());
                arrivals.batches().remove();
            }
            newestEventMicros = Math.max(newestEventMicros, arrivals.newestEventMicros());
        } catch (IOException | RuntimeException e) {
            health.failed("the store takes no rows: " + e.getMessage());
            return false;
        }
        if (arrivals.letters().isEmpty()) {
            return true;
        }
        String kept = parts.config().deadLetters().toString();
        try {
            parts.letters().add(arrivals.letters());
        } catch (IOException | RuntimeException e) {
            health.failed("dead letters cannot be kept in " + kept + ": " + e.getMessage());
            return false;
        }
        letters.addAndGet(arrivals.letters().size());
        DeadLetters.Letter last = arrivals.letters().getLast();
        ConsumerRecord<byte[], byte[]> record = last.record();
        health.dead(
                arrivals.letters().size(),
                "partition " + record.partition() + ", offset " + record.offset() + ": " + last.reason(),
                kept);
        arrivals.letters().clear();
        return true;
    }

    /// Stays in the group for a while without taking anything.
    private void hold(long millis) {
        holding = true;
        consumer.pause(consumer.assignment());
        ConsumerRecords<byte[], byte[]> surplus = consumer.poll(Duration.ofMillis(millis));
        // Partitions are paused as they are assigned, so there should be none.
        for (TopicPartition partition : surplus.partitions()) {
            consumer.seek(partition, surplus.records(partition).getFirst().offset());
        }
        consumer.resume(consumer.paused());
        holding = false;
    }

    private long nextPause() {
        long now = pause;
        pause = Math.min(pauses.longest(), 2 * pause);
        return now;
    }

    /// Commits what is durable. What cannot be committed now is committed with what comes next; if the
    /// partition is no longer this feed's, whoever has it reads it again.
    private void commit(Consumer<byte[], byte[]> committing) {
        if (uncommitted.isEmpty()) {
            return;
        }
        try {
            committing.commitSync(Map.copyOf(uncommitted), COMMIT);
            uncommitted.clear();
        } catch (CommitFailedException _) {
            uncommitted.clear();
        } catch (RebalanceInProgressException _) {
            // The next poll ends it.
        } catch (RetriableException e) {
            health.failed("offsets cannot be committed: " + e.getMessage());
        }
    }

    private long lagNow() {
        long sum = consumer.assignment().isEmpty() ? -1 : 0;
        for (TopicPartition partition : consumer.assignment()) {
            OptionalLong behind = consumer.currentLag(partition);
            if (behind.isEmpty()) {
                return -1;
            }
            sum += behind.getAsLong();
        }
        return sum;
    }

    /// Has it stop: what was consumed is written once more if that is possible, and committed.
    void stop() {
        stopping.countDown();
        Consumer<byte[], byte[]> now = consumer;
        if (now != null) {
            now.wakeup();
        }
    }

    private boolean isStopping() {
        return stopping.getCount() == 0;
    }

    FeedStatistics statistics() {
        long behind = lag;
        long newest = newestEventMicros;
        return new FeedStatistics(
                parts.config().view(),
                parts.config().source().topic(),
                rows.get(),
                letters.get(),
                behind < 0 ? OptionalLong.empty() : OptionalLong.of(behind),
                newest == Long.MIN_VALUE ? OptionalLong.empty() : OptionalLong.of(newest),
                health.isUp(),
                health.failures());
    }

    /// Partitions come and go, within a poll.
    private final class Rebalances implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit(consumer);
            uncommitted.keySet().removeAll(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            uncommitted.keySet().removeAll(partitions);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            if (holding) {
                consumer.pause(partitions);
            }
        }
    }
}
