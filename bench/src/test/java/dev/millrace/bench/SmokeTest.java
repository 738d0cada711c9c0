// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.millrace.bench.Saturation.Scenario;
import dev.millrace.bench.Saturation.Throughput;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Settings;
import dev.millrace.memory.NativeMemory;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Everything that is timed runs, a few times and untimed, so that it cannot rot.
class SmokeTest {
    private static final Effort TINY = new Effort("tiny", 1, 0, 1, 1, 1, 4, 1, 1);
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
        return Case.all();
    }

    @Test
    void shouldLetAllRoutesThroughTheGate() {
        assertThatCode(() -> Main.checkAll(Case.all())).doesNotThrowAnyException();
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
        Case.all().forEach(subject -> latencies.put(subject, List.of(latency(1000), latency(3000), latency(2000))));
        Results results = new Results(
                Instant.EPOCH, TINY, Machine.describe("abc-dirty"), latencies, throughputs, Optional.empty());
        assertThat(MarkdownReport.of(results))
                .contains("- commit: abc-dirty", "| 2,000 (1,000–3,000) | 1,000 (500–1,500) | 600 |", "| 1.00 | 7.0 |")
                .contains("| mlp-64-128-64-1 | 0 | 0 | 0 |", Scenario.TURNER.title());
        assertThat(JsonReport.of(results)).contains("\"meanNanos\" : 3000.0", "\"scenario\" : \"TURNER\"");
    }

    private static Latency latency(double mean) {
        return new Latency(mean, mean / 2, 600, 700, 7);
    }
}
