// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads `ensemble_scheduling`. Threads: one per file.
final class EnsembleFields {
    private final FieldReader reader;
    private final List<EnsembleConfig.Step> steps = new ArrayList<>();

    EnsembleFields(FieldReader reader) {
        this.reader = reader;
    }

    List<EnsembleConfig.Step> steps() {
        return steps;
    }

    void read(Field parent) {
        for (Field field : reader.fields(parent)) {
            if (field.name().equals("step")) {
                steps.add(step(field));
            } else {
                reader.other(parent.name() + "." + field.name(), field);
            }
        }
        if (steps.isEmpty()) {
            throw reader.invalid(parent, "has no step, expected one at least");
        }
    }

    private EnsembleConfig.Step step(Field parent) {
        String model = "";
        long version = EnsembleConfig.LIVE;
        Map<String, String> inputs = new LinkedHashMap<>();
        Map<String, String> outputs = new LinkedHashMap<>();
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "model_name" -> model = reader.text(field);
                case "model_version" -> version = reader.number(field, EnsembleConfig.LIVE, Long.MAX_VALUE);
                case "input_map" -> entry(field, inputs);
                case "output_map" -> entry(field, outputs);
                default -> reader.other("ensemble_scheduling.step." + field.name(), field);
            }
        }
        if (model.isEmpty()) {
            throw reader.invalid(parent, "has no model_name, expected one");
        }
        return new EnsembleConfig.Step(model, version, inputs, outputs);
    }

    private void entry(Field parent, Map<String, String> into) {
        String key = "";
        String value = "";
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "key" -> key = reader.text(field);
                case "value" -> value = reader.text(field);
                default -> reader.other("ensemble_scheduling.step." + parent.name() + "." + field.name(), field);
            }
        }
        if (key.isEmpty() || value.isEmpty()) {
            throw reader.invalid(parent, "is from '" + key + "' to '" + value + "', expected two names");
        }
        if (into.put(key, value) != null) {
            throw reader.invalid(parent, "maps '" + key + "' twice, expected once");
        }
    }
}
