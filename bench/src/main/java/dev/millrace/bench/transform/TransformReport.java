// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.transform;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.transform.TransformRates.Timed;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// Rates of files that become others, for a report.
record TransformReport(TransformRates.Findings found) implements Section {
    private List<Timed> of(String format, boolean joined) {
        return found.timed().stream()
                .filter(timed -> timed.joined() == joined && timed.format().equals(format))
                .toList();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Columns of files\n\n");
        line(
                text,
                "`features transform` of %,d rows with 24 raw values to 38 columns; joined: six of them of a view with"
                        + " %,d rows of history, which are read first. A process each, with its start in its processor"
                        + " time.",
                found.rows(),
                found.history());
        line(text, "");
        line(text, "| | | rows/s | seconds | processor seconds | rows per processor second |");
        line(text, "|---|---|---|---|---|---|");
        for (boolean joined : new boolean[] {false, true}) {
            for (String format : List.of("parquet", "csv")) {
                List<Timed> timed = of(format, joined);
                line(
                        text,
                        "| %s to %s | %s | %s | %s | %s | %s |",
                        format,
                        format,
                        joined ? "joined" : "",
                        spread(timed, Timed::perSecond, "%,.0f"),
                        spread(timed, Timed::seconds, "%.1f"),
                        spread(timed, Timed::processor, "%.1f"),
                        spread(timed, each -> found.rows() / each.processor(), "%,.0f"));
            }
        }
        return text.toString();
    }

    /// The median, and the least and the greatest.
    private static String spread(List<Timed> timed, ToDoubleFunction<Timed> of, String format) {
        double[] sorted = timed.stream().mapToDouble(of).sorted().toArray();
        return String.format(Locale.ROOT, format, sorted[sorted.length / 2])
                + String.format(Locale.ROOT, " (" + format + "–" + format + ")", sorted[0], sorted[sorted.length - 1]);
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("transform");
        json.writeNumberField("rows", found.rows());
        json.writeNumberField("history", found.history());
        json.writeArrayFieldStart("runs");
        for (Timed timed : found.timed()) {
            json.writeStartObject();
            json.writeStringField("format", timed.format());
            json.writeBooleanField("joined", timed.joined());
            json.writeNumberField("seconds", timed.seconds());
            json.writeNumberField("rowsPerSecond", timed.perSecond());
            json.writeNumberField("processorSeconds", timed.processor());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
