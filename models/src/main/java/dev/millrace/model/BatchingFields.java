// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/// Reads `dynamic_batching`: sizes, delay, priorities and how they queue. Threads: one per file.
final class BatchingFields {
    private static final String PATH = "dynamic_batching.";
    private static final long MAX_MICROS = ModelConfig.MAX_DELAY.toNanos() / 1000;

    private final FieldReader reader;
    private final ModelConfig.Values values;
    private final List<Integer> preferred = new ArrayList<>();
    private final Map<Integer, QueuePolicy> queues = new TreeMap<>();

    BatchingFields(FieldReader reader, ModelConfig.Values values) {
        this.reader = reader;
        this.values = values;
    }

    void read(Field parent) {
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "preferred_batch_size" -> preferred.add(reader.integer(field, 1));
                case "max_queue_delay_microseconds" -> values.maxQueueDelay = Optional.of(micros(field));
                case "default_queue_policy" -> {
                    QueuePolicy policy = queuePolicy(PATH + field.name(), field);
                    values.maxQueueSize = policy.maxQueueSize();
                    values.defaultTimeout = policy.defaultTimeout();
                }
                case "priority_queue_policy" -> priorityQueuePolicy(field);
                case "priority_levels" -> values.priorityLevels = OptionalInt.of(reader.integer(field, 0));
                case "default_priority_level" -> values.defaultPriorityLevel = positive(field);
                default -> reader.other(PATH + field.name(), field);
            }
        }
        values.preferredBatchSizes = preferred;
        values.priorityQueuePolicy = queues;
    }

    private Duration micros(Field field) {
        return Duration.ofNanos(1000 * reader.number(field, 0, MAX_MICROS));
    }

    /// A number, where 0 is Triton's way to say that there is none.
    private OptionalInt positive(Field field) {
        int number = reader.integer(field, 0);
        return number == 0 ? OptionalInt.empty() : OptionalInt.of(number);
    }

    private QueuePolicy queuePolicy(String path, Field parent) {
        OptionalInt size = OptionalInt.empty();
        Optional<Duration> timeout = Optional.empty();
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "max_queue_size" -> size = positive(field);
                case "default_timeout_microseconds" ->
                    timeout = Optional.of(micros(field)).filter(Duration::isPositive);
                case "allow_timeout_override" -> {
                    if (!reader.bool(field)) {
                        reader.warn(path + ".allow_timeout_override (line " + field.line()
                                + ") has no effect: a request may always ask for a shorter timeout");
                    }
                }
                case "timeout_action" -> timeoutAction(field);
                default -> reader.other(path + "." + field.name(), field);
            }
        }
        return new QueuePolicy(size, timeout);
    }

    private void timeoutAction(Field field) {
        String action = reader.text(field);
        if (!action.equals("REJECT") && !action.equals("0")) {
            throw reader.invalid(field, "is " + action + ", expected REJECT: a request is not run after its deadline");
        }
    }

    private void priorityQueuePolicy(Field parent) {
        String path = PATH + parent.name();
        int level = 0;
        QueuePolicy policy = QueuePolicy.DEFAULT;
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "key" -> level = reader.integer(field, 1);
                case "value" -> policy = queuePolicy(path + ".value", field);
                default -> reader.other(path + "." + field.name(), field);
            }
        }
        queues.put(level, policy);
    }
}
