// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.ramp;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// What a ramp found out, for a report.
record RampReport(Ramp.Findings findings) implements Section {
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Batching under a ramp of loads\n\n");
        line(
                text,
                "- model: %s; a run of one row takes %.0f µs, runs of 128 do %.0f rows/s",
                findings.model(),
                findings.oneNanos() / 1e3,
                findings.rowsPerSecond());
        line(
                text,
                "- p99 is to be at most %.1f ms; loads are parts of those rows/s; median (min–max) of %d rounds",
                findings.bound().toNanos() / 1e6,
                findings.cells().getFirst().outcomes().size());
        line(text, "- correctness: every answer was compared with the floor's");
        line(text, "");
        line(text, "| load | setting | p50 ms | p99 ms | answered in time %% | rows per run |");
        line(text, "|---|---|---|---|---|---|");
        for (Ramp.Cell cell : findings.cells()) {
            line(
                    text,
                    "| %.2f | %s | %s | %s | %s | %.1f |",
                    cell.load(),
                    cell.setting().title(),
                    millis(Spread.of(cell.outcomes(), outcome -> millis(outcome.p50()))),
                    millis(Spread.of(cell.outcomes(), outcome -> millis(outcome.p99()))),
                    percent(good(cell)),
                    Spread.of(cell.meanBatches(), batch -> batch).median());
        }
        line(text, "");
        line(text, "| load | best fixed setting | its answers in time %% | the objective's | ratio |");
        line(text, "|---|---|---|---|---|");
        findings.cells().stream()
                .map(Ramp.Cell::load)
                .distinct()
                .forEach(load -> verdict(text, findings.cells(), load));
        return text.toString();
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("ramp");
        json.writeStringField("model", findings.model());
        json.writeNumberField("boundNanos", findings.bound().toNanos());
        json.writeNumberField("oneRowNanos", findings.oneNanos());
        json.writeNumberField("rowsPerSecond", findings.rowsPerSecond());
        json.writeArrayFieldStart("loads");
        for (Ramp.Cell cell : findings.cells()) {
            for (int round = 0; round < cell.outcomes().size(); round++) {
                write(json, cell, cell.outcomes().get(round), cell.meanBatches().get(round));
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /// A percentile among rows that were refused is null.
    private static void write(JsonGenerator json, Ramp.Cell cell, Load.Outcomes outcomes, double meanBatch)
            throws IOException {
        json.writeStartObject();
        json.writeNumberField("load", cell.load());
        json.writeStringField("setting", cell.setting().title());
        json.writeNumberField("offered", outcomes.offered());
        json.writeNumberField("answered", outcomes.answered());
        write(json, "p50Nanos", outcomes.p50());
        write(json, "p99Nanos", outcomes.p99());
        json.writeNumberField("inTime", outcomes.good());
        json.writeNumberField("meanBatch", meanBatch);
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, long nanos) throws IOException {
        json.writeFieldName(name);
        if (nanos == Long.MAX_VALUE) {
            json.writeNull();
        } else {
            json.writeNumber(nanos);
        }
    }

    /// The best fixed setting is the one that answers most rows in time, of these the one with the lowest p99.
    private static void verdict(StringBuilder text, List<Ramp.Cell> cells, double load) {
        List<Ramp.Cell> here =
                cells.stream().filter(cell -> cell.load() == load).toList();
        Ramp.Cell objective = here.stream()
                .filter(cell -> cell.setting().isObjective())
                .findFirst()
                .orElseThrow();
        Ramp.Cell best = here.stream()
                .filter(cell -> !cell.setting().isObjective())
                .max(Comparator.comparingDouble((Ramp.Cell cell) -> good(cell).median())
                        .thenComparingDouble(cell -> -Spread.of(cell.outcomes(), outcome -> millis(outcome.p99()))
                                .median()))
                .orElseThrow();
        line(
                text,
                "| %.2f | %s | %s | %s | %.3f |",
                load,
                best.setting().title(),
                percent(good(best)),
                percent(good(objective)),
                good(objective).median() / good(best).median());
    }

    private static Spread good(Ramp.Cell cell) {
        return Spread.of(cell.outcomes(), Load.Outcomes::good);
    }

    private static double millis(long nanos) {
        return nanos == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : nanos / 1e6;
    }

    private static String millis(Spread spread) {
        return Double.isInfinite(spread.median())
                ? "refused"
                : String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", spread.median(), spread.min(), spread.max());
    }

    private static String percent(Spread spread) {
        return String.format(
                Locale.ROOT, "%.2f (%.2f–%.2f)", 100 * spread.median(), 100 * spread.min(), 100 * spread.max());
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
