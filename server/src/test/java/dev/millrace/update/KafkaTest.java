// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A server with a feed, and a broker in this process: records that are produced are answered over HTTP,
/// also after the server was started anew, and after the broker was away.
@Tag("slow")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class KafkaTest {
    private static final String TOPIC = "changes";
    private static final String DEAD = "changes-dead";
    private static final String LABELS = "{topic=\"changes\",view=\"customers\"}";
    /// Far from any that is needed.
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @TempDir
    Path temp;

    private Broker broker;
    private EmbeddedStore store;
    private TestServer server;

    @BeforeEach
    void startBroker() throws Exception {
        broker = Broker.start(temp);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.servers()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, 2, (short) 1), new NewTopic(DEAD, 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    @AfterEach
    void stopAll() throws Exception {
        stopServer();
        broker.close();
    }

    private void startServer() throws IOException {
        store = EmbeddedStore.open(
                temp.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("view customers\nkey customer string(16)\nfield amount float64\n"));
        FeedConfig config = new FeedConfig(
                "customers",
                new FeedConfig.Source(
                        broker.servers(),
                        TOPIC,
                        "scoring-1",
                        Map.of("reconnect.backoff.max.ms", "200", "max.poll.records", "7")),
                new FeedConfig.Format(FeedConfig.Kind.JSON, Optional.empty(), Optional.empty(), false),
                Map.of(),
                Optional.of(new FeedConfig.Time("at", EpochUnit.MICROS)),
                Optional.empty(),
                new FeedConfig.Letters(Optional.of(DEAD), Optional.empty()),
                Optional.of(FeedConfig.KeyForm.TEXT));
        server = TestServer.start(start ->
                start.withRuntime(start.runtime().withFeatureStore(store)).withUpdates(List.of(config)));
    }

    private void stopServer() throws IOException {
        if (server != null) {
            // The server looks at all native memory of the process when it closes, and lets go of Kafka before.
            server.server().close();
            store.close();
            server.close();
            server = null;
        }
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static String change(String customer, long at, double amount) {
        return "{'customer':'" + customer + "','at':" + at + ",'amount':" + amount + "}";
    }

    private void produce(Map<String, String> records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.servers()), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (Map.Entry<String, String> record : records.entrySet()) {
                producer.send(new ProducerRecord<>(TOPIC, bytes(record.getKey()), bytes(record.getValue())))
                        .get();
            }
        }
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("waited in vain: %s", what).isNegative();
            Thread.sleep(20);
        }
    }

    private double metric(String name) {
        String text = server.get("/metrics").body();
        Matcher line = Pattern.compile("(?m)^millrace_update_" + name + Pattern.quote(LABELS) + " (\\S+)$")
                .matcher(text);
        assertThat(line.find()).as("%s in %s", name, text).isTrue();
        return Double.parseDouble(line.group(1));
    }

    private String amounts(String... customers) {
        String keys = "'" + String.join("','", customers) + "'";
        String body = server.post(
                        "/get-online-features",
                        new String(
                                bytes("{'features':['customers:amount'],'entities':{'customer':[" + keys + "]}}"),
                                StandardCharsets.UTF_8))
                .body();
        // Those of the key come first.
        List<String> values = Pattern.compile("\"values\":(\\[[^\\]]*])")
                .matcher(body)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(values).as(body).hasSize(2);
        return values.getLast();
    }

    private List<ConsumerRecord<byte[], byte[]>> deadLetters(int count) {
        List<ConsumerRecord<byte[], byte[]>> letters = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.servers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(DEAD, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (letters.size() < count && System.nanoTime() - end < 0) {
                consumer.poll(Duration.ofMillis(200)).forEach(letters::add);
            }
        }
        return letters;
    }

    @Test
    void shouldAnswerWhatWasProduced() throws Exception {
        Map<String, String> first = new java.util.LinkedHashMap<>();
        for (int i = 0; i < 50; i++) {
            first.put("c" + i, change("c" + i, 10, i));
        }
        first.put("poison", "nonsense");
        first.put("c7", change("c7", 10, 7));
        produce(first);
        startServer();
        await("rows", () -> metric("rows_total") == 50 && metric("dead_letters_total") == 1);

        assertThat(amounts("c0", "c7", "c49", "c50")).isEqualTo("[0.0,7.0,49.0,null]");
        await("no lag", () -> metric("lag_records") == 0);
        await("up", () -> metric("up") == 1);
        assertThat(metric("freshness_seconds")).isPositive();
        assertThat(deadLetters(1)).singleElement().satisfies(letter -> {
            assertThat(letter.key()).isEqualTo(bytes("poison"));
            assertThat(letter.value()).isEqualTo(bytes("nonsense"));
            assertThat(new String(
                            letter.headers().lastHeader(DeadLetterTopic.REASON).value(), StandardCharsets.UTF_8))
                    .startsWith("malformed JSON");
        });

        stopServer();
        produce(Map.of("c0", change("c0", 20, 100), "c1", change("c1", 5, 100), "c50", change("c50", 1, 50)));
        startServer();
        await("what came meanwhile", () -> metric("rows_total") == 3);
        assertThat(amounts("c0", "c1", "c50")).as("the newest of each").isEqualTo("[100.0,1.0,50.0]");
        assertThat(metric("dead_letters_total")).isZero();

        goAndComeBack();
    }

    private void goAndComeBack() throws Exception {
        await("up", () -> metric("up") == 1);
        broker.stop();
        await("down", () -> metric("up") == 0);
        assertThat(amounts("c0")).as("with what it has").isEqualTo("[100.0]");
        broker.start();
        java.util.HashMap<String, String> deletion = new java.util.HashMap<>();
        deletion.put("c0", change("c0", 30, 300));
        deletion.put("c2", null);
        produce(deletion);
        await("what came afterwards", () -> amounts("c0", "c2").equals("[300.0,null]"));
        await("up again", () -> metric("up") == 1);
    }
}
