// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/// How late expired requests were told, for a report.
record DeadlinesReport(Deadlines.All all) implements Section {
    private static final long MOST_LATE_NANOS = 1_000_000;
    private static final long MOST_LATE_SATURATED_NANOS = 5_000_000;

    @Override
    public String broken() {
        StringBuilder broken = new StringBuilder();
        all.trials().forEach((trial, findings) -> {
            Percentiles late = findings.late();
            if (late.p99() > (trial.saturated() ? MOST_LATE_SATURATED_NANOS : MOST_LATE_NANOS)) {
                line(
                        broken,
                        "%s, %s: p99 of %d that expired is %s µs late.",
                        trial.where().title(),
                        trial.saturated() ? "all cores busy" : "one core free",
                        late.count(),
                        micros(late.p99()));
            }
        });
        return broken.toString().strip();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Deadlines while a long run holds the model\n\n");
        line(
                text,
                "A run takes %d ms, one agent. %d requests a time, their deadlines anywhere from a tenth to eight"
                        + " tenths of that. Late: from the deadline to the completion.",
                all.runNanos() / 1_000_000,
                all.requests());
        line(text, "");
        line(
                text,
                "| requests | cores | expired | late p50 µs | p99 µs | max µs | refused | answered |"
                        + " model free after the last deadline, p50 µs | max µs |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|");
        all.trials()
                .forEach((trial, findings) -> line(
                        text,
                        "| %s | %s | %d | %s | %s | %s | %d | %d | %s | %s |",
                        trial.where().title(),
                        trial.saturated() ? "all busy" : "one free",
                        findings.late().count(),
                        micros(findings.late().p50()),
                        micros(findings.late().p99()),
                        micros(findings.late().max()),
                        findings.refused(),
                        findings.answered(),
                        findings.free().count() == 0
                                ? "–"
                                : micros(findings.free().p50()),
                        findings.free().count() == 0
                                ? "–"
                                : micros(findings.free().max())));
        return text.toString();
    }

    private static String micros(long nanos) {
        return String.format(Locale.ROOT, "%,.0f", nanos / 1e3);
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("deadlines");
        json.writeNumberField("runNanos", all.runNanos());
        json.writeNumberField("requests", all.requests());
        json.writeArrayFieldStart("trials");
        for (Map.Entry<Deadlines.Trial, Deadlines.Findings> entry : all.trials().entrySet()) {
            json.writeStartObject();
            json.writeStringField("where", entry.getKey().where().name());
            json.writeBooleanField("saturated", entry.getKey().saturated());
            json.writeNumberField("refused", entry.getValue().refused());
            json.writeNumberField("answered", entry.getValue().answered());
            entry.getValue().late().write(json, "late");
            entry.getValue().free().write(json, "free");
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
