// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Kafka's clients of a feed. Threads: immutable, any; a client is its thread's.
final class KafkaClients {
    /// How long a client may take to say goodbye.
    static final Duration CLOSE = Duration.ofSeconds(5);
    /// How long a dead letter may be on its way before it is tried anew. Nobody polls meanwhile, so it is less than
    /// what a server has to stop, and than any interval of polls.
    private static final int DELIVERY_MILLIS = 8_000;

    private static final int REQUEST_MILLIS = 4_000;
    /// What a topic takes is for the brokers to say.
    private static final int MAX_REQUEST_BYTES = 1 << 30;

    private final Map<String, Object> consumer;
    private final Map<String, Object> producer;

    private KafkaClients(Map<String, Object> consumer, Map<String, Object> producer) {
        this.consumer = consumer;
        this.producer = producer;
    }

    /// @throws IOException if a property is wrong
    static KafkaClients of(FeedConfig config) throws IOException {
        Map<String, Object> consumer = consumer(config);
        try {
            var _ = new ConsumerConfig(consumer);
        } catch (ConfigException e) {
            throw new IOException("kafka: " + e.getMessage(), e);
        }
        return new KafkaClients(consumer, producer(config));
    }

    private static Map<String, Object> consumer(FeedConfig config) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(ConsumerConfig.CLIENT_ID_CONFIG, "millrace-" + config.view());
        // A view that nobody has filled yet begins with all that there is.
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.putAll(config.source().properties());
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, config.source().servers());
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, config.source().group());
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return Map.copyOf(properties);
    }

    private static Map<String, Object> producer(FeedConfig config) {
        Map<String, Object> properties = new HashMap<>();
        config.source().properties().forEach((name, value) -> {
            if (name.matches("(security|ssl|sasl|client\\.dns)\\..*")) {
                properties.put(name, value);
            }
        });
        properties.put(ProducerConfig.CLIENT_ID_CONFIG, "millrace-" + config.view() + "-dead");
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, config.source().servers());
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_BYTES);
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, REQUEST_MILLIS);
        properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_MILLIS);
        properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, DELIVERY_MILLIS);
        properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        return Map.copyOf(properties);
    }

    Consumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(consumer);
    }

    Producer<byte[], byte[]> producer() {
        return new KafkaProducer<>(producer);
    }
}
