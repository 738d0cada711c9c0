// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/// A topic and what a group has committed, without a broker. Its consumers run on the thread of the
/// test, one after the other, so what happens in between is decided by the test. Threads: one.
final class FakeTopic {
    static final String NAME = "t";
    private static final long TIMESTAMP = 1_000;

    private final List<List<ConsumerRecord<byte[], byte[]>>> partitions = new ArrayList<>();
    final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
    /// How many records a poll brings.
    int pollRecords = 500;
    /// Done when a poll brought nothing, though nothing was paused.
    Runnable idle = () -> {};
    /// Done instead of, or before, a commit.
    Runnable committing = () -> {};
    /// Done before each poll.
    java.util.function.Consumer<FakeConsumer> polling = _ -> {};
    /// All that there were.
    final List<FakeConsumer> consumers = new ArrayList<>();

    FakeTopic(int count) {
        for (int i = 0; i < count; i++) {
            partitions.add(new ArrayList<>());
        }
    }

    static TopicPartition partition(int number) {
        return new TopicPartition(NAME, number);
    }

    FakeTopic add(int partition, String key, String value) {
        List<ConsumerRecord<byte[], byte[]>> records = partitions.get(partition);
        records.add(new ConsumerRecord<>(
                NAME,
                partition,
                records.size(),
                TIMESTAMP,
                TimestampType.CREATE_TIME,
                -1,
                -1,
                bytes(key),
                bytes(value),
                new RecordHeaders(),
                Optional.empty()));
        return this;
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    long committed(int partition) {
        OffsetAndMetadata offset = committed.get(partition(partition));
        return offset == null ? 0 : offset.offset();
    }

    int partitions() {
        return partitions.size();
    }

    /// Whether all records are.
    boolean isCommitted() {
        for (int i = 0; i < partitions.size(); i++) {
            if (committed(i) < partitions.get(i).size()) {
                return false;
            }
        }
        return true;
    }

    long records() {
        return partitions.stream().mapToLong(List::size).sum();
    }

    FakeConsumer consumer() {
        FakeConsumer consumer = new FakeConsumer();
        consumers.add(consumer);
        return consumer;
    }

    /// Has all partitions from its first poll on.
    final class FakeConsumer extends MockConsumer<byte[], byte[]> {
        final List<Integer> pausedWhenPolled = new ArrayList<>();

        FakeConsumer() {
            super("earliest");
            setMaxPollRecords(pollRecords);
        }

        @Override
        public synchronized void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
            super.subscribe(topics, listener);
            List<TopicPartition> all = new ArrayList<>();
            for (int i = 0; i < partitions.size(); i++) {
                all.add(partition(i));
            }
            schedulePollTask(() -> assignNow(all));
        }

        /// What a rebalance does, within a poll.
        void assignNow(Collection<TopicPartition> all) {
            List<TopicPartition> before = List.copyOf(assignment());
            Map<TopicPartition, Long> begin = new HashMap<>();
            Map<TopicPartition, Long> end = new HashMap<>();
            for (TopicPartition partition : all) {
                begin.put(partition, 0L);
                end.put(partition, (long) partitions.get(partition.partition()).size());
            }
            updateBeginningOffsets(begin);
            updateEndOffsets(end);
            Map<TopicPartition, Long> from = new HashMap<>();
            for (TopicPartition partition : all) {
                from.put(
                        partition,
                        before.contains(partition)
                                ? position(partition)
                                : (Long) FakeTopic.this.committed(partition.partition()));
            }
            // As a consumer of Kafka does: what is paused is so until it is revoked. It also forgets all records.
            resume(paused().stream().filter(paused -> !all.contains(paused)).toList());
            rebalance(all);
            from.forEach((partition, offset) -> {
                seek(partition, offset);
                partitions.get(partition.partition()).stream()
                        .filter(record -> record.offset() >= offset)
                        .forEach(this::addRecord);
            });
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            pausedWhenPolled.add(paused().size());
            polling.accept(this);
            ConsumerRecords<byte[], byte[]> records = super.poll(timeout);
            if (records.isEmpty() && paused().isEmpty()) {
                idle.run();
            }
            return records;
        }

        @Override
        public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
            committing.run();
            committed.putAll(offsets);
        }
    }
}
