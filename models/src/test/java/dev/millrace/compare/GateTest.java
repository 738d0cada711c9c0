// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.ort.Cpu;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Limits on made-up figures, on both sides of each.
class GateTest {
    private static Side side(long bytes, double accuracy, double auc) {
        Quality quality = new Quality(
                1000, OptionalDouble.of(accuracy), OptionalDouble.of(auc), Optional.empty(), List.of(), List.of());
        return new Side(Path.of("m"), bytes, new Batching(Batching.Kind.ROWS, "", true), Optional.of(quality));
    }

    private static Speed speed(long rows, double before, double after) {
        return new Speed(
                rows, Optional.of(new Timing(before, before, before, 9, 1)), new Timing(after, after, after, 9, 1));
    }

    private static ComparisonReport report(long odd) {
        return new ComparisonReport(
                Optional.of(side(1000, 0.981, 0.9)),
                side(260, 0.976, 0.91),
                1000,
                List.of(new OutputDifference("y", 1000, 10, odd, 0.25, 0, 0, 0, 0, 0, new TreeMap<>())),
                Optional.of(new Decisions("y", Rule.THRESHOLD, 1000, 3)),
                List.of(speed(1, 300, 100), speed(64, 1600, 1000)),
                new Cpu("any", Cpu.Bytes.VNNI));
    }

    private static boolean passes(String gate, ComparisonReport report) {
        List<Gate.Verdict> verdicts = Gate.parse(gate).judge(report);
        assertThat(verdicts).hasSize(1);
        return verdicts.getFirst().problem().isEmpty();
    }

    @Test
    void shouldPassUpToTheLimit() {
        ComparisonReport report = report(0);

        assertThat(passes("max-accuracy-drop=0.005", report)).isTrue();
        assertThat(passes("max-accuracy-drop=0.0049", report)).isFalse();
        assertThat(passes("max-auc-drop=0", report)).as("it is higher").isTrue();
        assertThat(passes("min-speedup=1.6", report))
                .as("in the batch that gains least")
                .isTrue();
        assertThat(passes("min-speedup=1.61", report)).isFalse();
        assertThat(passes("max-flips=0.003", report)).isTrue();
        assertThat(passes("max-flips=2e-3", report)).isFalse();
        assertThat(passes("max-difference=0.25", report)).isTrue();
        assertThat(passes("max-difference=0.249", report)).isFalse();
        assertThat(passes("max-difference=9", report(1))).as("one is NaN").isFalse();
        assertThat(passes("max-size=0.26", report)).isTrue();
        assertThat(passes("max-size=0.25", report)).isFalse();
    }

    @Test
    void shouldJudgeInTheOrderThatWasWritten() {
        List<Gate.Verdict> verdicts =
                Gate.parse("min-speedup=2, max-accuracy-drop=0.01").judge(report(0));

        assertThat(verdicts)
                .containsExactly(
                        new Gate.Verdict(Gate.Limit.MIN_SPEEDUP, 2, 1.6, Optional.of("it is lower")),
                        new Gate.Verdict(Gate.Limit.MAX_ACCURACY_DROP, 0.01, 0.005, Optional.empty()));
    }

    @Test
    void shouldNotPassWhatCannotBeTold() {
        ComparisonReport full = report(0);
        Side unknown = new Side(Path.of("m"), 10, full.after().batching(), Optional.empty());
        ComparisonReport without = new ComparisonReport(
                Optional.of(unknown), unknown, 5, List.of(), Optional.empty(), List.of(), full.cpu());

        for (String gate :
                List.of("max-accuracy-drop=1", "max-auc-drop=1", "min-speedup=0", "max-flips=1", "max-difference=1")) {
            Gate.Verdict verdict = Gate.parse(gate).judge(without).getFirst();
            assertThat(verdict.problem()).as(gate).isPresent();
            assertThat(verdict.came()).as(gate).isNaN();
        }
    }

    @Test
    void shouldNotPassDifferencesWhenNoOutputHasNumbers() {
        ComparisonReport full = report(0);
        OutputMeter meter = new OutputMeter("label");
        try (Tensor before = new Tensor(MemoryTag.CALL, DataType.BYTES);
                Tensor after = new Tensor(MemoryTag.CALL, DataType.BYTES)) {
            before.reshape(1).setBytes(0, new byte[] {1});
            after.reshape(1).setBytes(0, new byte[] {2});
            meter.add(before, after);
        }
        OutputDifference texts = meter.difference();
        ComparisonReport without = of(full, List.of(texts));
        ComparisonReport with = of(full, List.of(texts, full.differences().getFirst()));

        assertThat(texts.unequal()).isEqualTo(1);
        assertThat(Gate.parse("max-difference=9").judge(without))
                .containsExactly(new Gate.Verdict(
                        Gate.Limit.MAX_DIFFERENCE, 9, Double.NaN, Optional.of("no output has numbers in both models")));
        assertThat(passes("max-difference=0.25", with)).as("texts do not count").isTrue();
        assertThat(passes("max-difference=0.249", with)).isFalse();
    }

    private static ComparisonReport of(ComparisonReport report, List<OutputDifference> differences) {
        return new ComparisonReport(
                report.before(), report.after(), 1000, differences, Optional.empty(), List.of(), report.cpu());
    }

    @Test
    void shouldRefuseWhatIsNoLimit() {
        assertThatThrownBy(() -> Gate.parse("max-acuracy-drop=1"))
                .hasMessageContaining("'max-acuracy-drop' came, expected one of [max-accuracy-drop, max-auc-drop,");
        assertThatThrownBy(() -> Gate.parse("min-speedup"))
                .hasMessageContaining("min-speedup is '', expected a number");
        assertThatThrownBy(() -> Gate.parse("min-speedup=fast")).hasMessageContaining("min-speedup is 'fast'");
        assertThatThrownBy(() -> Gate.parse("max-flips=-1")).hasMessageContaining("max-flips is '-1'");
        assertThatThrownBy(() -> Gate.parse("max-flips=1,max-flips=2")).hasMessage("max-flips came twice");
        assertThatThrownBy(() -> Gate.parse("")).hasMessageContaining("'' came, expected one of");
    }
}
