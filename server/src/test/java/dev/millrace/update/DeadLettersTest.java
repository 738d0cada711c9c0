// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.update.DeadLetters.Letter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeadLettersTest {
    @TempDir
    Path temp;

    private final List<MockProducer<byte[], byte[]>> producers = new ArrayList<>();

    private static Letter letter(long offset, byte[] key, byte[] value, String reason) {
        return new Letter(new ConsumerRecord<>("t", 3, offset, key, value), reason);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void shouldKeepLettersInAFile() throws IOException {
        Path file = temp.resolve("dead.jsonl");
        try (DeadLetters letters = DeadLetterFile.open(file, "v")) {
            letters.add(
                    List.of(letter(7, null, utf8("x\n"), "say \"why\""), letter(8, utf8("k"), null, "nothing came")));
            assertThat(Files.readAllLines(file)).hasSize(2);
        }
        // What a crash has left of a line ends there.
        Files.writeString(file, Files.readString(file) + "{\"view\":");
        try (DeadLetters letters = DeadLetterFile.open(file, "v")) {
            letters.add(List.of(letter(9, null, new byte[0], "empty")));
        }

        assertThat(Files.readAllLines(file))
                .containsExactly(
                        "{\"view\":\"v\",\"topic\":\"t\",\"partition\":3,\"offset\":7,\"timestamp\":-1,"
                                + "\"reason\":\"say \\\"why\\\"\",\"key\":null,\"value\":\"eAo=\"}",
                        "{\"view\":\"v\",\"topic\":\"t\",\"partition\":3,\"offset\":8,\"timestamp\":-1,"
                                + "\"reason\":\"nothing came\",\"key\":\"aw==\",\"value\":null}",
                        "{\"view\":",
                        "{\"view\":\"v\",\"topic\":\"t\",\"partition\":3,\"offset\":9,\"timestamp\":-1,"
                                + "\"reason\":\"empty\",\"key\":null,\"value\":\"\"}");
    }

    private DeadLetterTopic topic(boolean completes) {
        return new DeadLetterTopic("dead", () -> {
            MockProducer<byte[], byte[]> producer =
                    new MockProducer<>(completes, null, new ByteArraySerializer(), new ByteArraySerializer());
            producers.add(producer);
            return producer;
        });
    }

    private static String header(ProducerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    @Test
    void shouldKeepLettersInATopic() throws IOException {
        try (DeadLetters letters = topic(true)) {
            assertThat(producers).as("none before the first letter").isEmpty();
            letters.add(List.of(letter(7, utf8("k"), utf8("v"), "the reason")));
            letters.add(List.of(letter(8, null, null, "another")));
        }

        MockProducer<byte[], byte[]> producer = producers.getFirst();
        assertThat(producers).hasSize(1);
        assertThat(producer.closed()).isTrue();
        ProducerRecord<byte[], byte[]> first = producer.history().getFirst();
        assertThat(first.topic()).isEqualTo("dead");
        assertThat(first.key()).isEqualTo(utf8("k"));
        assertThat(first.value()).isEqualTo(utf8("v"));
        assertThat(header(first, DeadLetterTopic.REASON)).isEqualTo("the reason");
        assertThat(header(first, DeadLetterTopic.PLACE)).isEqualTo("t 3 7 -1");
        assertThat(producer.history()).hasSize(2);
    }

    @Test
    void shouldFailWhenTheTopicTakesNoLettersAndTryWithAnotherProducer() throws IOException {
        List<RuntimeException> failures = new ArrayList<>(List.of(new TimeoutException("no broker")));
        DeadLetterTopic letters = new DeadLetterTopic("dead", () -> {
            MockProducer<byte[], byte[]> producer =
                    new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
            producer.sendException = failures.isEmpty() ? null : failures.removeFirst();
            producers.add(producer);
            return producer;
        });

        assertThatThrownBy(() -> letters.add(List.of(letter(7, null, utf8("v"), "why"))))
                .isInstanceOf(IOException.class)
                .hasMessage("topic 'dead': no broker");
        letters.add(List.of(letter(7, null, utf8("v"), "why")));

        assertThat(producers).hasSize(2);
        assertThat(producers.getFirst().closed()).isTrue();
        letters.close();
    }

    @Test
    void shouldFailWhenThereCanBeNoProducer() {
        DeadLetterTopic letters = new DeadLetterTopic("dead", () -> {
            throw new KafkaException("no such host");
        });

        assertThatThrownBy(() -> letters.add(List.of(letter(7, null, utf8("v"), "why"))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no such host");
        letters.close();
    }

    @Test
    void shouldLeaveTheValueOutWhenItIsTooLargeForTheTopic() throws IOException {
        int most = 10;
        DeadLetterTopic letters = new DeadLetterTopic("dead", () -> {
            MockProducer<byte[], byte[]> producer = new Limited(most);
            producers.add(producer);
            return producer;
        });

        letters.add(List.of(letter(7, null, new byte[11], "why"), letter(8, null, new byte[10], "why")));

        assertThat(producers.getFirst().history())
                .extracting(record -> record.value() == null ? -1 : record.value().length)
                .containsExactly(10, -1);
        assertThat(header(producers.getFirst().history().getLast(), DeadLetterTopic.LEFT_OUT))
                .isEqualTo("11");
        assertThat(header(producers.getFirst().history().getLast(), DeadLetterTopic.PLACE))
                .isEqualTo("t 3 7 -1");
        letters.close();
    }

    /// Takes values up to a length.
    private static final class Limited extends MockProducer<byte[], byte[]> implements Producer<byte[], byte[]> {
        private final int most;

        Limited(int most) {
            super(true, null, new ByteArraySerializer(), new ByteArraySerializer());
            this.most = most;
        }

        @Override
        public synchronized java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata> send(
                ProducerRecord<byte[], byte[]> record) {
            return record.value() != null && record.value().length > most
                    ? java.util.concurrent.CompletableFuture.failedFuture(new RecordTooLargeException("too large"))
                    : super.send(record);
        }
    }
}
