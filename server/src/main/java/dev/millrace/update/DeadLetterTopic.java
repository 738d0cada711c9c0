// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Headers;

/// Keeps dead letters in a topic: key, value and headers as they came, and headers that say where
/// they were and why they are here. Threads: one. Ownership: it makes a producer with the first
/// letter, anew after a failure, and closes it.
final class DeadLetterTopic implements DeadLetters {
    static final String REASON = "millrace.reason";
    static final String PLACE = "millrace.place";
    /// There is one where the value was too large for the topic, and is not there.
    static final String LEFT_OUT = "millrace.value_bytes";

    private final String topic;
    private final Supplier<Producer<byte[], byte[]>> producers;
    private Producer<byte[], byte[]> producer;

    DeadLetterTopic(String topic, Supplier<Producer<byte[], byte[]>> producers) {
        this.topic = topic;
        this.producers = producers;
    }

    @Override
    public void add(List<Letter> letters) throws IOException {
        try {
            if (producer == null) {
                producer = producers.get();
            }
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (Letter letter : letters) {
                sent.add(producer.send(record(letter, true)));
            }
            producer.flush();
            for (int i = 0; i < sent.size(); i++) {
                await(sent.get(i), letters.get(i));
            }
        } catch (ExecutionException e) {
            close();
            throw new IOException("topic '" + topic + "': " + e.getCause().getMessage(), e);
        } catch (KafkaException e) {
            close();
            throw new IOException("topic '" + topic + "': " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while dead letters were written", e);
        }
    }

    private void await(Future<RecordMetadata> sent, Letter letter) throws ExecutionException, InterruptedException {
        try {
            sent.get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof RecordTooLargeException)) {
                throw e;
            }
            // It would be so for ever; where it came from is in the headers.
            producer.send(record(letter, false)).get();
        }
    }

    private ProducerRecord<byte[], byte[]> record(Letter letter, boolean whole) {
        ConsumerRecord<byte[], byte[]> from = letter.record();
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, null, from.key(), whole ? from.value() : null, from.headers());
        Headers headers = record.headers();
        headers.add(REASON, letter.reason().getBytes(StandardCharsets.UTF_8));
        headers.add(
                PLACE,
                (from.topic() + " " + from.partition() + " " + from.offset() + " " + from.timestamp())
                        .getBytes(StandardCharsets.UTF_8));
        if (!whole) {
            headers.add(LEFT_OUT, Integer.toString(from.value().length).getBytes(StandardCharsets.UTF_8));
        }
        return record;
    }

    @Override
    public void close() {
        if (producer != null) {
            try {
                producer.close(KafkaClients.CLOSE);
            } finally {
                producer = null;
            }
        }
    }
}
