// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import dev.millrace.features.FeatureProbe;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.FeatureTemplate.Gap;
import dev.millrace.spec.FitOptions;
import dev.millrace.spec.ValueKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Learns vocabularies, and the most frequent value. Threads: one.
final class CategoryLearner extends Learner {
    private static final int FIRST_PRINTABLE = 0x20;
    private static final Comparator<Object> BY_VALUE = CategoryLearner::compare;

    private final ValueKind kind;
    private final Counts<Object> counts = new Counts<>(BY_VALUE);

    CategoryLearner(Gap gap, int feature, ValueKind kind) {
        super(gap, feature);
        this.kind = kind;
        if (gap.operator().equals("impute")
                && kind == ValueKind.TEXT
                && gap.options().strategy() != FitOptions.Strategy.MODE) {
            throw new IllegalArgumentException(gap.place() + ": a text has no "
                    + (gap.options().strategy() == FitOptions.Strategy.MEAN ? "mean" : "median")
                    + ", expected fit: {strategy: mode}");
        }
    }

    @Override
    void take(FeatureProbe probe, int place, FeatureRow row) {
        counts.add(
                switch (kind) {
                    case TEXT -> probe.text(place, row);
                    case NUMBER -> finite(probe.number(place));
                    default -> probe.whole(place);
                });
    }

    private static int compare(Object a, Object b) {
        return switch (a) {
            case String text ->
                Arrays.compareUnsigned(
                        text.getBytes(StandardCharsets.UTF_8), ((String) b).getBytes(StandardCharsets.UTF_8));
            case Double number -> number.compareTo((Double) b);
            default -> ((Long) a).compareTo((Long) b);
        };
    }

    @Override
    String learned() {
        FitOptions options = gap.options();
        if (gap.operator().equals("impute")) {
            return "{\"value\": " + json(counts.mostFrequent(1, 1).getFirst()) + "}";
        }
        List<Object> values = new ArrayList<>(counts.mostFrequent(options.maxSize(), options.minCount()));
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no category came as often as fit.min_count says, " + options.minCount()
                    + " times, expected one at least");
        }
        if (options.order() == FitOptions.Order.VALUE) {
            values.sort(BY_VALUE);
        }
        return values.stream().map(CategoryLearner::json).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String json(Object value) {
        if (!(value instanceof String text)) {
            return value.toString();
        }
        StringBuilder json = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < FIRST_PRINTABLE) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
