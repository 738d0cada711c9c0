// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

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
import java.util.Set;
import java.util.TreeSet;
import org.openjdk.jmh.runner.RunnerException;

/// Runs everything: prints the machine, lets all routes through the gate, measures, and writes the reports.
///
/// `bench/run.sh` starts it: `Main [--quick] RESULTS-FOLDER REVISION`. Progress goes to standard error, the report to
/// standard output. The exit status is 0 if everything was measured and 1 if not.
public final class Main {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm").withZone(ZoneOffset.UTC);

    private Main() {}

    /// The program.
    public static void main(String[] arguments) throws IOException {
        boolean quick = arguments.length == 3 && arguments[0].equals("--quick");
        if (!quick && arguments.length != 2) {
            System.err.println("use: [--quick] RESULTS-FOLDER REVISION");
            System.exit(2);
        }
        Path folder = Files.createDirectories(Path.of(arguments[arguments.length - 2]));
        String revision = arguments[arguments.length - 1];
        try {
            run(quick ? Effort.QUICK : Effort.FULL, folder, revision);
        } catch (Gate.Refusal e) {
            System.err.println("Not timed: " + e.getMessage());
            System.exit(1);
        } catch (RunnerException e) {
            System.err.println("A bench failed, see the .log in " + folder + ": " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(Effort effort, Path folder, String revision) throws IOException, RunnerException {
        Instant now = Instant.now();
        Map<String, String> machine = Machine.describe(revision);
        machine.forEach((name, value) -> System.err.println(name + ": " + value));
        checkAll(Case.all());
        System.err.printf("every route answers %d rows like the floor, alone and in batches%n", Rows.COUNT);

        Path name = folder.resolve(STAMP.format(now) + "-" + revision);
        Map<Case, List<Latency>> latencies;
        try (PrintStream log = new PrintStream(name + ".log", StandardCharsets.UTF_8)) {
            latencies = new LatencyRunner(effort, System.err, log).measure(Case.all());
        }
        Map<Saturation.Scenario, List<Saturation.Throughput>> throughputs;
        try (Saturation saturation = new Saturation(effort, System.err)) {
            throughputs = saturation.measure();
        }
        Results results = new Results(now, effort, machine, latencies, throughputs);
        String markdown = MarkdownReport.of(results);
        Files.writeString(Path.of(name + ".md"), markdown);
        Files.writeString(Path.of(name + ".json"), JsonReport.of(results));
        System.out.print(markdown);
        System.err.println("written to " + name + ".md and .json");
    }

    /// Lets every route answer in every batch size that is timed.
    ///
    /// @throws Gate.Refusal if one answers otherwise than the floor
    static void checkAll(List<Case> cases) {
        Set<String> models = new LinkedHashSet<>(cases.stream().map(Case::model).toList());
        Set<Integer> batches = new TreeSet<>(cases.stream().map(Case::batch).toList());
        for (String model : models) {
            try (Fixture fixture = Fixture.open(BenchModels.named(model))) {
                for (int batch : batches) {
                    checkAll(fixture, batch);
                }
            }
        }
    }

    private static void checkAll(Fixture fixture, int batch) {
        try (Contestant alone = fixture.contestant(Route.FLOOR, 1);
                Contestant floor = fixture.contestant(Route.FLOOR, batch)) {
            Gate gate = new Gate(fixture.model().outputWidth(), alone);
            for (Route route : Route.values()) {
                check(gate, fixture, route, floor, batch);
            }
        }
    }

    private static void check(Gate gate, Fixture fixture, Route route, Contestant floor, int batch) {
        try (Contestant contestant = fixture.contestant(route, batch)) {
            gate.check(fixture.model().name() + ", " + route.title(), contestant, floor, batch);
        }
    }
}
