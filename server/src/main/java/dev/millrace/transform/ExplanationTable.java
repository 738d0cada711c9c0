// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.Explanation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// An explanation for people: a line for each feature, and beside it what it came from. Stateless.
final class ExplanationTable {
    private static final List<String> HEADER =
            List.of("feature", "status", "raw", "treated", "transformed", "columns", "age");
    /// What steps before the transforms are called.
    private static final Set<String> TREATMENTS = Set.of("outlier", "missing", "invalid");

    private static final String ZERO = "0.0";
    private static final int MOST_COLUMNS = 8;
    private static final String NONE = "-";

    private ExplanationTable() {}

    static String of(Explanation explanation) {
        List<List<String>> lines = new ArrayList<>(List.of(HEADER));
        boolean anyAge = false;
        for (Explanation.OfFeature feature : explanation.features()) {
            lines.add(line(feature));
            anyAge |= feature.ageMicros() >= 0;
        }
        StringBuilder text = new StringBuilder(explanation.name() + " " + explanation.version() + " "
                + explanation.digest() + (explanation.degraded() ? ", degraded" : "") + "\n\n");
        text.append(aligned(lines, anyAge ? HEADER.size() : HEADER.size() - 1));
        if (explanation.problem() != null) {
            text.append("\nrejected: ")
                    .append(Complaints.plain(explanation.problem()))
                    .append('\n');
        }
        return text.toString();
    }

    private static List<String> line(Explanation.OfFeature feature) {
        List<Explanation.Item> treated = new ArrayList<>();
        List<Explanation.Item> transformed = new ArrayList<>();
        for (Explanation.Item step : feature.steps()) {
            // A treatment comes before all transforms.
            boolean early = transformed.isEmpty() && TREATMENTS.contains(step.name());
            (early ? treated : transformed).add(step);
        }
        return List.of(
                feature.name(),
                feature.status().name(),
                joined(feature.raw(), "=", ", "),
                joined(treated, " ", " -> "),
                joined(transformed, " ", " -> "),
                columns(feature.columns()),
                feature.ageMicros() < 0 ? NONE : feature.ageMicros() + " us");
    }

    private static String joined(List<Explanation.Item> items, String between, String separator) {
        if (items.isEmpty()) {
            return NONE;
        }
        return Complaints.plain(String.join(
                separator,
                items.stream().map(item -> item.name() + between + item.value()).toList()));
    }

    /// The columns; of many those that are not zero.
    private static String columns(List<Explanation.Item> items) {
        if (items.size() <= 1) {
            return joined(items, "=", ", ");
        }
        List<String> shown = new ArrayList<>();
        int more = 0;
        int zeros = 0;
        for (Explanation.Item item : items) {
            if (item.value().equals(ZERO)) {
                zeros++;
            } else if (shown.size() < MOST_COLUMNS) {
                shown.add(item.name() + "=" + item.value());
            } else {
                more++;
            }
        }
        if (more > 0) {
            shown.add(more + " more");
        }
        if (zeros > 0) {
            shown.add(zeros + " of " + items.size() + " are 0");
        }
        return Complaints.plain(String.join(", ", shown));
    }

    private static String aligned(List<List<String>> lines, int columns) {
        StringBuilder text = new StringBuilder();
        int[] widths = new int[columns];
        for (List<String> line : lines) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        for (List<String> line : lines) {
            StringBuilder one = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                one.append(line.get(i))
                        .append(" ".repeat(widths[i] - line.get(i).length() + 2));
            }
            text.append(one.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
