// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.decode.Decoding;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.ramp.Ramp;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.RunnerException;

/// Runs everything: prints the machine, lets all routes through the gate, measures, and writes the reports.
///
/// `bench/run.sh` starts it: `Main [--quick] [PART ...] RESULTS-FOLDER REVISION`; with names of parts it measures these
/// alone. Progress goes to standard error, the report to standard output. The
/// exit status is 0 if something was measured, nothing failed, and no promise was found to be broken: without `wrk` all
/// but HTTP is measured.
public final class Main {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm").withZone(ZoneOffset.UTC);
    private static final String QUICK = "--quick";
    /// The small models by all routes, one by one and saturated.
    private static final String ROUTES = "--routes";
    /// Larger models, alone and beside a light one.
    private static final String MODELS = "--models";
    private static final String NEIGHBOUR = "--neighbour";
    private static final String HTTP = "--http";
    /// All models on one server.
    private static final String HTTP_MIX = "--http-mix";
    /// JSON, binary tensors and gRPC, side by side.
    private static final String PROTOCOLS = "--protocols";
    /// What recording latencies costs.
    private static final String RECORDING = "--recording";
    /// Batching under a ramp of loads.
    private static final String RAMP = "--ramp";
    /// Ensembles beside the calls to their steps.
    private static final String ENSEMBLES = "--ensembles";
    /// Reading tensors from JSON.
    private static final String JSON = "--json";
    private static final List<String> PARTS = Stream.concat(
                    Stream.of(ROUTES, MODELS, NEIGHBOUR, HTTP, HTTP_MIX, PROTOCOLS, RECORDING, RAMP, ENSEMBLES, JSON),
                    Promises.PARTS.stream())
            .toList();

    private final Effort effort;
    private final Set<String> parts;
    private final String revision;
    /// The results' path, without the ending.
    private final String name;

    private final Instant now = Instant.now();
    private Map<String, String> machine = Map.of();
    private Map<Case, List<Latency>> latencies = new LinkedHashMap<>();
    private Map<Saturation.Scenario, List<Saturation.Throughput>> throughputs = Map.of();
    private Optional<Mix.Findings> mix = Optional.empty();
    private Map<Integer, List<Neighbours.Trial>> neighbours = Map.of();
    private Optional<HttpBench.Findings> http = Optional.empty();
    private final List<Section> sections = new ArrayList<>();
    /// Whether something that is promised was found not to be so.
    private boolean broken;

    private Main(Set<String> options, Path folder, String revision) {
        this.effort = options.contains(QUICK) ? Effort.QUICK : Effort.FULL;
        Set<String> named = new LinkedHashSet<>(options);
        named.retainAll(PARTS);
        this.parts = named.isEmpty() ? Set.copyOf(PARTS) : named;
        this.revision = revision;
        this.name = folder.resolve(STAMP.format(now) + "-" + revision).toString();
    }

    /// The program.
    public static void main(String[] arguments) throws IOException {
        List<String> words = List.of(arguments);
        int options = Math.max(0, words.size() - 2);
        Set<String> given = new LinkedHashSet<>(words.subList(0, options));
        Set<String> unknown = new TreeSet<>(given);
        PARTS.forEach(unknown::remove);
        unknown.remove(QUICK);
        if (words.size() < 2 || !unknown.isEmpty()) {
            System.err.println("use: [--quick] [" + String.join("] [", PARTS) + "] RESULTS-FOLDER REVISION, not "
                    + String.join(" ", unknown));
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

    /// False if nothing could be measured, or a promise is broken.
    private boolean run() throws IOException, RunnerException {
        machine = Machine.describe(revision);
        machine.forEach((fact, value) -> System.err.println(fact + ": " + value));
        checkAll(cases());
        if (!cases().isEmpty()) {
            System.err.println("every route answers like the floor, alone and in batches");
            latencies = latencies();
            write();
        }
        if (parts.contains(ROUTES)) {
            throughputs = throughputs();
            write();
        }
        if (parts.contains(MODELS)) {
            mix = Optional.of(mix());
            write();
        }
        if (parts.contains(NEIGHBOUR)) {
            neighbours = neighbours();
            write();
        }
        if (parts.contains(HTTP)) {
            http = http();
            if (http.isPresent()) {
                write();
            }
        }
        measureServers();
        if (parts.contains(RECORDING)) {
            sections.add(recording());
            write();
        }
        if (parts.contains(RAMP)) {
            sections.add(ramp());
            write();
        }
        if (parts.contains(ENSEMBLES)) {
            sections.add(EnsembleCost.measure(effort, System.err));
            write();
        }
        if (parts.contains(JSON)) {
            sections.add(decoding());
            write();
        }
        measurePromises();
        boolean measured = http.isPresent()
                || !sections.isEmpty()
                || !Set.of(HTTP, HTTP_MIX, PROTOCOLS).containsAll(parts);
        if (measured) {
            System.err.println("written to " + name + ".md and .json");
            System.out.print(MarkdownReport.of(results()));
        }
        return measured && !broken;
    }

    private void measureServers() throws IOException {
        if (parts.contains(HTTP_MIX)) {
            add(httpMix());
        }
        if (parts.contains(PROTOCOLS)) {
            add(protocols());
        }
    }

    private void add(Optional<Section> section) throws IOException {
        if (section.isPresent()) {
            sections.add(section.get());
            write();
        }
    }

    private void measurePromises() throws IOException {
        Promises promises = new Promises(effort, System.err, Path.of(name + ".log"));
        for (String part : Promises.PARTS) {
            if (parts.contains(part) && promises.isPossible(part)) {
                Section section = promises.measure(part);
                sections.add(section);
                write();
                if (!section.broken().isEmpty()) {
                    broken = true;
                    System.err.println("a promise is broken: " + section.broken());
                }
            }
        }
    }

    /// What JMH times.
    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        if (parts.contains(ROUTES)) {
            cases.addAll(Case.small());
        }
        if (parts.contains(MODELS)) {
            cases.addAll(Case.larger());
        }
        return cases;
    }

    private Map<Case, List<Latency>> latencies() throws IOException, RunnerException {
        try (PrintStream log = log()) {
            return new LatencyRunner(effort, Settings.DEFAULT, System.err, log).measure(cases());
        }
    }

    private PrintStream log() throws IOException {
        return new PrintStream(new FileOutputStream(name + ".log", true), false, StandardCharsets.UTF_8);
    }

    private Map<Saturation.Scenario, List<Saturation.Throughput>> throughputs() {
        try (Saturation saturation = new Saturation(effort, System.err)) {
            return saturation.measure();
        }
    }

    private Mix.Findings mix() {
        try (Mix bench = new Mix(effort, System.err)) {
            return bench.measure();
        }
    }

    private Map<Integer, List<Neighbours.Trial>> neighbours() throws IOException {
        try (Neighbours bench = new Neighbours(effort, System.err)) {
            return bench.measure();
        }
    }

    private Optional<HttpBench.Findings> http() throws IOException {
        try (HttpBench bench = new HttpBench(effort, System.err, Path.of(name + ".log"))) {
            return bench.measure();
        }
    }

    private Optional<Section> httpMix() throws IOException {
        try (HttpMix bench = new HttpMix(effort, System.err, Path.of(name + ".log"))) {
            return bench.measure().map(HttpMixReport::new);
        }
    }

    private Optional<Section> protocols() throws IOException {
        try (Protocols bench = new Protocols(effort, System.err, Path.of(name + ".log"))) {
            return bench.measure().map(ProtocolsReport::new);
        }
    }

    private Section recording() throws IOException {
        try (Saturation saturation = new Saturation(effort, System.err);
                HttpBench bench = new HttpBench(effort, System.err, Path.of(name + ".log"))) {
            return new RecordingCost(saturation.recordingShares(), bench.recordingShares());
        }
    }

    private Section ramp() {
        // Twice as often and half as long: what differs here differs most from round to round.
        try (Ramp ramp = new Ramp(2 * effort.rounds(), effort.repeatMillis() / 2, System.err)) {
            return ramp.measure();
        }
    }

    private Section decoding() throws IOException, RunnerException {
        try (PrintStream log = log()) {
            return Decoding.measure(
                    effort.rounds(), effort.warmups(), effort.iterations(), effort.iterationMillis(), System.err, log);
        }
    }

    private Results results() {
        return new Results(now, effort, machine, latencies, throughputs, mix, neighbours, http, sections);
    }

    /// After each part: what took minutes is there even if the next one fails.
    private void write() throws IOException {
        Files.writeString(Path.of(name + ".md"), MarkdownReport.of(results()));
        Files.writeString(Path.of(name + ".json"), JsonReport.of(results()));
    }

    /// Lets all answer that are timed; but DJL, which wants to be the first in a process to use ONNX Runtime, only
    /// where it is timed.
    ///
    /// @throws Gate.Refusal if one answers otherwise than the floor
    static void checkAll(List<Case> cases) {
        for (String model : new LinkedHashSet<>(cases.stream().map(Case::model).toList())) {
            try (Fixture fixture = Fixture.open(BenchModels.named(model))) {
                Gate gate = fixture.gate();
                cases.stream()
                        .filter(each -> each.model().equals(model) && each.route() != Route.DJL)
                        .forEach(each -> gate.check(each.route(), each.batch()));
            }
        }
    }
}
