// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Spread;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Results as Markdown tables. Where there were several measurements a cell shows their median and, in brackets, the
/// smallest and the largest.
final class MarkdownReport {
    private static final String ECHO = "Netty echo: the floor";
    private static final String MILLRACE = "Millrace";

    private final Results results;
    private final StringBuilder text = new StringBuilder();

    private MarkdownReport(Results results) {
        this.results = results;
    }

    static String of(Results results) {
        return new MarkdownReport(results).render();
    }

    private String render() {
        environment();
        if (!results.latencies().isEmpty()) {
            line("");
            line(
                    "%d rounds. Correctness: every route answered %d rows like the floor, alone and in batches.",
                    results.effort().rounds(), Examples.COUNT);
            oneByOne();
            batches();
            if (results.latencies().keySet().stream().anyMatch(each -> each.route() == Route.ROW_RUNNER)) {
                parts();
            }
        }
        if (!results.throughputs().isEmpty()) {
            saturated();
        }
        results.mix().ifPresent(this::mix);
        if (!results.neighbours().isEmpty()) {
            neighbours();
        }
        results.http().ifPresent(this::http);
        results.sections().forEach(section -> text.append('\n').append(section.markdown()));
        return text.toString();
    }

    private void environment() {
        line("# Millrace bench, %s", results.machine().get("commit"));
        line("");
        line("%s, %s run", results.taken(), results.effort().name());
        line("");
        results.machine().forEach((name, value) -> line("- %s: %s", name, value));
    }

    private void oneByOne() {
        heading("One row at a time, nanoseconds per call");
        line("| model | route | mean | p50 | p99 | p99.9 | p50 / floor | B/op |");
        line("|---|---|---|---|---|---|---|---|");
        results.latencies().forEach((subject, rounds) -> {
            if (subject.batch() == 1) {
                line(
                        "| %s | %s | %s | %s | %s | %s | %s | %s |",
                        subject.model(),
                        subject.route().title(),
                        Cell.whole(rounds, Latency::mean),
                        Cell.whole(rounds, Latency::p50),
                        Cell.whole(rounds, Latency::p99),
                        Cell.whole(rounds, Latency::p999),
                        ratio(subject, rounds),
                        Cell.bytes(rounds, Latency::bytes));
            }
        });
    }

    private void batches() {
        heading("Batches, nanoseconds per call");
        line("| model | batch | route | mean | p50 | p99 | p99.9 | p50 per row | p50 / floor | B/op |");
        line("|---|---|---|---|---|---|---|---|---|---|");
        results.latencies().forEach((subject, rounds) -> {
            if (subject.batch() > 1) {
                line(
                        "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %s |",
                        subject.model(),
                        subject.batch(),
                        subject.route().title(),
                        Cell.whole(rounds, Latency::mean),
                        Cell.whole(rounds, Latency::p50),
                        Cell.whole(rounds, Latency::p99),
                        Cell.whole(rounds, Latency::p999),
                        Cell.whole(rounds, latency -> latency.p50() / subject.batch()),
                        ratio(subject, rounds),
                        Cell.bytes(rounds, Latency::bytes));
            }
        });
    }

    private void parts() {
        heading("What a call adds to the floor, nanoseconds of p50");
        line("| model | making OrtValues | the pipeline | both |");
        line("|---|---|---|---|");
        for (Case floor : results.latencies().keySet()) {
            Case values = new Case(floor.model(), Route.ROW_RUNNER, floor.batch());
            Case call = new Case(floor.model(), Route.CALL, floor.batch());
            if (floor.route() == Route.FLOOR && results.latencies().containsKey(values)) {
                line(
                        "| %s | %s | %s | %s |",
                        floor.model(), difference(values, floor), difference(call, values), difference(call, floor));
            }
        }
    }

    private void saturated() {
        heading("Saturated, rows per second");
        line(
                "| scenario | rows/s | mean batch | floor at the same batch | ratio | floor at batch %d | ratio |"
                        + " B/row |",
                Saturation.FLOOR_BATCH);
        line("|---|---|---|---|---|---|---|---|");
        results.throughputs()
                .forEach((scenario, repeats) -> line(
                        "| %s | %s | %s | %s | %s | %s | %s | %s |",
                        scenario.title(),
                        Cell.whole(repeats, Saturation.Throughput::rowsPerSecond),
                        Cell.decimal(repeats, Saturation.Throughput::meanBatch),
                        Cell.whole(repeats, Saturation.Throughput::floorFormed),
                        Cell.decimal(repeats, Saturation.Throughput::ratioFormed),
                        Cell.whole(repeats, Saturation.Throughput::floor64),
                        Cell.decimal(repeats, Saturation.Throughput::ratio64),
                        Cell.bytes(repeats, Saturation.Throughput::bytes)));
    }

    private void mix(Mix.Findings mix) {
        heading("A light model among heavy ones, nanoseconds per call");
        line(
                "One runtime with %d agents serves %s and %s. One thread asks %s one row at a time; the others are"
                        + " asked by `Call.submit()`.",
                mix.agents(), BenchModels.MLP.name(), String.join(", ", Mix.HEAVY), BenchModels.MLP.name());
        line("");
        line("| heavy load | route | p50 | p99 | p99.9 | p50 / floor | heavy rows/s |");
        line("|---|---|---|---|---|---|---|");
        mix.trials().forEach((load, trials) -> {
            String rows = Cell.whole(trials, Mix.Trial::rowsPerSecond);
            timed(load.title(), Route.FLOOR.title(), trials, Mix.Trial::floor, Mix.Trial::floor, rows);
            timed(load.title(), Route.CALL.title(), trials, Mix.Trial::call, Mix.Trial::floor, rows);
        });
    }

    private void neighbours() {
        heading("Beside neighbours that spin, nanoseconds per call");
        line("%s, one row at a time. A neighbour is a process that does nothing but spin.", BenchModels.MLP.name());
        line("");
        line("| neighbours | route | p50 | p99 | p99.9 | p50 / floor |");
        line("|---|---|---|---|---|---|");
        results.neighbours().forEach((number, trials) -> {
            String title = Integer.toString(number);
            timed(title, Route.FLOOR.title(), trials, Neighbours.Trial::floor, Neighbours.Trial::floor);
            String call = Route.CALL.title();
            timed(title, call + ", by its caller", trials, Neighbours.Trial::inline, Neighbours.Trial::floor);
            timed(title, call + ", by agents", trials, Neighbours.Trial::agents, Neighbours.Trial::floor);
        });
    }

    /// A row of percentiles and of the median's ratio to the floor's in the same repeat.
    private <T> void timed(
            String what,
            String who,
            List<T> trials,
            Function<T, ClosedLoop.Timing> timing,
            Function<T, ClosedLoop.Timing> floor,
            String... more) {
        line(
                "| %s | %s | %s | %s | %s | %s |%s",
                what,
                who,
                Cell.whole(trials, trial -> timing.apply(trial).p50()),
                Cell.whole(trials, trial -> timing.apply(trial).p99()),
                Cell.whole(trials, trial -> timing.apply(trial).p999()),
                Cell.decimal(
                        trials,
                        trial -> timing.apply(trial).p50() / floor.apply(trial).p50()),
                more.length == 0 ? "" : " " + String.join(" | ", more) + " |");
    }

    private void http(HttpBench.Findings http) {
        heading("HTTP, beside a bare Netty echo");
        line(
                "%d rounds, one event loop each; bodies of %d bytes to the server and %d back; JVM flags: %s.",
                http.starts().size(), http.requestBytes(), http.answerBytes(), String.join(" ", ServerProcess.flags()));
        line("Correctness: over HTTP %d rows were answered like the floor, before and after the load.", Examples.COUNT);
        line("");
        line("| connections | server | requests/s | p50 µs | p99 µs | requests/s / echo | p99 / echo |");
        line("|---|---|---|---|---|---|---|");
        http.loads().forEach((connections, rounds) -> {
            loads(connections, ECHO, rounds, HttpBench.Both::echo);
            loads(connections, MILLRACE, rounds, HttpBench.Both::millrace);
        });
        line("");
        line(
                "| server | first answer, ms after the start of the process | MiB in RAM after %d s more at %d"
                        + " connections |",
                http.memorySeconds(), HttpBench.CONNECTIONS.getFirst());
        line("|---|---|---|");
        line(
                "| %s | %s | %s |",
                ECHO,
                Cell.whole(http.starts(), HttpBench.Both::echo),
                mebibytes(http.memory().echo()));
        line(
                "| %s | %s | %s |",
                MILLRACE,
                Cell.whole(http.starts(), HttpBench.Both::millrace),
                mebibytes(http.memory().millrace()));
    }

    private void loads(
            int connections,
            String server,
            List<HttpBench.Both<Wrk.Load>> rounds,
            Function<HttpBench.Both<Wrk.Load>, Wrk.Load> side) {
        line(
                "| %d | %s | %s | %s | %s | %s | %s |",
                connections,
                server,
                Cell.whole(rounds, both -> side.apply(both).requestsPerSecond()),
                Cell.whole(rounds, both -> side.apply(both).p50()),
                Cell.whole(rounds, both -> side.apply(both).p99()),
                Cell.decimal(
                        rounds,
                        both -> side.apply(both).requestsPerSecond()
                                / both.echo().requestsPerSecond()),
                Cell.decimal(
                        rounds, both -> side.apply(both).p99() / both.echo().p99()));
    }

    private static String mebibytes(double value) {
        return Double.isNaN(value) ? "unknown" : Cell.whole(value);
    }

    /// The medians' ratio to the floor's in the same round.
    private String ratio(Case subject, List<Latency> rounds) {
        List<Latency> floor = results.latencies().get(subject.floor());
        double[] ratios =
                byRound(rounds, i -> rounds.get(i).p50() / floor.get(i).p50());
        return Cell.of(Spread.of(ratios), Cell::decimal);
    }

    private String difference(Case larger, Case smaller) {
        List<Latency> more = results.latencies().get(larger);
        List<Latency> less = results.latencies().get(smaller);
        double[] differences =
                byRound(more, i -> more.get(i).p50() - less.get(i).p50());
        return Cell.of(Spread.of(differences), Cell::whole);
    }

    private static double[] byRound(List<Latency> rounds, IntToDoubleFunction value) {
        return IntStream.range(0, rounds.size()).mapToDouble(value).toArray();
    }

    private void heading(String title) {
        line("");
        line("## %s", title);
        line("");
    }

    private void line(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
