// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.route.DjlEngine;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Settings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.openjdk.jmh.runner.RunnerException;

/// Runs everything: prints the machine, lets all routes through the gate, measures, and writes the reports.
///
/// `bench/run.sh` starts it: `Main [--quick] [--http] RESULTS-FOLDER REVISION`; with `--http` it measures the servers
/// alone. Progress goes to standard error, the report to standard output. The exit status is 0 if something was
/// measured and nothing failed: without `wrk` all but HTTP is measured.
public final class Main {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm").withZone(ZoneOffset.UTC);
    private static final String QUICK = "--quick";
    private static final String HTTP = "--http";

    private final Effort effort;
    private final boolean onlyHttp;
    private final String revision;
    /// The results' path, without the ending.
    private final String name;

    private final Instant now = Instant.now();

    private Main(Set<String> options, Path folder, String revision) {
        this.effort = options.contains(QUICK) ? Effort.QUICK : Effort.FULL;
        this.onlyHttp = options.contains(HTTP);
        this.revision = revision;
        this.name = folder.resolve(STAMP.format(now) + "-" + revision).toString();
    }

    /// The program.
    public static void main(String[] arguments) throws IOException {
        List<String> words = List.of(arguments);
        int options = Math.max(0, words.size() - 2);
        Set<String> given = new LinkedHashSet<>(words.subList(0, options));
        if (words.size() < 2 || !Set.of(QUICK, HTTP).containsAll(given)) {
            System.err.println("use: [--quick] [--http] RESULTS-FOLDER REVISION");
            System.exit(2);
        }
        Path folder = Files.createDirectories(Path.of(words.get(options)));
        try {
            if (!new Main(given, folder, words.get(options + 1)).run()) {
                System.exit(1);
            }
        } catch (Gate.Refusal e) {
            System.err.println("Refused: " + e.getMessage());
            System.exit(1);
        } catch (RunnerException e) {
            System.err.println("A bench failed, see the .log in " + folder + ": " + e.getMessage());
            System.exit(1);
        }
    }

    /// False if nothing could be measured.
    private boolean run() throws IOException, RunnerException {
        if (!onlyHttp) {
            // It has to be there before anything else uses ONNX Runtime.
            DjlEngine.start();
        }
        Map<String, String> machine = Machine.describe(revision);
        machine.forEach((fact, value) -> System.err.println(fact + ": " + value));
        Map<Case, List<Latency>> latencies = Map.of();
        Map<Saturation.Scenario, List<Saturation.Throughput>> throughputs = Map.of();
        if (!onlyHttp) {
            checkAll(Case.all());
            System.err.printf("every route answers %d rows like the floor, alone and in batches%n", Examples.COUNT);
            latencies = latencies();
            throughputs = throughputs();
        }
        Results results = new Results(now, effort, machine, latencies, throughputs, Optional.empty());
        if (!onlyHttp) {
            // What took minutes is there even if the rest fails.
            write(results);
        }
        Optional<HttpBench.Findings> http = http();
        if (http.isPresent()) {
            results = new Results(now, effort, machine, latencies, throughputs, http);
            write(results);
        }
        System.out.print(onlyHttp && http.isEmpty() ? "" : MarkdownReport.of(results));
        return !onlyHttp || http.isPresent();
    }

    private Map<Case, List<Latency>> latencies() throws IOException, RunnerException {
        try (PrintStream log = new PrintStream(name + ".log", StandardCharsets.UTF_8)) {
            return new LatencyRunner(effort, Settings.DEFAULT, System.err, log).measure(Case.all());
        }
    }

    private Map<Saturation.Scenario, List<Saturation.Throughput>> throughputs() {
        try (Saturation saturation = new Saturation(effort, System.err)) {
            return saturation.measure();
        }
    }

    private Optional<HttpBench.Findings> http() throws IOException {
        try (HttpBench bench = new HttpBench(effort, System.err, Path.of(name + ".log"))) {
            return bench.measure();
        }
    }

    private void write(Results results) throws IOException {
        Files.writeString(Path.of(name + ".md"), MarkdownReport.of(results));
        Files.writeString(Path.of(name + ".json"), JsonReport.of(results));
        System.err.println("written to " + name + ".md and .json");
    }

    /// Lets all answer that are timed.
    ///
    /// @throws Gate.Refusal if one answers otherwise than the floor
    static void checkAll(List<Case> cases) {
        for (String model : new LinkedHashSet<>(cases.stream().map(Case::model).toList())) {
            try (Fixture fixture = Fixture.open(BenchModels.named(model))) {
                Gate gate = fixture.gate();
                cases.stream()
                        .filter(each -> each.model().equals(model))
                        .forEach(each -> gate.check(each.route(), each.batch()));
            }
        }
    }
}
