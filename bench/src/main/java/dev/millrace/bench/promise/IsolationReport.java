// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A light model beside a heavy one, for a report.
record IsolationReport(Isolation.Findings findings) implements Section {
    /// Promised in-process; the figure over HTTP is reported beside it.
    private static final double MOST_RATIO = 3;

    @Override
    public String broken() {
        double ratio = Spread.of(findings.rounds().get(Isolation.Way.CALL), Isolation.Round::ratio)
                .median();
        return ratio > MOST_RATIO
                ? String.format(
                        Locale.ROOT, "%s: p99 beside is %.2f times that alone.", Isolation.Way.CALL.title(), ratio)
                : "";
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## A light model beside a saturated one\n\n");
        line(
                text,
                "%s is asked one row at a time from one thread, alone and beside %s, which its own traffic keeps"
                        + " saturated; one agent. Microseconds, median (min–max) of %d rounds.",
                findings.light(),
                findings.heavy(),
                findings.rounds().values().iterator().next().size());
        line(text, "");
        line(
                text,
                "| way | p50 alone | p99 alone | p50 beside | p99 beside | p99.9 beside | p99 beside / alone | heavy"
                        + " rows/s |");
        line(text, "|---|---|---|---|---|---|---|---|");
        findings.rounds()
                .forEach((way, rounds) -> line(
                        text,
                        "| %s | %s | %s | %s | %s | %s | %s | %s |",
                        way.title(),
                        Texts.micros(rounds, round -> round.alone().p50()),
                        Texts.micros(rounds, round -> round.alone().p99()),
                        Texts.micros(rounds, round -> round.beside().p50()),
                        Texts.micros(rounds, round -> round.beside().p99()),
                        Texts.micros(rounds, round -> round.beside().p999()),
                        Cell.decimal(rounds, Isolation.Round::ratio),
                        Cell.whole(rounds, Isolation.Round::heavyRowsPerSecond)));
        return text.toString();
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("isolation");
        for (Map.Entry<Isolation.Way, List<Isolation.Round>> entry :
                findings.rounds().entrySet()) {
            for (Isolation.Round round : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("way", entry.getKey().name());
                write(json, "alone", round.alone());
                write(json, "beside", round.beside());
                json.writeNumberField("heavyRowsPerSecond", round.heavyRowsPerSecond());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, String name, Isolation.Timing timing) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("p50Nanos", timing.p50());
        json.writeNumberField("p99Nanos", timing.p99());
        json.writeNumberField("p999Nanos", timing.p999());
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
