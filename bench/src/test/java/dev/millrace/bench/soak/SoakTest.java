// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.monitor.Sums;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.LaneStatistics.Totals;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// That the soak runs, and that its checks find what is wrong.
class SoakTest {
    private final AtomicReference<String> problem = new AtomicReference<>();
    private final Tally tally = new Tally(problem);

    @Test
    @Tag("slow")
    void shouldFindNothingWrongInAFewSeconds() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean right;
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            right = Soak.soak(5, 1, Path.of("..", "models", "zoo"), out);
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        assertThat(right).as(text).isTrue();
        assertThat(text).contains("passed, resident set").doesNotContain("WRONG");
        String[] counts = text.lines().skip(1).findFirst().orElseThrow().split("[ |,]+");
        assertThat(Long.parseLong(counts[3]))
                .as("answered to library callers: %s", text)
                .isPositive();
        assertThat(Long.parseLong(counts[9])).as("answered over HTTP: %s", text).isPositive();
    }

    @Test
    void shouldConfigureModelsThatCanBeServedWhateverIsDrawn() {
        for (long seed = 0; seed < 200; seed++) {
            RuntimeConfig config = Subject.configure(RuntimeConfig.DEFAULT, new SplittableRandom(seed));
            assertThat(config.models()).hasSize(Subject.values().length);
        }
    }

    @Test
    void shouldTellARightAnswerFromAWrongOne() {
        Question question = Subject.WHOLE.question(new SplittableRandom(1));
        float[] answer = question.answer().clone();

        assertThat(question.wrong(answer)).isNull();
        answer[0] += 1;
        assertThat(question.wrong(answer)).startsWith("value 0 is ");
        answer[0] = Float.NaN;
        assertThat(question.wrong(answer)).startsWith("value 0 is NaN");
        assertThat(question.wrong(new float[0])).startsWith("0 values, expected ");
        assertThat(Subject.bad(new SplittableRandom(1)).wrong(answer)).startsWith("the model had to fail");
    }

    @Test
    void shouldWriteARequestWhenItGoesOverHttp() {
        Question question = new Question(Subject.PICKY, new long[] {2, 1}, new float[] {3, 4}, null);

        assertThat(question.json("a", 0, 1))
                .isEqualTo("{\"id\":\"a\",\"parameters\":{\"priority\":1},\"inputs\":[{\"name\":\"index\","
                        + "\"datatype\":\"INT64\",\"shape\":[2, 1],\"data\":[3,4]}]}");
        assertThat(question.json("b", 5, 0)).contains("{\"priority\":0,\"timeout\":5}");
    }

    @Test
    void shouldReadAnAnswerWhenItCameOverHttp() {
        HttpLine.Answer answer = new HttpLine.Answer(
                200, "{\"model_name\":\"m\",\"id\":\"x7\",\"outputs\":[{\"data\":[1.5,-2]}]}", true);

        assertThat(answer.id()).isEqualTo("x7");
        assertThat(answer.numbers()).containsExactly(1.5f, -2);
    }

    @Test
    void shouldAcceptCountsWhenTheyAreThoseOfTheCallers() {
        tell(Outcome.OK, 3);
        tell(Outcome.OVERLOADED, 2);

        tally.check(totals(3, 3, Map.of(Outcome.OVERLOADED, 2L)), List.of(), true);

        assertThat(problem.get()).isNull();
    }

    @Test
    void shouldFindALostRequestWhenLanesCountOneMore() {
        tell(Outcome.OK, 3);

        tally.check(totals(4, 4, Map.of()), List.of(), false);
        assertThat(problem.get()).as("somebody else may have been told").isNull();
        tally.check(totals(4, 4, Map.of()), List.of(), true);
        assertThat(problem.get()).startsWith("OK: callers were told 3 times, the model's lanes counted 4");
    }

    @Test
    void shouldFindADoubleAnswerWhenCallersWereToldMore() {
        tell(Outcome.OK, 4);
        tally.check(totals(3, 3, Map.of()), List.of(), false);
        assertThat(problem.get()).startsWith("OK: callers were told 4 times, the model's lanes counted 3");
    }

    @Test
    void shouldFindARefusalThatNobodyWasTold() {
        tell(Outcome.OK, 3);
        tally.check(totals(3, 3, Map.of(Outcome.UNAVAILABLE, 1L)), List.of(), true);
        assertThat(problem.get()).startsWith("UNAVAILABLE: callers were told 0 times, the model's lanes counted 1");
    }

    @Test
    void shouldLeaveOutWhatWasCountedBefore() {
        tell(Outcome.OK, 3);
        Totals before = totals(7, 7, Map.of());

        tally.check(totals(10, 10, Map.of()), List.of(before), true);
        assertThat(problem.get()).isNull();
        tally.check(totals(11, 11, Map.of()), List.of(before), true);
        assertThat(problem.get()).startsWith("OK: callers were told 3 times, the model's lanes counted 4");
    }

    @Test
    void shouldFindWhatIsNotConserved() {
        tally.check(lane(4, 3, 0));
        assertThat(problem.get()).startsWith("not conserved");
    }

    @Test
    void shouldFindWhatIsStillInFlight() {
        tally.check(lane(4, 4, 1));
        assertThat(problem.get()).startsWith("not conserved");
    }

    @Test
    void shouldFindWhatIsStillInFlightInALaneThatWasReplaced() {
        tell(Outcome.OK, 3);
        tally.check(totals(4, 3, Map.of()), List.of(), true);
        assertThat(problem.get()).startsWith("not conserved");
    }

    @Test
    void shouldMeasureTheDriftOfTheSecondHalf() {
        Drift drift = new Drift();
        Consumer<double[]> add = samples -> {
            for (double sample : samples) {
                drift.add(false, sample);
            }
        };

        assertThat(drift.secondHalf()).isZero();
        add.accept(new double[] {1, 50, 99, 100, 101});
        assertThat(drift.secondHalf()).as("99, 100, 101").isCloseTo(0.02, within(1e-9));
        add.accept(new double[] {100, 100, 100, 100, 100, 100, 100});
        assertThat(drift.secondHalf()).isCloseTo(0, within(1e-9));
    }

    @Test
    void shouldTakeNoOtherLevelForADrift() {
        Drift even = new Drift();
        Drift rising = new Drift();
        for (int i = 0; i < 20; i++) {
            boolean higher = i == 12 || i > 16;
            even.add(higher, higher ? 110 : 90);
            rising.add(higher, (higher ? 110 : 90) + i * 0.1);
        }
        assertThat(even.secondHalf()).isCloseTo(0, within(1e-9));
        assertThat(rising.secondHalf()).isCloseTo(0.9 / 99.45, within(1e-9));
    }

    private void tell(Outcome outcome, int times) {
        for (int i = 0; i < times; i++) {
            tally.told(Subject.FRAUD, outcome);
        }
    }

    private static Totals totals(long accepted, long ok, Map<Outcome, Long> refused) {
        return new Totals("fraud", accepted, Map.of(Outcome.OK, ok), refused, 0, 0);
    }

    private static LaneStatistics lane(long accepted, long ok, long inFlight) {
        return new LaneStatistics(
                "fraud",
                1,
                accepted,
                Map.of(Outcome.OK, ok),
                Map.of(),
                0,
                0,
                0,
                List.of(),
                0,
                Sums.NONE,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                false,
                0,
                inFlight);
    }
}
