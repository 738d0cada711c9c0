// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models of a single operator or two, whose answers are known, beside each other.
class ComparisonTest {
    @TempDir
    Path temp;

    private long held;

    @BeforeEach
    void remember() {
        held = NativeMemory.used(MemoryTag.CALL);
    }

    @AfterEach
    void shouldHoldNoMemory() {
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(held);
    }

    /// A model of nodes that each take the last one's output and a constant: `x -> y`.
    private Path model(String name, Dimension batch, int columns, String... steps) throws IOException {
        OnnxGraph graph = OnnxGraph.named(name);
        List<OnnxNode> nodes = new ArrayList<>();
        List<OnnxTensor> constants = new ArrayList<>();
        String last = "x";
        for (int i = 0; i < steps.length; i++) {
            String[] parts = steps[i].split(" ");
            String next = i == steps.length - 1 ? "y" : "v" + i;
            List<String> inputs = new ArrayList<>(List.of(last));
            if (parts.length > 1) {
                inputs.add("c" + i);
                constants.add(OnnxTensor.ofFloats("c" + i, new long[] {1}, Float.parseFloat(parts[1])));
            }
            nodes.add(OnnxNode.of(new OperatorName("", parts[0]), "", inputs, List.of(next)));
            last = next;
        }
        graph.setNodes(nodes);
        graph.setInitializers(constants);
        List<Dimension> shape = List.of(batch, Dimension.of(columns));
        graph.setInputs(List.of(OnnxValue.of("x", ElementType.FLOAT, shape)));
        graph.setOutputs(List.of(OnnxValue.of("y", ElementType.FLOAT, shape)));
        Path file = temp.resolve(name + ".onnx");
        try (OnnxFile model = OnnxFile.of(graph, 8, Map.of("ai.onnx", 13L), "a test")) {
            model.write(file);
        }
        return file;
    }

    private Path model(String name, int columns, String... steps) throws IOException {
        return model(name, Dimension.open("batch"), columns, steps);
    }

    private Path data(String text) throws IOException {
        return Files.writeString(temp.resolve("data.csv"), text);
    }

    @Test
    void shouldTellDifferencesFlipsAndQualityOfAProbability() throws IOException {
        Path before = model("before", 1, "Mul 1");
        Path after = model("after", 1, "Add 0.25");
        Path data = data("x,fraud\n0,0\n0.25,1\n0.3125,0\n0.5,1\n0.75,1\n");

        ComparisonReport report =
                Comparison.of(before, after, data).labels("fraud").batches().run();

        assertThat(report.rows()).isEqualTo(5);
        OutputDifference y = report.differences().getFirst();
        assertThat(y.name()).isEqualTo("y");
        assertThat(y.elements()).isEqualTo(5);
        assertThat(y.unequal()).isEqualTo(5);
        assertThat(y.max()).isEqualTo(0.25);
        assertThat(y.mean()).isEqualTo(0.25);
        assertThat(report.decisions())
                .as("0.25 and 0.3125 become yes")
                .contains(new Decisions("y", Rule.THRESHOLD, 5, 2));
        Quality then = report.before().flatMap(ComparisonReport.Side::quality).orElseThrow();
        Quality now = report.after().quality().orElseThrow();
        assertThat(then.accuracy()).isEqualTo(OptionalDouble.of(0.8));
        assertThat(now.accuracy()).isEqualTo(OptionalDouble.of(0.8));
        assertThat(then.auc().orElseThrow()).isCloseTo(5.0 / 6, Offset.offset(1e-12));
        assertThat(now.auc()).as("the order is the same").isEqualTo(then.auc());
        assertThat(then.reliability().get(5).rows()).isEqualTo(1);
        assertThat(then.reliability().get(3)).isEqualTo(new Quality.Tenth(1, 0.3125, 0));
        assertThat(report.speeds()).isEmpty();
        assertThat(report.after().bytes()).isEqualTo(Files.size(after));
    }

    @Test
    void shouldTellFlipsOfTheHighestScore() throws IOException {
        Path before = model("before", 3, "Mul 1");
        Path after = model("after", 3, "Abs");
        Path data = data("a,b,c,class\n1,2,0,1\n-3,2,0,1\n1,1,1,0\n0,-5,4,2\n");

        ComparisonReport report =
                Comparison.of(before, after, data).labels("class").batches().run();

        assertThat(report.decisions()).contains(new Decisions("y", Rule.HIGHEST_SCORE, 4, 2));
        Quality then = report.before().flatMap(ComparisonReport.Side::quality).orElseThrow();
        Quality now = report.after().quality().orElseThrow();
        assertThat(then.accuracy()).isEqualTo(OptionalDouble.of(1));
        assertThat(now.accuracy()).isEqualTo(OptionalDouble.of(0.5));
        assertThat(now.auc()).isEmpty();
        assertThat(now.noAuc()).contains("there are more than two classes");
    }

    @Test
    void shouldTakeRowsWithAScoreThatIsNaNForUndecided() throws IOException {
        Path before = model("before", 2, "Mul 1");
        Path after = model("after", 2, "Sqrt");
        Path data = data("a,b,class\n-1,-4,0\n-1,4,1\n4,1,0\n");

        ComparisonReport report =
                Comparison.of(before, after, data).labels("class").batches().run();

        assertThat(report.decisions()).contains(new Decisions("y", Rule.HIGHEST_SCORE, 3, 2));
        Quality then = report.before().flatMap(ComparisonReport.Side::quality).orElseThrow();
        Quality now = report.after().quality().orElseThrow();
        assertThat(then.accuracy()).isEqualTo(OptionalDouble.of(1));
        assertThat(then.auc()).isEqualTo(OptionalDouble.of(1));
        assertThat(now.accuracy()).as("undecided is wrong").isEqualTo(OptionalDouble.of(1.0 / 3));
        assertThat(now.auc()).isEmpty();
        assertThat(now.noAuc()).contains("a score is NaN");
        assertThat(now.reliability()).isEmpty();
        assertThat(Gate.parse("max-accuracy-drop=0.5,max-flips=0.5").judge(report))
                .allSatisfy(verdict -> assertThat(verdict.problem()).contains("it is higher"));
    }

    @Test
    void shouldNotFlipWhenBothModelsAreUndecided() throws IOException {
        Path model = model("one", 3, "Sqrt");
        Path data = data("a,b,c,class\n-1,4,1,1\n1,4,1,1\n");

        ComparisonReport report =
                Comparison.of(model, model, data).labels("class").batches().run();

        assertThat(report.decisions()).contains(new Decisions("y", Rule.HIGHEST_SCORE, 2, 0));
        Quality now = report.after().quality().orElseThrow();
        assertThat(now.accuracy()).isEqualTo(OptionalDouble.of(0.5));
        assertThat(now.noAuc()).contains("there are more than two classes");
    }

    @Test
    void shouldDecideNothingWhenASingleValueIsNoProbability() throws IOException {
        Path before = model("before", 1, "Mul 1");
        Path after = model("after", 1, "Mul 2");

        ComparisonReport report = Comparison.of(before, after, data("x,y\n0.1,0\n7,1\n"))
                .labels("y")
                .batches()
                .run();

        assertThat(report.decisions()).isEmpty();
        assertThat(report.after().quality().orElseThrow().accuracy()).isEmpty();
        assertThat(report.after().quality().orElseThrow().auc()).isEqualTo(OptionalDouble.of(1));
        assertThat(report.after().quality().orElseThrow().reliability()).isEmpty();
    }

    @Test
    void shouldCountValuesApartWhenOneModelHasNone() throws IOException {
        Path before = model("before", 1, "Mul 1");
        Path after = model("after", 1, "Sqrt");

        OutputDifference y = Comparison.of(before, after, data("x\n-1\n4\nNaN\n"))
                .batches()
                .run()
                .differences()
                .getFirst();

        assertThat(y.odd()).as("the root of -1 is NaN in one alone").isEqualTo(1);
        assertThat(y.unequal()).isEqualTo(2);
        assertThat(y.max()).isEqualTo(2);
    }

    @Test
    void shouldTakeTimesByTheClockThatItIsGiven() throws IOException {
        AtomicLong now = new AtomicLong();
        Path before = model("before", 1, "Mul 1");
        Path after = model("after", 1, "Mul 2");

        ComparisonReport report = Comparison.of(before, after, data("x\n1\n2\n3\n"))
                .batches(8, 1)
                .clock(() -> now.addAndGet(50_000_000))
                .run();

        assertThat(report.speeds()).extracting(Speed::rows).containsExactly(1L, 8L);
        assertThat(report.speeds()).allSatisfy(speed -> {
            assertThat(speed.after()).isEqualTo(new Timing(50e6, 50e6, 50e6, 40, 1));
            assertThat(speed.speedup()).isEqualTo(OptionalDouble.of(1));
        });
    }

    @Test
    void shouldRunOneRowWhenOneOfTheModelsTakesNoMore() throws IOException {
        Path before = model("before", Dimension.of(1), 2, "Mul 1");
        Path after = model("after", 2, "Mul 1");

        ComparisonReport report = Comparison.of(before, after, data("a,b\n1,2\n3,4\n5,6\n"))
                .clock(new AtomicLong()::incrementAndGet)
                .batches()
                .run();

        assertThat(report.rows()).isEqualTo(3);
        assertThat(report.differences().getFirst().unequal()).isZero();
        assertThat(report.before().orElseThrow().batching().kind()).isEqualTo(Batching.Kind.ONE_ROW);
    }

    @Test
    void shouldReadLinesAsRowsWhenTheModelsTakeAFixedNumber() throws IOException {
        Path before = model("before", Dimension.of(8), 3, "Mul 1");
        Path after = model("after", Dimension.of(8), 3, "Abs");
        String rows = "a,b,c,class\n" + "1,2,0,1\n".repeat(15) + "-3,2,0,0\n";

        ComparisonReport report = Comparison.of(before, after, data(rows))
                .labels("class")
                .clock(new AtomicLong()::incrementAndGet)
                .batches()
                .run();

        assertThat(report.rows()).isEqualTo(16);
        assertThat(report.decisions()).contains(new Decisions("y", Rule.HIGHEST_SCORE, 16, 1));
        assertThat(report.after().quality().orElseThrow().accuracy()).isEqualTo(OptionalDouble.of(1));
        Path more = data(rows + "1,2,0,1\n");
        assertThatThrownBy(() ->
                        Comparison.of(after, more).labels("class").batches().run())
                .hasMessage(more
                        + ": 1 rows are left at the end, expected a multiple of 8, which is how many the model takes");
    }

    @Test
    void shouldRunRequestsAloneWhenRowsOfAModelAffectEachOther() throws Exception {
        Path mates = Path.of(ComparisonTest.class
                .getResource("/models/softmax_over_batch.onnx")
                .toURI());

        ComparisonReport report = Comparison.of(mates, data("a,b,c,d,class\n1,2,3,4,0\n8,5,6,7,0\n"))
                .labels("class")
                .batches()
                .run();

        assertThat(report.after().batching().kind()).isEqualTo(Batching.Kind.NONE);
        assertThat(report.rows()).isEqualTo(2);
        assertThat(report.decisions().map(Decisions::rule)).contains(Rule.HIGHEST_SCORE);
        assertThat(report.after().quality().orElseThrow().accuracy())
                .as("alone all scores are 1, and the first decides; together they would not be")
                .isEqualTo(OptionalDouble.of(1));
    }

    @Test
    void shouldLookAtOneModelAlone() throws IOException {
        ComparisonReport report = Comparison.of(model("one", 1, "Mul 1"), data("x,y\n0.2,0\n0.7,1\n"))
                .labels("y")
                .batches()
                .run();

        assertThat(report.before()).isEmpty();
        assertThat(report.differences()).isEmpty();
        assertThat(report.after().quality().orElseThrow().accuracy()).isEqualTo(OptionalDouble.of(1));
        assertThat(report.decisions()).contains(new Decisions("y", Rule.THRESHOLD, 2, 0));
    }

    @Test
    void shouldSayWhyModelsCannotBeCompared() throws IOException {
        Path one = model("one", 1, "Mul 1");
        Path two = model("two", 2, "Mul 1");
        Path data = data("x\n1\n");
        Path empty = Files.writeString(temp.resolve("empty.csv"), "x\n");

        assertThatThrownBy(() -> Comparison.of(one, two, data).run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(two + " and " + one + " cannot be compared: input 'x' is FP32[-1, 2] and FP32[-1, 1]");
        assertThatThrownBy(() -> Comparison.of(one, one, data).output("z").run())
                .hasMessage("there is no output 'z', expected one of [y]");
        assertThatThrownBy(() -> Comparison.of(one, one, empty).run())
                .hasMessage(empty + ": it has no rows, expected at least one");
    }
}
