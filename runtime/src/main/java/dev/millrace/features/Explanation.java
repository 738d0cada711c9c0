// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.Input;
import dev.millrace.spec.ValueKind;
import java.util.ArrayList;
import java.util.List;

/// What became of a row, feature by feature: raw values, what each step made of them, and the
/// columns.
///
/// @param digest the specification's
/// @param problem what the row was rejected for; null if it was not. What follows is told up to
///     there.
public record Explanation(
        String name, long version, String digest, boolean degraded, String problem, List<OfFeature> features) {
    /// The features cannot change.
    public Explanation {
        features = List.copyOf(features);
    }

    /// A value with what it is called: an input, a step or a column.
    public record Item(String name, String value) {}

    /// One feature.
    ///
    /// @param ageMicros how old the stored values are, or [FeatureRow#NO_AGE]
    /// @param raw the inputs
    /// @param steps what each step gave
    /// @param columns what is written; empty if the row was rejected before
    public record OfFeature(
            String name, FeatureStatus status, long ageMicros, List<Item> raw, List<Item> steps, List<Item> columns) {
        /// Nothing of it can change.
        public OfFeature {
            raw = List.copyOf(raw);
            steps = List.copyOf(steps);
            columns = List.copyOf(columns);
        }
    }

    static Explanation of(FeaturePlan plan, FeatureRow row) {
        List<OfFeature> features = new ArrayList<>();
        boolean accepted = plan.prepare(row);
        for (int i = 0; accepted && i < plan.features().length; i++) {
            FeatureSteps feature = plan.features()[i];
            List<Item> raw = new ArrayList<>();
            List<Item> steps = new ArrayList<>();
            List<Item> columns = new ArrayList<>();
            row.enter(feature);
            for (int input = 0; input < feature.inputs.length; input++) {
                Input from = feature.feature.inputs().get(input);
                raw.add(new Item(
                        from.word(),
                        shown(row, from.kind(), row.nulls[feature.inputs[input]], row.slots[feature.inputs[input]])));
            }
            for (Step step : feature.steps) {
                accepted = accepted && Interpreter.step(step, row, feature);
                if (accepted && step.kind != ValueKind.VECTOR) {
                    steps.add(new Item(step.label, shown(row, step.kind, row.missing, row.bits)));
                }
            }
            accepted = accepted && Interpreter.finish(feature, row);
            for (int column = 0;
                    accepted && column < feature.feature.columns().names().size();
                    column++) {
                float value = (float) row.columns[feature.first + column];
                columns.add(new Item(feature.feature.columns().names().get(column), Float.toString(value)));
            }
            features.add(new OfFeature(feature.feature.name(), row.status(i), row.ageMicros(i), raw, steps, columns));
        }
        return new Explanation(
                plan.spec().name(),
                plan.spec().version(),
                plan.spec().digest(),
                row.isDegraded(),
                row.problem(),
                features);
    }

    private static String shown(FeatureRow row, ValueKind kind, boolean isNull, long bits) {
        return isNull ? "null" : row.shown(kind, bits);
    }

    /// As a table of text, a line for each feature.
    public String toText() {
        StringBuilder text =
                new StringBuilder(name + " " + version + " " + digest + (degraded ? " degraded" : "") + "\n");
        int width = features.stream()
                .mapToInt(feature -> feature.name().length())
                .max()
                .orElse(0);
        for (OfFeature feature : features) {
            text.append(String.format("%-" + Math.max(1, width) + "s  %-15s", feature.name(), feature.status()));
            text.append("  ").append(joined(feature.raw()));
            feature.steps()
                    .forEach(step ->
                            text.append(" -> ").append(step.name()).append(' ').append(step.value()));
            text.append(" => ").append(joined(feature.columns()));
            if (feature.ageMicros() >= 0) {
                text.append("  (").append(feature.ageMicros()).append(" us old)");
            }
            text.append('\n');
        }
        return problem == null
                ? text.toString()
                : text.append("rejected: ").append(problem).append('\n').toString();
    }

    private static String joined(List<Item> items) {
        return String.join(
                ", ",
                items.stream().map(item -> item.name() + "=" + item.value()).toList());
    }

    /// As an object in JSON. Values are texts, so that NaN and infinities are what they are.
    public String toJson() {
        StringBuilder json = new StringBuilder("{\"name\":").append(quoted(name));
        json.append(",\"version\":").append(version).append(",\"digest\":").append(quoted(digest));
        json.append(",\"degraded\":").append(degraded);
        json.append(",\"problem\":")
                .append(problem == null ? "null" : quoted(problem))
                .append(",\"features\":[");
        String separator = "";
        for (OfFeature feature : features) {
            json.append(separator).append("{\"name\":").append(quoted(feature.name()));
            json.append(",\"status\":\"").append(feature.status()).append("\",\"age_micros\":");
            json.append(feature.ageMicros() < 0 ? "null" : Long.toString(feature.ageMicros()));
            json.append(",\"raw\":").append(list(feature.raw()));
            json.append(",\"steps\":").append(list(feature.steps()));
            json.append(",\"columns\":").append(list(feature.columns())).append('}');
            separator = ",";
        }
        return json.append("]}").toString();
    }

    private static String list(List<Item> items) {
        return "["
                + String.join(
                        ",",
                        items.stream()
                                .map(item ->
                                        "{\"name\":" + quoted(item.name()) + ",\"value\":" + quoted(item.value()) + "}")
                                .toList())
                + "]";
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char character : text.toCharArray()) {
            if (character == '"' || character == '\\') {
                quoted.append('\\').append(character);
            } else if (character < ' ') {
                quoted.append(String.format("\\u%04x", (int) character));
            } else {
                quoted.append(character);
            }
        }
        return quoted.append('"').toString();
    }
}
