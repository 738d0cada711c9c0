// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.lifecycle.LoadOptions;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Ensembles whose models come and go: "sum" is "a" and then "b", each of which adds a number.
class LifecycleEnsembleTest {
    @TempDir
    private Path root;

    private final long before = NativeMemory.used();
    private Millrace millrace;

    @BeforeEach
    void layOut() throws IOException {
        ConstantModel.add(root, "a", 1, 10);
        ConstantModel.add(root, "b", 1, 100);
        ensemble("sum", "a", "b");
    }

    private void ensemble(String name, String first, String second) throws IOException {
        Files.createDirectories(root.resolve(name).resolve("1"));
        Files.writeString(root.resolve(name).resolve("config.pbtxt"), """
            platform: "ensemble"
            max_batch_size: 8
            input { name: "x" data_type: TYPE_FP32 dims: 1 }
            output { name: "y" data_type: TYPE_FP32 dims: 1 }
            ensemble_scheduling {
              step { model_name: "%s" input_map { key: "x" value: "x" } output_map { key: "y" value: "mid" } }
              step { model_name: "%s" input_map { key: "x" value: "mid" } output_map { key: "y" value: "y" } }
            }
            """.formatted(first, second));
    }

    private ModelLifecycle open(RuntimeConfig config) {
        millrace = Millrace.open(config.withAgents(1), root);
        return millrace.lifecycle();
    }

    @AfterEach
    void freeEverything() {
        millrace.close();
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private static float run(Call call) {
        call.input(0).reshape(1, 1).setFloat(0, 1);
        assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
        return call.output(0).getFloat(0) - 1;
    }

    private String status(String model) {
        millrace.lifecycle().settle();
        ModelStatus status = millrace.status().stream()
                .filter(each -> each.model().equals(model))
                .findFirst()
                .orElseThrow();
        return (status.state() + " " + status.reason()).strip();
    }

    @Test
    void shouldAnswerByTheNewVersionOfAStepsModel() {
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT);
        try (Call call = millrace.model("sum").call()) {
            assertThat(run(call)).isEqualTo(110);
            ConstantModel.add(root, "b", 2, 200);
            lifecycle.load("b");
            lifecycle.settle();
            assertThat(run(call)).isEqualTo(210);
            assertThat(status("sum")).isEqualTo("READY");
        }
    }

    @Test
    void shouldNotBeReadyWhileAStepsModelIsUnloaded() {
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT);
        try (Call call = millrace.model("sum").call()) {
            assertThat(run(call)).isEqualTo(110);
            lifecycle.unload("b", false);
            assertThat(status("sum"))
                    .isEqualTo("UNAVAILABLE model 'b' of a step is not ready: model 'b' is not served: unloaded");
            assertThat(call.run()).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(call.message()).contains("model 'b' is not served: unloaded");
            lifecycle.load("b");
            assertThat(status("sum")).isEqualTo("READY");
            assertThat(run(call)).isEqualTo(110);
        }
    }

    @Test
    void shouldNotBeReadyWhileAStepsModelHasAnotherContract() {
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT);
        ConstantModel.add(root, "b", 2, 200, 2, "x");
        lifecycle.load("b", LoadOptions.DEFAULT.withContractChange());
        assertThat(status("sum"))
                .startsWith("UNAVAILABLE model 'b' of a step is not ready: its inputs are [x FP32[-1, 2]]");
    }

    @Test
    void shouldLoadAndUnloadTheModelsOfItsSteps() throws IOException {
        ensemble("twice", "a", "a");
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT.withStartUpModels(Set.of()));
        lifecycle.load("sum");
        lifecycle.load("twice");
        try (Call call = millrace.model("sum").call()) {
            assertThat(run(call)).isEqualTo(110);
        }
        lifecycle.unload("sum", true);
        lifecycle.settle();
        assertThat(status("sum")).isEqualTo("UNAVAILABLE unloaded");
        assertThat(status("b")).isEqualTo("UNAVAILABLE unloaded");
        assertThat(status("a")).as("the other ensemble uses it").isEqualTo("READY");
        try (Call call = millrace.model("twice").call()) {
            assertThat(run(call)).isEqualTo(20);
        }
        lifecycle.unload("twice", true);
        lifecycle.settle();
        assertThat(status("a")).isEqualTo("UNAVAILABLE unloaded");
    }

    @Test
    void shouldRefuseCirclesThatALoadWouldMake() throws IOException {
        ensemble("outer", "sum", "a");
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT);
        ensemble("sum", "a", "outer");
        assertThatThrownBy(() -> lifecycle.load("sum"))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("is made of 'sum', expected ensembles not to be made of one another");
        try (Call call = millrace.model("outer").call()) {
            assertThat(run(call)).isEqualTo(120);
        }
    }

    @Test
    void shouldBeServedWhenTheModelsThatItWaitsForHaveCome() throws IOException {
        ensemble("late", "a", "c");
        ModelLifecycle lifecycle = open(RuntimeConfig.DEFAULT);
        assertThat(status("late")).contains("model 'c' is not in the repository");
        ConstantModel.add(root, "c", 1, 1000);
        lifecycle.poll();
        lifecycle.poll();
        assertThat(status("late")).isEqualTo("READY");
        try (Call call = millrace.model("late").call()) {
            assertThat(run(call)).isEqualTo(1010);
        }
    }
}
