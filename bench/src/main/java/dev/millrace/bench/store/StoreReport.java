// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.store.StoreReads.Timed;
import dev.millrace.bench.store.StoreReads.What;
import java.io.IOException;
import java.util.Locale;

/// Reads of the feature store beside those of a mapped file, for a report.
record StoreReport(StoreReads.Findings found) implements Section {
    /// What is promised, as multiples of the mapped file's, while updates come in.
    private static final double P50 = 2;

    private static final double P99 = 5;

    private Timed timed(What what, boolean writing) {
        return found.timed().stream()
                .filter(timed -> timed.what() == what && timed.writing() == writing)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public String broken() {
        Timed store = timed(What.STORE, true);
        Timed mapped = timed(What.MAPPED, true);
        boolean kept = store.p50() <= P50 * mapped.p50() && store.p99() <= P99 * mapped.p99();
        return kept
                ? ""
                : "reads of the feature store take " + store.p50() + " ns (p50) and " + store.p99()
                        + " (p99), more than " + P50 + " and " + P99 + " times the mapped file's " + mapped.p50()
                        + " and " + mapped.p99();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Reads of the feature store\n\n");
        line(
                text,
                "%,d entities of ten doubles in a table of %,d MiB. Loaded durably in %.1f s, opened again in %.2f s.",
                found.entities(),
                found.view().bytes() >> 20,
                found.loadNanos() / 1e9,
                found.openNanos() / 1e9);
        Updates.Reached reached = found.reached();
        line(
                text,
                "Updates: %,d per second wanted in batches of %d, %,.0f reached; acknowledged %.1f ms (p50), %.1f ms"
                        + " (p99) and at most %.1f ms after they were due; %d checkpoints.",
                StoreReads.RATE,
                StoreReads.BATCH_ROWS,
                reached.perSecond(),
                reached.p50Nanos() / 1e6,
                reached.p99Nanos() / 1e6,
                reached.maxNanos() / 1e6,
                found.checkpoints());
        line(text, "");
        line(text, "| ns for one read | | reads | p50 | p90 | p99 | p99.9 | longest | p50 and p99, mapped file = 1 |");
        line(text, "|---|---|---|---|---|---|---|---|---|");
        for (Timed timed : found.timed()) {
            Timed mapped = timed(What.MAPPED, timed.writing());
            line(
                    text,
                    "| %s | %s | %,d | %,d | %,d | %,d | %,d | %,d | %.2f, %.2f |",
                    title(timed.what()),
                    timed.writing() ? "while updates come in" : "alone",
                    timed.reads(),
                    timed.p50(),
                    timed.p90(),
                    timed.p99(),
                    timed.p999(),
                    timed.max(),
                    (double) timed.p50() / mapped.p50(),
                    (double) timed.p99() / mapped.p99());
        }
        return text.toString();
    }

    private static String title(What what) {
        return switch (what) {
            case CLOCK -> "nothing: the clock, read twice";
            case MAPPED -> "a row's bytes from a random place of a mapped file: the floor";
            case STORE -> "`ViewReader.find` of a random entity";
        };
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("featureStore");
        json.writeNumberField("entities", found.entities());
        json.writeNumberField("tableBytes", found.view().bytes());
        json.writeNumberField("loadNanos", found.loadNanos());
        json.writeNumberField("openNanos", found.openNanos());
        json.writeNumberField("updatesPerSecond", found.reached().perSecond());
        json.writeNumberField("updateP50Nanos", found.reached().p50Nanos());
        json.writeNumberField("updateP99Nanos", found.reached().p99Nanos());
        json.writeNumberField("updateMaxNanos", found.reached().maxNanos());
        json.writeNumberField("checkpoints", found.checkpoints());
        json.writeArrayFieldStart("reads");
        for (Timed timed : found.timed()) {
            json.writeStartObject();
            json.writeStringField("what", timed.what().name());
            json.writeBooleanField("writing", timed.writing());
            json.writeNumberField("count", timed.reads());
            json.writeNumberField("p50Nanos", timed.p50());
            json.writeNumberField("p90Nanos", timed.p90());
            json.writeNumberField("p99Nanos", timed.p99());
            json.writeNumberField("p999Nanos", timed.p999());
            json.writeNumberField("maxNanos", timed.max());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
