// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.ramp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RampTest {
    @Test
    void shouldMeasureEverySettingUnderEveryLoad() throws IOException {
        PrintStream silence = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        try (Ramp ramp = new Ramp(BenchModels.MLP.name(), 1, 4, silence)) {
            Ramp.Findings findings = ramp.measure(0.001, 0.002);

            int settings = Setting.all(findings.bound()).size();
            assertThat(findings.cells()).hasSize(2 * settings);
            assertThat(findings.cells()).allSatisfy(cell -> {
                assertThat(cell.outcomes()).hasSize(1);
                Load.Outcomes outcomes = cell.outcomes().getFirst();
                assertThat(outcomes.offered()).isPositive();
                assertThat(outcomes.answered()).isBetween(1, outcomes.offered());
                assertThat(outcomes.good()).isBetween(0.0, 1.0);
            });
            String report = new RampReport(findings).markdown();
            assertThat(report.lines()
                            .filter(line -> line.contains("| objective |"))
                            .count())
                    .isEqualTo(2);
            assertThat(report)
                    .contains("- model: mlp-64-128-64-1; ", "| load | best fixed setting |", "| 0.00 | batch ");
            assertThat(json(new RampReport(findings))).contains("\"setting\":\"objective\"", "\"load\":0.002");
        }
    }

    private static String json(Section section) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            section.write(json);
            json.writeEndObject();
        }
        return text.toString();
    }

    @Test
    void shouldCompareAGridWithTheObjective() {
        List<Setting> settings = Setting.all(Duration.ofMillis(10));
        assertThat(settings)
                .extracting(Setting::title)
                .containsExactly(
                        "batch 1, delay 0 µs",
                        "batch 16, delay 0 µs",
                        "batch 16, delay 500 µs",
                        "batch 16, delay 2000 µs",
                        "batch 128, delay 0 µs",
                        "batch 128, delay 500 µs",
                        "batch 128, delay 2000 µs",
                        "objective");
        assertThat(settings.getLast().config().objectiveP99()).contains(Duration.ofMillis(10));
    }

    @Test
    void shouldRefuseToTimeWrongAnswers() {
        try (Fixture fixture = Fixture.open(BenchModels.IDENTITY);
                Millrace runtime = Millrace.open(RuntimeConfig.DEFAULT, fixture.repository());
                Load load = new Load(
                        runtime.model(fixture.name()), new float[][] {{1, 2, 3, 4}}, new float[] {12345}, 1e-5)) {
            assertThatThrownBy(() -> load.offer(1000, 20_000_000, 1_000_000, 1))
                    .isInstanceOf(Gate.Refusal.class)
                    .hasMessageStartingWith("row 0 was answered with ");
        }
    }

    @Test
    void shouldCountRowsThatWereNotAnsweredAsLate() {
        long[] sorted = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        assertThat(Load.percentile(sorted, 10, 0.5)).isEqualTo(5);
        assertThat(Load.percentile(sorted, 10, 0.9)).isEqualTo(9);
        assertThat(Load.percentile(sorted, 10, 0.99)).isEqualTo(Long.MAX_VALUE);
    }
}
