// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.Protocols.Setting;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What was found out about JSON, binary tensors and gRPC, for a report.
record ProtocolsReport(Protocols.Findings findings) implements Section {
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## JSON, binary tensors and gRPC\n\n");
        line(
                text,
                "%s, on one server with one event loop. JVM flags: %s.",
                BenchModels.MLP.name(),
                String.join(" ", ServerProcess.flags()));
        line(text, "Correctness: in each form all rows were answered like the floor, before and after the load.");
        line(text, "");
        line(
                text,
                "| rows in a request | form | bytes in and out | load | echo: requests/s | Millrace: requests/s |"
                        + " of the echo | Millrace: rows/s | echo: p50, p99 µs | Millrace: p50, p99 µs |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|");
        findings.loads().forEach((setting, rounds) -> row(text, setting, rounds));
        return text.toString();
    }

    private void row(StringBuilder text, Setting setting, List<Both<Wrk.Load>> rounds) {
        int[] bytes = findings.bytes().get(new Setting(setting.rows(), setting.form(), 1, 1));
        line(
                text,
                "| %d | %s | %,d, %,d | %s | %s | %s | %s | %s | %s, %s | %s, %s |",
                setting.rows(),
                setting.form().title(),
                bytes[0],
                bytes[1],
                setting.describe(),
                Cell.whole(rounds, each -> each.echo().requestsPerSecond()),
                Cell.whole(rounds, each -> each.millrace().requestsPerSecond()),
                Cell.decimal(rounds, ProtocolsReport::share),
                Cell.whole(rounds, each -> each.millrace().requestsPerSecond() * setting.rows()),
                Cell.whole(rounds, each -> each.echo().p50()),
                Cell.whole(rounds, each -> each.echo().p99()),
                Cell.whole(rounds, each -> each.millrace().p50()),
                Cell.whole(rounds, each -> each.millrace().p99()));
    }

    private static double share(Both<Wrk.Load> both) {
        return both.millrace().requestsPerSecond() / both.echo().requestsPerSecond();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values))
                .append('\n');
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("protocols");
        for (Map.Entry<Setting, List<Both<Wrk.Load>>> entry : findings.loads().entrySet()) {
            for (Both<Wrk.Load> both : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("form", entry.getKey().form().title());
                json.writeNumberField("rows", entry.getKey().rows());
                json.writeNumberField("connections", entry.getKey().connections());
                json.writeNumberField("streams", entry.getKey().streams());
                load(json, "echo", both.echo());
                load(json, "millrace", both.millrace());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private static void load(JsonGenerator json, String name, Wrk.Load load) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("requestsPerSecond", load.requestsPerSecond());
        json.writeNumberField("p50Micros", load.p50());
        json.writeNumberField("p99Micros", load.p99());
        json.writeEndObject();
    }
}
