// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.ClosedLoop.Timing;
import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.HttpMix.Alone;
import dev.millrace.bench.HttpMix.Loaded;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// What was found out about all models on one server, for a report.
record HttpMixReport(HttpMix.Findings findings) implements Section {
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder();
        line(text, "## All models on one server, over HTTP");
        line(text, "");
        line(text, "JVM flags: %s. One event loop each.", String.join(" ", ServerProcess.flags()));
        line(text, "Correctness: over HTTP all models answered like the floor, before and after the load.");
        line(text, "");
        line(
                text,
                "One connection, microseconds; the floor is the echo, given the same bodies, and then the run itself:");
        line(text, "");
        line(
                text,
                "| model | bytes in a body | run, C API: p50 | echo: p50 | echo: p99 | Millrace: p50 | Millrace: p99 |"
                        + " p50 / floor | p50 − floor |");
        line(text, "|---|---|---|---|---|---|---|---|---|");
        findings.alone().forEach((model, rounds) -> alone(text, model, rounds));
        line(text, "");
        line(
                text,
                "%s, by `wrk`, while the server is asked for heavy models, too, one request of each always on its way;"
                        + " bodies of %d bytes:",
                BenchModels.MLP.name(),
                findings.requestBytes().get(BenchModels.MLP.name()));
        line(text, "");
        line(
                text,
                "| heavy models | connections | who answers the light one | requests/s | p50 µs | p99 µs | p50 / echo |"
                        + " p99 / echo | heavy rows/s |");
        line(text, "|---|---|---|---|---|---|---|---|---|");
        findings.loaded().forEach((setting, rounds) -> {
            loaded(text, setting, "Netty echo beside it: the floor", rounds, Both::echo);
            loaded(text, setting, "Millrace, the same server", rounds, Both::millrace);
        });
        return text.toString();
    }

    private void alone(StringBuilder text, String model, List<Alone> rounds) {
        line(
                text,
                "| %s | %,d | %s | %s | %s | %s | %s | %s | %s |",
                model,
                findings.requestBytes().get(model),
                micros(rounds, each -> each.run().p50()),
                micros(rounds, each -> each.echo().p50()),
                micros(rounds, each -> each.echo().p99()),
                micros(rounds, each -> each.millrace().p50()),
                micros(rounds, each -> each.millrace().p99()),
                Cell.decimal(rounds, each -> each.millrace().p50() / floor(each)),
                micros(rounds, each -> each.millrace().p50() - floor(each)));
    }

    /// Nanoseconds that sockets and HTTP take, and then the model.
    private static double floor(Alone alone) {
        return alone.echo().p50() + alone.run().p50();
    }

    private static String micros(List<Alone> rounds, ToDoubleFunction<Alone> nanos) {
        return Cell.whole(rounds, each -> nanos.applyAsDouble(each) / 1e3);
    }

    private static void loaded(
            StringBuilder text,
            HttpMix.Setting setting,
            String server,
            List<Both<Loaded>> rounds,
            Function<Both<Loaded>, Loaded> side) {
        line(
                text,
                "| %s | %d | %s | %s | %s | %s | %s | %s | %s |",
                setting.load().title(),
                setting.connections(),
                server,
                Cell.whole(rounds, both -> side.apply(both).light().requestsPerSecond()),
                Cell.whole(rounds, both -> side.apply(both).light().p50()),
                Cell.whole(rounds, both -> side.apply(both).light().p99()),
                Cell.decimal(
                        rounds,
                        both -> side.apply(both).light().p50()
                                / both.echo().light().p50()),
                Cell.decimal(
                        rounds,
                        both -> side.apply(both).light().p99()
                                / both.echo().light().p99()),
                Cell.whole(rounds, both -> side.apply(both).heavyRows()));
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("httpMix");
        json.writeArrayFieldStart("alone");
        for (var entry : findings.alone().entrySet()) {
            for (Alone each : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("model", entry.getKey());
                json.writeNumberField("requestBytes", findings.requestBytes().get(entry.getKey()));
                write(json, "run", each.run());
                write(json, "echo", each.echo());
                write(json, "millrace", each.millrace());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("loaded");
        for (var entry : findings.loaded().entrySet()) {
            for (Both<Loaded> both : entry.getValue()) {
                write(json, "echo", entry.getKey(), both.echo());
                write(json, "millrace", entry.getKey(), both.millrace());
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, Timing timing) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("p50Nanos", timing.p50());
        json.writeNumberField("p99Nanos", timing.p99());
        json.writeNumberField("p999Nanos", timing.p999());
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String server, HttpMix.Setting setting, Loaded loaded)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("load", setting.load().name());
        json.writeStringField("server", server);
        json.writeNumberField("connections", setting.connections());
        json.writeNumberField("requestsPerSecond", loaded.light().requestsPerSecond());
        json.writeNumberField("p50Micros", loaded.light().p50());
        json.writeNumberField("p99Micros", loaded.light().p99());
        json.writeNumberField("heavyRowsPerSecond", loaded.heavyRows());
        json.writeEndObject();
    }
}
