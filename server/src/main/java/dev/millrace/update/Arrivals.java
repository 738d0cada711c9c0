// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import dev.millrace.update.DeadLetters.Letter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/// What one poll brought: batches of rows, dead letters, and the offsets to commit when both are
/// durable. Threads: one.
final class Arrivals {
    private final Queue<WriteBatch> batches = new ArrayDeque<>();
    private final List<Letter> letters = new ArrayList<>();
    private final Map<TopicPartition, OffsetAndMetadata> offsets;
    private long newestEventMicros = Long.MIN_VALUE;

    private Arrivals(Map<TopicPartition, OffsetAndMetadata> offsets) {
        this.offsets = offsets;
    }

    /// @param maxBytes a batch has no more than this, and one row
    static Arrivals of(ConsumerRecords<byte[], byte[]> records, RowReader reader, View view, int maxBytes) {
        Arrivals arrivals = new Arrivals(records.nextOffsets());
        WriteBatch batch = new WriteBatch();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            try {
                UpdateRow row = reader.read(record);
                row.addTo(batch, view);
                arrivals.newestEventMicros = Math.max(arrivals.newestEventMicros, row.eventTime());
            } catch (MessageException e) {
                arrivals.letters.add(new Letter(record, e.getMessage()));
            }
            if (batch.bytes() >= maxBytes) {
                arrivals.batches.add(batch);
                batch = new WriteBatch();
            }
        }
        if (batch.rows() > 0) {
            arrivals.batches.add(batch);
        }
        return arrivals;
    }

    /// Those that are to be written.
    Queue<WriteBatch> batches() {
        return batches;
    }

    /// Those that are to be kept.
    List<Letter> letters() {
        return letters;
    }

    /// Where consuming goes on.
    Map<TopicPartition, OffsetAndMetadata> offsets() {
        return offsets;
    }

    /// The latest event time of its rows; [Long#MIN_VALUE] without rows.
    long newestEventMicros() {
        return newestEventMicros;
    }
}
