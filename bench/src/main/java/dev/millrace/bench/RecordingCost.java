// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What recording latencies costs: throughput with it as a share of that without.
///
/// @param embedded per scenario one share per pair
/// @param http one share per pair; empty if there is no `wrk`
record RecordingCost(Map<Saturation.Scenario, List<Double>> embedded, List<Double> http) implements Section {
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("""
            ## Throughput with recording, as a share of that without

            | what | pairs | median (smallest–largest) |
            |---|---|---|
            """);
        embedded.forEach((scenario, shares) -> line(text, scenario.title(), shares));
        if (!http.isEmpty()) {
            line(text, "HTTP, " + HttpBench.CONNECTIONS.getFirst() + " connections", http);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String what, List<Double> shares) {
        Spread spread = Spread.of(shares, Double::doubleValue);
        text.append(String.format(
                Locale.ROOT,
                "| %s | %d | %.3f (%.3f–%.3f) |%n",
                what,
                shares.size(),
                spread.median(),
                spread.min(),
                spread.max()));
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("recording");
        for (var entry : embedded.entrySet()) {
            write(json, entry.getKey().name(), entry.getValue());
        }
        write(json, "HTTP", http);
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String what, List<Double> shares) throws IOException {
        json.writeArrayFieldStart(what);
        for (double share : shares) {
            json.writeNumber(share);
        }
        json.writeEndArray();
    }
}
