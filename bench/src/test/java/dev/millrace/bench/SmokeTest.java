// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.millrace.bench.Saturation.Scenario;
import dev.millrace.bench.Saturation.Throughput;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Everything that is timed runs, a few times and untimed, so that it cannot rot.
class SmokeTest {
    private static final Effort TINY = new Effort("tiny", 1, 0, 1, 1, 1, 4, 1, 1, 1);
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    private long before;

    @BeforeEach
    void countMemory() {
        before = NativeMemory.used();
    }

    @AfterEach
    void shouldFreeAllMemory() {
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldRunEveryCase(Case subject) {
        LatencyBench bench = new LatencyBench();
        bench.model = subject.model();
        bench.route = subject.route();
        bench.batch = subject.batch();
        bench.settings = Settings.DEFAULT.encode();
        bench.open();
        try {
            for (int i = 0; i < 2 * Examples.COUNT; i++) {
                bench.answer();
            }
        } finally {
            bench.close();
        }
    }

    private static List<Case> cases() {
        return Case.small();
    }

    @Test
    void shouldTimeALightModelAmongHeavyOnesAndReport() {
        Mix.Findings mix;
        try (Mix bench = new Mix(TINY, SILENCE)) {
            mix = bench.measure();
        }

        assertThat(mix.agents()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(mix.trials()).containsOnlyKeys(Mix.Load.values());
        mix.trials()
                .forEach((load, trials) -> assertThat(trials).singleElement().satisfies(trial -> {
                    assertThat(trial.floor().p50()).isPositive();
                    assertThat(trial.call().p999())
                            .isGreaterThanOrEqualTo(trial.call().p50());
                    assertThat(trial.rowsPerSecond() > 0).isEqualTo(load != Mix.Load.NONE);
                }));
        Results results = results(Map.of(), Map.of(), Optional.of(mix), Map.of());
        assertThat(MarkdownReport.of(results))
                .contains("serves mlp-64-128-64-1 and mlp-256-1024-1024-512-1, cnn-3x224x224, trees-500x8")
                .contains("| none | " + Route.FLOOR.title(), "| " + Mix.Load.ENDLESS.title() + " | Millrace");
        assertThat(JsonReport.of(results)).contains("\"load\" : \"ENDLESS\"", "\"heavyRowsPerSecond\"");
    }

    @Test
    void shouldTimeBesideNeighboursAndReport() throws IOException {
        Map<Integer, List<Neighbours.Trial>> trials;
        try (Neighbours bench = new Neighbours(TINY, SILENCE)) {
            trials = bench.measure();
        }

        assertThat(trials).containsOnlyKeys(0, 1, 2);
        assertThat(ProcessHandle.current().children()).isEmpty();
        Results measured = results(Map.of(), Map.of(), Optional.empty(), trials);
        assertThat(JsonReport.of(measured)).contains("\"number\" : 2");

        ClosedLoop.Timing one = new ClosedLoop.Timing(1000, 2000, 3000);
        ClosedLoop.Timing two = new ClosedLoop.Timing(1500, 2500, 3500);
        ClosedLoop.Timing ten = new ClosedLoop.Timing(10_000, 20_000, 30_000);
        Results made =
                results(Map.of(), Map.of(), Optional.empty(), Map.of(1, List.of(new Neighbours.Trial(one, two, ten))));
        assertThat(MarkdownReport.of(made))
                .contains("| 1 | Millrace `Call.run()`, by its caller | 1,500 | 2,500 | 3,500 | 1.50 |")
                .contains("| 1 | Millrace `Call.run()`, by agents | 10,000 | 20,000 | 30,000 | 10.00 |");
    }

    @Tag("slow")
    @Test
    void shouldLetLargerModelsThroughTheGateInBatches() {
        List<Case> calls = Case.larger().stream()
                .filter(each -> each.route() == Route.CALL && each.batch() > 1)
                .toList();

        assertThat(calls).hasSize(3);
        assertThatCode(() -> Main.checkAll(calls)).doesNotThrowAnyException();
    }

    @Test
    void shouldLetAllRoutesThroughTheGate() {
        assertThatCode(() -> Main.checkAll(Case.small())).doesNotThrowAnyException();
    }

    @Test
    void shouldSaturateAndReport() {
        Map<Scenario, List<Throughput>> throughputs;
        try (Saturation saturation = new Saturation(TINY, SILENCE)) {
            throughputs = saturation.measure();
        }
        assertThat(throughputs).containsOnlyKeys(Scenario.values());
        assertThat(throughputs.values())
                .allSatisfy(repeats -> assertThat(repeats)
                        .singleElement()
                        .satisfies(
                                throughput -> assertThat(throughput.meanBatch()).isBetween(1.0, 128.0)));

        Map<Case, List<Latency>> latencies = new LinkedHashMap<>();
        Case.small().forEach(subject -> latencies.put(subject, List.of(latency(1000), latency(3000), latency(2000))));
        Results results = results(latencies, throughputs, Optional.empty(), Map.of());
        assertThat(MarkdownReport.of(results))
                .contains("- commit: abc-dirty", "| 2,000 (1,000–3,000) | 1,000 (500–1,500) | 600 |", "| 1.00 | 7.0 |")
                .contains("| mlp-64-128-64-1 | 0 | 0 | 0 |", Scenario.TURNER.title());
        assertThat(JsonReport.of(results)).contains("\"meanNanos\" : 3000.0", "\"scenario\" : \"TURNER\"");
    }

    @Test
    void shouldCompareRecordingAndReport() {
        Map<Scenario, List<Double>> shares;
        try (Saturation saturation = new Saturation(TINY, SILENCE)) {
            shares = saturation.recordingShares();
        }
        assertThat(shares)
                .containsOnlyKeys(
                        Scenario.SUBMIT, Scenario.SUBMIT_ONE_AGENT, Scenario.TURNER, Scenario.TURNER_AND_AGENT);
        assertThat(shares.values())
                .allSatisfy(pairs -> assertThat(pairs)
                        .hasSize(4)
                        .allSatisfy(share -> assertThat(share).isPositive()));

        Results results =
                results(new RecordingCost(Map.of(Scenario.TURNER, List.of(0.98, 0.99, 1.01)), List.of(0.97, 0.99)));
        assertThat(MarkdownReport.of(results))
                .contains("- commit: abc", "| " + Scenario.TURNER.title() + " | 3 | 0.990 (0.980–1.010) |")
                .contains("| HTTP, 32 connections | 2 | 0.980 (0.970–0.990) |");
        assertThat(JsonReport.of(results)).contains("\"TURNER\" : [ 0.98, 0.99, 1.01 ]", "\"HTTP\" : [ 0.97, 0.99 ]");
    }

    @Test
    void shouldMeasureEnsemblesAndReport() throws IOException {
        EnsembleCost measured = EnsembleCost.measure(TINY, SILENCE);

        assertThat(measured.trials()).containsOnlyKeys(EnsembleCost.Shape.values());
        assertThat(measured.trials().values())
                .allSatisfy(trials -> assertThat(trials)
                        .hasSize(1)
                        .allSatisfy(trial -> assertThat(trial.ratio()).isPositive()));
        Results results = results(new EnsembleCost(Map.of(
                EnsembleCost.Shape.FAN,
                List.of(
                        new EnsembleCost.Trial(10, 20),
                        new EnsembleCost.Trial(30, 40),
                        new EnsembleCost.Trial(3, 2)))));
        assertThat(MarkdownReport.of(results))
                .contains("| three of loop-4 with 4 products, side by side | 10.00 | 20.00 | 0.75 (0.50–1.50) |");
        assertThat(JsonReport.of(results)).contains("\"ensembleMicros\" : 10.0");
    }

    private static Results results(Section section) {
        return new Results(
                Instant.EPOCH,
                TINY,
                Machine.describe("abc"),
                Map.of(),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Optional.empty(),
                List.of(section));
    }

    private static Results results(
            Map<Case, List<Latency>> latencies,
            Map<Scenario, List<Throughput>> throughputs,
            Optional<Mix.Findings> mix,
            Map<Integer, List<Neighbours.Trial>> neighbours) {
        Map<String, String> machine = Machine.describe("abc-dirty");
        return new Results(
                Instant.EPOCH, TINY, machine, latencies, throughputs, mix, neighbours, Optional.empty(), List.of());
    }

    private static Latency latency(double mean) {
        return new Latency(mean, mean / 2, 600, 700, 7);
    }
}
