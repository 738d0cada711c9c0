// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models that are made of others, with real ones, against the same steps by plain requests.
class EnsembleTest {
    @TempDir
    private Path root;

    private final long heldBefore = NativeMemory.used(MemoryTag.CALL);

    /// `features` FP32 [-1,64] to `score` FP32 [-1,1] by "mlp"; `tall` and `wide` as they are named below.
    private void ensemble(String name, String batch, String inputs, String outputs, String... steps) {
        try {
            Path folder =
                    Files.createDirectories(root.resolve(name).resolve("1")).getParent();
            Files.writeString(
                    folder.resolve("config.pbtxt"),
                    "platform: 'ensemble'\n" + batch + "\n" + inputs + "\n" + outputs + "\nensemble_scheduling {\n"
                            + String.join("\n", steps) + "\n}");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String input(String name, String dims) {
        return "input { name: '" + name + "' data_type: TYPE_FP32 " + dims + " }";
    }

    private static String output(String name, String dims) {
        return "output { name: '" + name + "' data_type: TYPE_FP32 " + dims + " }";
    }

    private static String step(String model, String input, String from, String output, String to) {
        return "step { model_name: '" + model + "' input_map { key: '" + input + "' value: '" + from
                + "' } output_map { key: '" + output + "' value: '" + to + "' } }";
    }

    private static LaneStatistics statistics(Millrace millrace, String model) {
        return millrace.statistics().stream()
                .filter(statistics -> statistics.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private static void assertConserved(Millrace millrace) {
        for (LaneStatistics lane : millrace.statistics()) {
            assertThat(lane.inFlight()).as(lane.model()).isZero();
            assertThat(lane.ended().values().stream().mapToLong(Long::longValue).sum())
                    .as(lane.model())
                    .isEqualTo(lane.accepted());
        }
    }

    private String reason(String model) {
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root)) {
            ModelStatus status = millrace.status().stream()
                    .filter(each -> each.model().equals(model))
                    .findFirst()
                    .orElseThrow();
            assertThat(status.ready()).isFalse();
            return status.reason();
        }
    }

    /// One model, named as an ensemble: the least that there can be.
    private void alone() {
        TestModels.repository(root, "mlp");
        ensemble(
                "alone",
                "max_batch_size: 8",
                input("in", "dims: 64"),
                output("out", "dims: 1"),
                step("mlp", "features", "in", "score", "out"));
    }

    private static float[] features(long seed, int rows) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] features = new float[64 * rows];
        for (int i = 0; i < features.length; i++) {
            features[i] = (float) random.nextDouble();
        }
        return features;
    }

    @Test
    void shouldAnswerAsItsModelWhenThereIsOneStep() {
        alone();
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root);
                Call call = millrace.model("alone").call();
                Call plain = millrace.model("mlp").call()) {
            for (int rows : new int[] {1, 3, 1, 5}) {
                call.input(0).reshape(rows, 64).putFloats(features(rows, rows));
                plain.rows(rows).input(0).putFloats(features(rows, rows));
                assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
                assertThat(plain.run()).isEqualTo(Outcome.OK);

                assertThat(call.output(0).shape()).containsExactly(rows, 1);
                for (int row = 0; row < rows; row++) {
                    assertThat(call.output(0).getFloat(row))
                            .isCloseTo(plain.output(0).getFloat(row), org.assertj.core.data.Offset.offset(1e-5f));
                }
                assertThat(call.input(0).getFloat(0)).isEqualTo(features(rows, rows)[0]);
            }
            assertThat(statistics(millrace, "alone").accepted()).isEqualTo(4);
            assertThat(statistics(millrace, "mlp").accepted()).isEqualTo(8);
            assertConserved(millrace);
            assertThat(millrace.status().stream().map(ModelStatus::platform))
                    .containsExactly("ensemble", "onnxruntime_onnx");
        }
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(heldBefore);
    }

    /// Steps of whole tensors: `y` of "variable_shapes" has the shape of `x`, so that it can be put in a row and split.
    @Test
    void shouldAnswerLikePlainRequestsWhenGraphsAreRandom() {
        TestModels.repository(root, "variable_shapes", "two_inputs");
        List<Graph> graphs = new ArrayList<>();
        for (int seed = 0; seed < 12; seed++) {
            Graph graph = Graph.random(new SplittableRandom(seed));
            graphs.add(graph);
            graph.write(this, "graph" + seed);
        }
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(2), root)) {
            for (int seed = 0; seed < graphs.size(); seed++) {
                Model model = millrace.model("graph" + seed);
                for (int round = 0; round < 5; round++) {
                    float[] values = {round, -1, 0.5f + seed, 3};
                    Prediction answer = model.predict(model.request().set("in", new long[] {1, 4}, values));
                    float[] expected = graphs.get(seed).evaluate(millrace, values);
                    assertThat(answer.floats("out")).as("seed %d", seed).isEqualTo(expected);
                }
            }
            assertConserved(millrace);
        }
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(heldBefore);
    }

    /// A chain with branches of "variable_shapes": each step takes a tensor that an earlier one gave, or the request's.
    private record Graph(int[] from) {
        static Graph random(SplittableRandom random) {
            int[] from = new int[random.nextInt(1, 8)];
            for (int i = 0; i < from.length; i++) {
                from[i] = random.nextInt(-1, i);
            }
            from[0] = -1;
            return new Graph(from);
        }

        private String tensor(int step) {
            return step == from.length - 1 ? "out" : step < 0 ? "in" : "t" + step;
        }

        void write(EnsembleTest test, String name) {
            List<String> steps = new ArrayList<>();
            for (int i = from.length - 1; i >= 0; i--) {
                steps.add(step("variable_shapes", X, tensor(from[i]), Y, tensor(i)));
            }
            test.ensemble(
                    name,
                    "",
                    input("in", DIMS),
                    output("out", DIMS),
                    steps.stream().collect(Collectors.joining("\n")));
        }

        float[] evaluate(Millrace millrace, float[] values) {
            Model model = millrace.model("variable_shapes");
            float[][] tensors = new float[from.length][];
            for (int i = 0; i < from.length; i++) {
                float[] given = from[i] < 0 ? values : tensors[from[i]];
                tensors[i] = model.predict(model.request().set(X, new long[] {1, 4}, given))
                        .floats(Y);
            }
            return tensors[from.length - 1];
        }
    }

    private static final String X = "x";
    private static final String Y = "y";
    private static final String DIMS = "dims: [ -1, -1 ]";

    @Test
    void shouldAnswerManyAtOnceWhenStepsAreShared() {
        alone();
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(2), root)) {
            Model model = millrace.model("alone");
            List<CompletableFuture<Prediction>> answers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                answers.add(model.predictAsync(model.request().set("in", new long[] {1, 64}, features(i, 1))));
            }
            for (int i = 0; i < answers.size(); i++) {
                float expected = millrace.model("mlp")
                        .predict(millrace.model("mlp").request().set("features", features(i, 1)))
                        .floats("score")[0];
                assertThat(answers.get(i).join().floats("out")[0])
                        .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5f));
            }
            assertConserved(millrace);
        }
    }

    @Test
    void shouldEndAsTheStepThatEndsItWhenOneIsRefusedOrLate() {
        alone();
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withAgents(1)
                .withModel("mlp", ModelConfig.DEFAULT.withMaxQueueSize(2).withMaxBatchSize(2));
        try (Millrace millrace = Millrace.open(config, root);
                Call call = millrace.model("alone").call()) {
            call.input(0).reshape(4, 64);
            assertThat(call.run()).isEqualTo(Outcome.TOO_LARGE);
            assertThat(call.message()).contains("step 1, model 'mlp'").contains("4 rows");
            call.input(0).reshape(1, 64);
            assertThat(call.timeout(Duration.ZERO).run()).isEqualTo(Outcome.EXPIRED);
            assertThat(call.timeout(null).run()).as(call.message()).isEqualTo(Outcome.OK);
            assertConserved(millrace);
        }
    }

    @Test
    void shouldNameTheStepThatFails() {
        TestModels.repository(root, "fails_on_index");
        try (Millrace probe = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root)) {
            var signature = probe.model("fails_on_index").signature();
            String type = "TYPE_" + signature.inputs().getFirst().datatype();
            String out = "TYPE_" + signature.outputs().getFirst().datatype();
            ensemble(
                    "failing",
                    "",
                    "input { name: 'in' data_type: " + type + " dims: "
                            + signature.inputs().getFirst().shape() + " }",
                    "output { name: 'out' data_type: " + out + " dims: "
                            + signature.outputs().getFirst().shape() + " }",
                    step(
                            "fails_on_index",
                            signature.inputs().getFirst().name(),
                            "in",
                            signature.outputs().getFirst().name(),
                            "out"));
        }
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root);
                Call call = millrace.model("failing").call()) {
            long[] shape = call.signature().inputs().getFirst().dims();
            Arrays.setAll(shape, axis -> Math.max(1, shape[axis]));
            call.input(0).reshape(shape).setLong(0, 1_000_000);
            assertThat(call.run()).isEqualTo(Outcome.FAILED);
            assertThat(call.message()).contains("model 'failing'").contains("step 1, model 'fails_on_index'");
            call.input(0).reshape(shape).setLong(0, 0);
            assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
            for (int i = 0; i < 5; i++) {
                call.input(0).reshape(shape).setLong(0, 1_000_000);
                assertThat(call.run()).isEqualTo(Outcome.FAILED);
            }
            call.input(0).reshape(shape);
            assertThat(call.run()).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(millrace.status()).noneMatch(ModelStatus::ready);
            assertConserved(millrace);
        }
    }

    @Test
    void shouldEndEverythingWhenRequestsAreCancelledOrTheRuntimeCloses() {
        alone();
        Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root);
        Model model = millrace.model("alone");
        List<CompletableFuture<Prediction>> answers = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            answers.add(model.predictAsync(model.request()
                    .set("in", new long[] {1, 64}, features(i, 1))
                    .timeout(i % 5 == 0 ? Duration.ofNanos(50_000L * (i + 1)) : null)));
            if (i % 3 == 0) {
                answers.get(i).cancel(true);
            }
        }
        millrace.close();
        int answered = 0;
        for (CompletableFuture<Prediction> answer : answers) {
            try {
                answer.join();
                answered++;
            } catch (CompletionException | java.util.concurrent.CancellationException e) {
                assertThat(answer).isDone();
            }
        }
        assertThat(answered).isPositive();
        assertConserved(millrace);
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(heldBefore);
    }

    @Test
    void shouldServeAnEnsembleOfEnsemblesButNotOfItself() {
        alone();
        ensemble(
                "above",
                "max_batch_size: 8",
                input("first", "dims: 64"),
                output("last", "dims: 1"),
                step("alone", "in", "first", "out", "last"));
        ensemble(
                "itself",
                "max_batch_size: 8",
                input("first", "dims: 64"),
                output("last", "dims: 1"),
                step("itself", "first", "first", "last", "last"));
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root);
                Call call = millrace.model("above").call()) {
            call.input(0).reshape(1, 64).putFloats(features(1, 1));
            assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
            assertConserved(millrace);
            assertThatThrownBy(() -> millrace.model("itself"))
                    .hasMessageContaining("ensembles are made of one another, expected none to be: [itself]");
        }
    }

    @Test
    void shouldSayWhatDoesNotGoTogether() {
        TestModels.repository(root, "mlp");
        String in = input("in", "dims: 64");
        String out = output("out", "dims: 1");
        String good = step("mlp", "features", "in", "score", "out");
        String batch = "max_batch_size: 8";
        ensemble("unknown", batch, in, out, step("nobody", "features", "in", "score", "out"));
        ensemble("twice", batch, in, out, good, good);
        ensemble("unmapped", batch, in, out, "step { model_name: 'mlp' output_map { key: 'score' value: 'out' } }");
        ensemble("missing", batch, in, output("other", "dims: 1"), good);
        ensemble("unused", batch, in + input("more", "dims: 1"), out, good);
        ensemble("shaped", batch, input("in", "dims: 63"), out, good);
        ensemble("named", batch, in, out, step("mlp", "feature", "in", "score", "out"));
        ensemble(
                "cycle",
                batch,
                in,
                out,
                step("alone", "in", "b", "out", "a"),
                step("alone", "in", "a", "out", "b"),
                good);
        ensemble(
                "alone",
                batch,
                input("in", "dims: -1"),
                output("out", "dims: 1"),
                step("mlp", "features", "in", "score", "out"));

        assertThat(reason("unknown")).contains("step 1, model 'nobody'", "is not in the repository");
        assertThat(reason("twice")).contains("tensor 'out' comes from output 'score' of step 1, model 'mlp' and from");
        assertThat(reason("unmapped")).contains("step 1, model 'mlp' has no tensor for its input 'features'");
        assertThat(reason("missing")).contains("tensor 'other' for output 'other' of the ensemble is given by nobody");
        assertThat(reason("unused")).contains("input 'more' of the ensemble is used by no step");
        assertThat(reason("shaped")).contains("[-1, 63]", "input 'features' of step 1, model 'mlp'", "[-1, 64]");
        assertThat(reason("named")).contains("step 1, model 'mlp' has no input 'feature', expected one of [features]");
        assertThat(reason("cycle"))
                .contains("steps wait for one another in a cycle: step 1, model 'alone'; step 2, model 'alone'");
    }
}
