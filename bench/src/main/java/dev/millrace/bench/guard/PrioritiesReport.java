// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.promise.Account;
import dev.millrace.bench.promise.PacedLines;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What came of priorities, of weights and of clients' limits, for a report.
record PrioritiesReport(Priorities.Findings findings) implements Section {
    /// Of the runs, those that a low priority is given while a high one could take all.
    private static final double LOW_SHARE = 1.0 / 9;
    /// How far a measured share may be below what is promised, as a part of it: runs at the begin and the end of a
    /// measurement are in it or not.
    private static final double SLACK = 0.1;
    /// How far a share of time may be from what weights say.
    private static final double SHARE_SLACK = 0.05;
    /// Of the rows that a client may have, those that it gets if it asks for more.
    private static final double LEAST_KEPT = 0.95;

    @Override
    public String broken() {
        Text broken = new Text();
        findings.trials().forEach((trial, results) -> broken(broken, trial, results));
        findings.shares().forEach((weights, shares) -> {
            double part = Text.median(shares, Shares.Share::part);
            if (Math.abs(part - weights.part()) > SHARE_SLACK) {
                broken.line(
                        "weights %d and %d: %.3f of the time was the first one's, not %.3f.",
                        weights.first(), weights.second(), part, weights.part());
            }
        });
        findings.clients().together().forEach(result -> broken(broken, result));
        return broken.stripped();
    }

    private static void broken(Text broken, Priorities.Trial trial, List<Priorities.Result> results) {
        double refused = Text.median(results, result -> result.high().refusedShare());
        double share = Text.median(results, Priorities.Result::lowShare);
        if (trial.high() < 1 && refused > 0) {
            broken.line(
                    "%.1f high, %.1f low: %.3f of the high priority's were refused.",
                    trial.high(), trial.low(), refused);
        }
        if (share < (1 - SLACK) * LOW_SHARE) {
            broken.line(
                    "%.1f high, %.1f low: %.3f of the answers were the low priority's, not a ninth.",
                    trial.high(), trial.low(), share);
        }
    }

    private static void broken(Text broken, ClientLimits.Result result) {
        String key = result.client().key();
        if (result.kept() > 1 || (result.client().isOver() && result.kept() < LEAST_KEPT)) {
            broken.line("client %s got %.3f of the rows that it may have.", key, result.kept());
        }
        int refused = result.client().isOver() ? 0 : result.answers().refused();
        if (result.failed() + refused > 0) {
            broken.line(
                    "client %s: %d requests failed, %d were refused: %s.",
                    key, result.failed(), refused, result.answers().problem());
        }
    }

    @Override
    public String markdown() {
        Text text = new Text().line("## Priorities, weights and clients' limits");
        priorities(text);
        shares(text);
        clients(text);
        return text.toString();
    }

    private void priorities(Text text) {
        List<Priorities.Result> first = findings.trials().values().iterator().next();
        text.line("");
        text.line(
                "Two priorities of %s in this process: a row takes %s µs in a closed loop; runs of at most %d rows, a"
                        + " queue of %d rows for each priority, one agent. Open loop, Poisson, for %.1f s; median"
                        + " (min–max) of %d rounds. Times are of requests that were accepted, from when they were due.",
                findings.model(),
                Cell.whole(first, result -> 1e6 / result.capacity()),
                Priorities.BATCH,
                Priorities.QUEUE,
                first.getFirst().high().nanos() / 1e9,
                first.size());
        text.head(
                "high / capacity",
                "low / capacity",
                "high refused",
                "high p50 µs",
                "p99 µs",
                "p99 without low, µs",
                "low refused",
                "low p99 µs",
                "low rows/s",
                "low's share of the answers");
        findings.trials()
                .forEach((trial, results) -> text.line(
                        "| %.1f | %.1f | %s | %s | %s | %s | %s | %s | %s | %s |",
                        trial.high(),
                        trial.low(),
                        Cell.decimal(results, result -> result.high().refusedShare()),
                        Text.micros(results, result -> result.high().accepted().p50()),
                        Text.micros(results, result -> result.high().accepted().p99()),
                        Text.micros(results, result -> result.alone().accepted().p99()),
                        Cell.decimal(results, result -> result.low().refusedShare()),
                        Text.micros(results, result -> result.low().accepted().p99()),
                        Cell.whole(results, result -> result.low().goodput()),
                        share(results)));
    }

    private static String share(List<Priorities.Result> results) {
        return Cell.of(
                Spread.of(results, Priorities.Result::lowShare), share -> String.format(Locale.ROOT, "%.3f", share));
    }

    private void shares(Text text) {
        text.line("");
        text.line(
                "%s (first) and %s (second) on one agent, each saturated by its own traffic; time is that of runs.",
                Shares.FIRST, Shares.SECOND);
        text.head("weights", "first's share by weight", "measured", "first's rows/s", "second's rows/s");
        findings.shares()
                .forEach((weights, shares) -> text.line(
                        "| %d : %d | %.2f | %s | %s | %s |",
                        weights.first(),
                        weights.second(),
                        weights.part(),
                        Cell.decimal(shares, Shares.Share::part),
                        Cell.whole(shares, Shares.Share::firstRows),
                        Cell.whole(shares, Shares.Share::secondRows)));
    }

    private void clients(Text text) {
        text.line("");
        text.line(
                "A server that gives each client %d rows per second and %d at once; clients are told apart by a header."
                        + " Over their limit are those who ask for four times as much.",
                ClientLimits.LIMIT, ClientLimits.BURST);
        text.head(
                "client",
                "rows in a request",
                "asks for rows/s",
                "answered rows/s",
                "of what it may have",
                "429",
                "failed",
                "p50 µs",
                "p99 µs");
        row(
                text,
                "modest, alone",
                new ClientLimits.Result(ClientLimits.clients().getFirst(), clientsAlone()));
        findings.clients()
                .together()
                .forEach(result -> row(text, result.client().key(), result));
    }

    private PacedLines.Answers clientsAlone() {
        return findings.clients().alone();
    }

    private static void row(Text text, String name, ClientLimits.Result result) {
        text.line(
                "| %s | %d | %,.0f | %,.0f | %.3f | %,d | %d | %s | %s |",
                name,
                result.client().rows(),
                result.client().load() * ClientLimits.LIMIT,
                result.answeredRows() / result.answers().seconds(),
                result.kept(),
                result.answers().refused(),
                result.failed(),
                Text.micros(result.answers().percentiles().p50()),
                Text.micros(result.answers().percentiles().p99()));
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("priorities");
        json.writeArrayFieldStart("levels");
        for (Map.Entry<Priorities.Trial, List<Priorities.Result>> entry :
                findings.trials().entrySet()) {
            for (Priorities.Result result : entry.getValue()) {
                json.writeStartObject();
                json.writeNumberField("highLoad", entry.getKey().high());
                json.writeNumberField("lowLoad", entry.getKey().low());
                json.writeNumberField("capacity", result.capacity());
                write(json, result);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("weights");
        for (Map.Entry<Shares.Weights, List<Shares.Share>> entry :
                findings.shares().entrySet()) {
            for (Shares.Share share : entry.getValue()) {
                json.writeStartObject();
                json.writeNumberField("first", entry.getKey().first());
                json.writeNumberField("second", entry.getKey().second());
                json.writeNumberField("firstNanos", share.firstNanos());
                json.writeNumberField("secondNanos", share.secondNanos());
                json.writeNumberField("firstRowsPerSecond", share.firstRows());
                json.writeNumberField("secondRowsPerSecond", share.secondRows());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        writeClients(json);
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Priorities.Result result) throws IOException {
        Map<String, Account> accounts = Map.of("alone", result.alone(), "high", result.high(), "low", result.low());
        for (String name : List.of("alone", "high", "low")) {
            accounts.get(name).write(json, name);
        }
    }

    private void writeClients(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("clients");
        for (ClientLimits.Result result : findings.clients().together()) {
            json.writeStartObject();
            json.writeStringField("client", result.client().key());
            json.writeNumberField("rowsInARequest", result.client().rows());
            json.writeNumberField("load", result.client().load());
            json.writeNumberField("answeredRows", result.answeredRows());
            json.writeNumberField("seconds", result.answers().seconds());
            json.writeNumberField("refused", result.answers().refused());
            json.writeNumberField("failed", result.failed());
            result.answers().percentiles().write(json, "times");
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
