// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.ModelBench.Findings;
import dev.millrace.bench.ModelBench.Omission;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Chart;
import dev.millrace.bench.report.Spread;
import dev.millrace.bench.route.Route;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/// What `millrace bench` found out, as a table, as JSON and as a chart. Stateless.
final class ModelReport {
    private ModelReport() {}

    /// Markdown. Where there were several rounds a cell shows their median and, in brackets, the smallest and the
    /// largest.
    static String markdown(Findings findings) {
        StringBuilder text = new StringBuilder();
        text.append("# ").append(findings.plan().model().getFileName()).append("\n\n");
        findings.subject().forEach((name, value) -> text.append("- " + name + ": " + value + "\n"));
        findings.machine().forEach((name, value) -> text.append("- " + name + ": " + value + "\n"));
        text.append("- threads per run: " + findings.plan().settings().threads() + "\n");
        text.append("\nNanoseconds per call, " + findings.plan().effort().rounds()
                + " round(s). All in the table gave the floor's answers.\n");
        findings.floorNote().ifPresent(note -> text.append("The floor makes its values in each run: " + note + ".\n"));
        text.append("\n| batch | route | mean | p50 | p99 | p99.9 | p50 per row | p50 / floor | B/op |\n")
                .append("|---|---|---|---|---|---|---|---|---|\n");
        findings.latencies().forEach((subject, rounds) -> text.append(line(findings, subject, rounds)));
        omissions(text, "Not possible", findings.unable());
        omissions(text, "REFUSED, because the answer was wrong or missing", findings.refused());
        return text.toString();
    }

    private static String line(Findings findings, Case subject, List<Latency> rounds) {
        List<Latency> floor = findings.latencies().get(subject.floor());
        double[] ratios = IntStream.range(0, rounds.size())
                .mapToDouble(i -> rounds.get(i).p50() / floor.get(i).p50())
                .toArray();
        return "| " + subject.batch() + " | "
                + String.join(
                        " | ",
                        title(findings, subject.route()),
                        Cell.whole(rounds, Latency::mean),
                        Cell.whole(rounds, Latency::p50),
                        Cell.whole(rounds, Latency::p99),
                        Cell.whole(rounds, Latency::p999),
                        Cell.whole(rounds, latency -> latency.p50() / subject.batch()),
                        Cell.of(Spread.of(ratios), Cell::decimal),
                        Cell.bytes(rounds, Latency::bytes))
                + " |\n";
    }

    private static String title(Findings findings, Route route) {
        return route == Route.FLOOR && findings.floorNote().isPresent()
                ? "C API, whole tensors: the floor"
                : route.title();
    }

    private static void omissions(StringBuilder text, String title, List<Omission> omissions) {
        if (omissions.isEmpty()) {
            return;
        }
        Map<String, List<Integer>> byReason = new LinkedHashMap<>();
        for (Omission omission : omissions) {
            byReason.computeIfAbsent(omission.route().title() + ": " + omission.reason(), _ -> new ArrayList<>())
                    .add(omission.batch());
        }
        text.append("\n" + title + ":\n\n");
        byReason.forEach((reason, batches) -> text.append("- batch " + join(batches) + ", " + reason + "\n"));
    }

    private static String join(List<Integer> batches) {
        return String.join(", ", batches.stream().map(String::valueOf).toList());
    }

    /// A panel per batch size, a mark per route. The mark shows the medians over the rounds.
    static String chart(Findings findings) {
        Map<Integer, List<Chart.Mark>> marks = new LinkedHashMap<>();
        findings.latencies()
                .forEach((subject, rounds) -> marks.computeIfAbsent(subject.batch(), _ -> new ArrayList<>())
                        .add(new Chart.Mark(
                                title(findings, subject.route()).replace("`", ""),
                                kind(subject.route()),
                                Spread.of(rounds, Latency::p50).median(),
                                Spread.of(rounds, Latency::p99).median(),
                                Spread.of(rounds, Latency::p999).median())));
        List<Chart.Panel> panels = new ArrayList<>();
        marks.forEach((batch, lines) -> panels.add(new Chart.Panel("batch " + batch, lines)));
        return Chart.svg(new Chart.Picture(
                findings.plan().model().getFileName() + ": time of one call",
                findings.machine().get("CPU") + ", " + findings.machine().get("cores") + " cores, "
                        + findings.plan().settings().threads() + " thread(s) per run, ONNX Runtime "
                        + findings.machine().get("ONNX Runtime"),
                panels));
    }

    private static int kind(Route route) {
        return switch (route) {
            case FLOOR, ROW_RUNNER -> 0;
            case ORT_TYPICAL, ORT_PINNED, DJL -> 1;
            case CALL, PREDICT -> 2;
        };
    }

    /// Every measurement.
    static String json(Findings findings) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("model", findings.plan().model().toString());
            json.writeStringField("settings", findings.plan().settings().encode());
            json.writeStringField("effort", findings.plan().effort().name());
            facts(json, "subject", findings.subject());
            facts(json, "machine", findings.machine());
            json.writeStringField("floor", findings.floorNote().orElse("prebound"));
            json.writeArrayFieldStart("latencies");
            for (var entry : findings.latencies().entrySet()) {
                for (Latency latency : entry.getValue()) {
                    JsonReport.write(json, entry.getKey(), latency);
                }
            }
            json.writeEndArray();
            omissions(json, "unable", findings.unable());
            omissions(json, "refused", findings.refused());
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private static void facts(JsonGenerator json, String name, Map<String, String> facts) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, String> fact : facts.entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
    }

    private static void omissions(JsonGenerator json, String name, List<Omission> omissions) throws IOException {
        json.writeArrayFieldStart(name);
        for (Omission omission : omissions) {
            json.writeStartObject();
            json.writeStringField("route", omission.route().name().toLowerCase(Locale.ROOT));
            json.writeNumberField("batch", omission.batch());
            json.writeStringField("reason", omission.reason());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
