// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.swap;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/// Models replaced under load, for a report.
record SwapsReport(Map<Swaps.Way, Swaps.Findings> findings) implements Section {
    @Override
    public String broken() {
        StringBuilder broken = new StringBuilder();
        findings.forEach((way, found) -> {
            if (!found.broken().isEmpty()) {
                broken.append(way.title()).append(": ").append(found.broken()).append(". ");
            }
        });
        return broken.toString().strip();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## A model that is replaced under load\n\n");
        line(
                text,
                "%d connections ask as fast as they are answered while the model is replaced %d times.",
                Swaps.CONNECTIONS,
                findings.values().iterator().next().swapNanos().length);
        line(text, "");
        line(
                text,
                "| swaps | requests | failed | not of what was live | swap, ms, p50 | longest | native bytes before and"
                        + " after | MiB in RAM, first | last | growth %% |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|");
        findings.forEach((way, found) -> line(
                text,
                "| %s | %,d | %d | %d | %.2f | %.2f | %s | %.1f, swaps %d to %d | %.1f, the last %d | %.1f |",
                way.title(),
                found.during().answered(),
                found.during().failed(),
                found.during().wrong(),
                percentile(found.swapNanos(), 0.5) / 1e6,
                percentile(found.swapNanos(), 1) / 1e6,
                bytes(found),
                found.early(),
                found.settled(),
                2 * found.settled() - 1,
                found.late(),
                found.settled(),
                100 * found.growth()));
        line(text, "");
        line(text, "| swaps | | requests/s | p50, µs | p99 | longest |");
        line(text, "|---|---|---|---|---|---|");
        findings.forEach((way, found) -> {
            client(text, way.title(), "before", found.alone(), found.aloneSeconds());
            client(text, "", "during", found.during(), found.duringSeconds());
        });
        return text.toString();
    }

    private static void client(StringBuilder text, String way, String when, Clients.Tally tally, double seconds) {
        line(
                text,
                "| %s | %s | %,.0f | %,.0f | %,.0f | %,.0f |",
                way,
                when,
                tally.answered() / seconds,
                tally.percentile(50) / 1e3,
                tally.percentile(99) / 1e3,
                tally.percentile(100) / 1e3);
    }

    private static String bytes(Swaps.Findings found) {
        StringBuilder text = new StringBuilder();
        TreeSet<String> tags = new TreeSet<>(found.bytesBefore().keySet());
        tags.addAll(found.bytesAfter().keySet());
        for (String tag : tags) {
            long before = found.bytesBefore().getOrDefault(tag, 0L);
            long after = found.bytesAfter().getOrDefault(tag, 0L);
            if (before + after > 0) {
                String both = before == after
                        ? String.format(Locale.ROOT, "%,d twice", before)
                        : String.format(Locale.ROOT, "%,d and %,d", before, after);
                text.append(text.isEmpty() ? "" : ", ").append(tag).append(' ').append(both);
            }
        }
        return text.toString();
    }

    private static long percentile(long[] nanos, double part) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.ceil(part * sorted.length) - 1];
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("swaps");
        for (Map.Entry<Swaps.Way, Swaps.Findings> entry : findings.entrySet()) {
            Swaps.Findings found = entry.getValue();
            json.writeStartObject();
            json.writeStringField("way", entry.getKey().name());
            write(json, "before", found.alone(), found.aloneSeconds());
            write(json, "during", found.during(), found.duringSeconds());
            json.writeFieldName("swapNanos");
            json.writeArray(found.swapNanos(), 0, found.swapNanos().length);
            json.writeFieldName("residentMebibytes");
            json.writeArray(found.resident(), 0, found.resident().length);
            write(json, "nativeBytesBefore", found.bytesBefore());
            write(json, "nativeBytesAfter", found.bytesAfter());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, String name, Clients.Tally tally, double seconds) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("seconds", seconds);
        json.writeNumberField("answered", tally.answered());
        json.writeNumberField("failed", tally.failed());
        json.writeNumberField("wrong", tally.wrong());
        json.writeNumberField("p50Nanos", tally.percentile(50));
        json.writeNumberField("p99Nanos", tally.percentile(99));
        json.writeNumberField("maxNanos", tally.percentile(100));
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, Map<String, Long> bytes) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, Long> tag : bytes.entrySet()) {
            json.writeNumberField(tag.getKey(), tag.getValue());
        }
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
