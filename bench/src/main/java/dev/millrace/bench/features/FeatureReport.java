// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.features.FeatureRuns.Timed;
import dev.millrace.bench.features.FeatureRuns.What;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Locale;

/// A row's features by the plan beside those by ONNX Runtime, for a report.
record FeatureReport(FeatureRuns.Findings found) implements Section {
    /// What is promised of a row with two reads of the store, in nanoseconds.
    private static final long MOST_NANOS = 2_000;
    /// How many times faster than ONNX Runtime it is to be, whatever the batch.
    private static final double LEAST_RATIO = 3;
    /// The JVM accounts for the clock and the histogram's own growth on the same thread.
    private static final double MOST_BYTES = 0.1;

    private Timed timed(What what) {
        return found.timed().stream()
                .filter(timed -> timed.what() == what)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public String broken() {
        Timed stored = timed(What.STORED);
        Timed plan = timed(What.PLAN);
        if (stored.p50() > MOST_NANOS) {
            return "a row's features with two reads of the store take " + stored.p50() + " ns (p50), more than "
                    + MOST_NANOS;
        }
        for (What graph : new What[] {What.GRAPH, What.GRAPH_64}) {
            long nanos = timed(graph).p50();
            if (nanos < LEAST_RATIO * plan.p50() || nanos < LEAST_RATIO * stored.p50()) {
                return "a row's features take " + plan.p50() + " ns, and " + stored.p50()
                        + " with two reads of the store (p50): not " + LEAST_RATIO + " times faster than "
                        + title(graph) + " with " + nanos;
            }
        }
        double bytes = Math.max(plan.bytes(), stored.bytes());
        return bytes <= MOST_BYTES ? "" : "a row's features take " + bytes + " bytes of the heap, expected none";
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## From raw values to a row\n\n");
        line(
                text,
                "%d columns of a payment, from seven values of the request and ten of two stored views, %,d entities"
                        + " each in tables of %,d MiB. Of the graph's columns %,d have the plan's bits; %,d, of"
                        + " logarithms, sines and cosines, are near.",
                found.columns(),
                found.entities(),
                found.tableBytes() >> 20,
                found.same(),
                found.near());
        line(text, "");
        line(
                text,
                "| ns for one row | rows | p50 | p90 | p99 | longest | heap bytes | p50, the plan = 1 | with reads = 1"
                        + " |");
        line(text, "|---|---|---|---|---|---|---|---|---|");
        for (Timed timed : found.timed()) {
            line(
                    text,
                    "| %s | %,d | %,d | %,d | %,d | %,d | %.1f | %.2f | %.2f |",
                    title(timed.what()),
                    timed.rows(),
                    timed.p50(),
                    timed.p90(),
                    timed.p99(),
                    timed.max(),
                    timed.bytes(),
                    (double) timed.p50() / timed(What.PLAN).p50(),
                    (double) timed.p50() / timed(What.STORED).p50());
        }
        return text.toString();
    }

    private static String title(What what) {
        return switch (what) {
            case CLOCK -> "nothing: the clock, read twice";
            case PLAN -> "`FeaturePlan`, stored values at hand";
            case STORED -> "`FeaturePlan` and two reads of the store by random keys";
            case GRAPH -> "ONNX Runtime, the exported graph, one row";
            case GRAPH_64 -> "ONNX Runtime, the exported graph, 64 rows: of one";
        };
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("features");
        json.writeNumberField("entities", found.entities());
        json.writeNumberField("columns", found.columns());
        json.writeNumberField("tableBytes", found.tableBytes());
        json.writeNumberField("sameColumns", found.same());
        json.writeNumberField("nearColumns", found.near());
        json.writeArrayFieldStart("rows");
        for (Timed timed : found.timed()) {
            json.writeStartObject();
            json.writeStringField("what", timed.what().name());
            json.writeNumberField("count", timed.rows());
            json.writeNumberField("p50Nanos", timed.p50());
            json.writeNumberField("p90Nanos", timed.p90());
            json.writeNumberField("p99Nanos", timed.p99());
            json.writeNumberField("maxNanos", timed.max());
            json.writeNumberField("heapBytes", timed.bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
