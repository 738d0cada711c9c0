// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A light model beside the loads of a large one, for a report.
record LoadingReport(Loading.Findings findings) implements Section {
    private static final double MOST_RATIO = 3;

    @Override
    public String broken() {
        StringBuilder broken = new StringBuilder();
        findings.rounds().forEach((way, rounds) -> {
            double ratio = Spread.of(rounds, Loading.Round::ratio).median();
            int failed = failed(rounds);
            if (failed > 0 || ratio > MOST_RATIO) {
                line(
                        broken,
                        "%s: %d requests failed, p99 was %.1f times what it is without loads.",
                        way.title(),
                        failed,
                        ratio);
            }
        });
        return broken.toString().strip();
    }

    private static int failed(List<Loading.Round> rounds) {
        return rounds.stream()
                .mapToInt(round -> round.alone().failed() + round.beside().failed())
                .sum();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## A light model while a large one is loaded\n\n");
        line(
                text,
                "%s is asked over HTTP by 16 connections at half the rate at which two are answered when they ask as"
                        + " fast as they can: without loads, and while a perceptron of %,d bytes is"
                        + " loaded again and again. Microseconds, median (min–max) of %d rounds.",
                findings.light(),
                findings.largeBytes(),
                findings.rounds().values().iterator().next().size());
        line(text, "");
        line(
                text,
                "| the large model is | requests/s | requests | failed | p50 alone | p99 alone | p50 beside | p99"
                        + " beside | p99 beside / alone | loads | a load, ms |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|---|");
        findings.rounds()
                .forEach((way, rounds) -> line(
                        text,
                        "| %s | %s | %,d | %d | %s | %s | %s | %s | %s | %d | %s |",
                        way.title(),
                        Cell.whole(findings.rates().get(way)),
                        rounds.stream()
                                .mapToInt(round -> round.alone().nanos().length
                                        + round.beside().nanos().length)
                                .sum(),
                        failed(rounds),
                        Texts.micros(
                                rounds, round -> round.alone().percentiles().p50()),
                        Texts.micros(
                                rounds, round -> round.alone().percentiles().p99()),
                        Texts.micros(
                                rounds, round -> round.beside().percentiles().p50()),
                        Texts.micros(
                                rounds, round -> round.beside().percentiles().p99()),
                        Cell.decimal(rounds, Loading.Round::ratio),
                        rounds.stream()
                                .mapToInt(round -> round.loadNanos().length)
                                .sum(),
                        loads(rounds)));
        return text.toString();
    }

    private static String loads(List<Loading.Round> rounds) {
        double[] millis = rounds.stream()
                .flatMapToLong(round -> Arrays.stream(round.loadNanos()))
                .mapToDouble(nanos -> nanos / 1e6)
                .toArray();
        return Cell.of(Spread.of(millis), Cell::whole);
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("loading");
        for (Map.Entry<Loading.Way, List<Loading.Round>> entry :
                findings.rounds().entrySet()) {
            for (Loading.Round round : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("way", entry.getKey().name());
                round.alone().percentiles().write(json, "alone");
                round.beside().percentiles().write(json, "beside");
                json.writeNumberField("failed", failed(List.of(round)));
                json.writeFieldName("loadNanos");
                json.writeArray(round.loadNanos(), 0, round.loadNanos().length);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
