// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/// Reads `parameters`: ONNX Runtime's, by Triton's names, and those that Triton does not have. Threads: one per file.
final class ParameterFields {
    /// Of Triton's backend for ONNX Runtime, where it runs models on a GPU.
    private static final Set<String> GPU =
            Set.of("cudnn_conv_algo_search", "gpu_mem_limit", "arena_extend_strategy", "do_copy_in_default_stream");

    /// What the names of parameters begin with that give a version another name.
    private static final String ALIASES = "aliases.";

    private final FieldReader reader;
    private final ModelConfig.Values values;
    private final Map<String, String> ort = new TreeMap<>();
    private final Map<String, Long> aliases = new TreeMap<>();

    ParameterFields(FieldReader reader, ModelConfig.Values values) {
        this.reader = reader;
        this.values = values;
    }

    void read(Field parent) {
        String key = "";
        String value = "";
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "key" -> key = reader.text(field);
                case "value" -> value = value(field);
                default -> reader.other(parent.name() + "." + field.name(), field);
            }
        }
        set(parent, key, value);
        values.parameters = ort;
        values.aliases = aliases;
    }

    private String value(Field parent) {
        String value = "";
        for (Field field : reader.fields(parent)) {
            if (field.name().equals("string_value")) {
                value = reader.text(field);
            } else {
                reader.other("parameters.value." + field.name(), field);
            }
        }
        return value;
    }

    private void set(Field parent, String key, String value) {
        switch (key) {
            case "intra_op_thread_count" -> {
                int threads = (int) number(parent, key, value, 4, "number of threads");
                // ONNX Runtime's way to say that it may choose; here the runtime does.
                values.intraOpThreads = threads == 0 ? OptionalInt.empty() : OptionalInt.of(threads);
            }
            case "objective.p99_ms" -> values.objectiveP99 = Optional.of(milliseconds(parent, value));
            case "scheduling.weight" ->
                values.weight = OptionalInt.of((int) number(parent, key, value, 9, "whole number"));
            case "memory.limit_bytes" ->
                values.memoryLimit = OptionalLong.of(number(parent, key, value, 18, "number of bytes"));
            case "breaker.failures" ->
                values.breakerFailures = OptionalInt.of((int) number(parent, key, value, 9, "whole number"));
            case "keep_previous" ->
                values.keepPrevious = OptionalInt.of((int) number(parent, key, value, 1, "number, 0 or 1"));
            case "batching.dependent_rows" -> values.dependentRows = Optional.of(flag(parent, key, value));
            default -> other(parent, key, value);
        }
    }

    private void other(Field parent, String key, String value) {
        if (key.startsWith(ALIASES)) {
            aliases.put(key.substring(ALIASES.length()), number(parent, key, value, 18, "version's number"));
        } else if (OrtParameters.isKnown(key)) {
            ort.put(key, value);
        } else {
            reader.warn("parameter '" + key + "' (line " + parent.line() + ") "
                    + (GPU.contains(key) ? "has no effect: models run on the CPU" : "is not known and has no effect"));
        }
    }

    private long number(Field field, String key, String value, int digits, String what) {
        if (!value.matches("[0-9]{1," + digits + "}")) {
            throw reader.invalid(field, "'" + key + "' is '" + value + "', expected a " + what);
        }
        return Long.parseLong(value);
    }

    private boolean flag(Field field, String key, String value) {
        if (!value.matches("[01]")) {
            throw reader.invalid(field, "'" + key + "' is '" + value + "', expected 0 or 1");
        }
        return value.equals("1");
    }

    private Duration milliseconds(Field field, String value) {
        try {
            return Duration.ofNanos(new BigDecimal(value).movePointRight(6).longValue());
        } catch (ArithmeticException | NumberFormatException _) {
            throw reader.invalid(field, "'objective.p99_ms' is '" + value + "', expected a number of milliseconds");
        }
    }
}
