// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.lifecycle.LoadOptions;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.ModelLoadException.Problem;
import dev.millrace.lifecycle.VersionState;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.VersionPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models that are loaded, replaced and unloaded while they serve, with real ones whose answers tell them apart.
class LifecycleTest {
    @TempDir
    private Path root;

    private final long before = NativeMemory.used();
    private Millrace millrace;

    private Millrace open(RuntimeConfig config) {
        millrace = Millrace.open(config.withAgents(1), root);
        return millrace;
    }

    private ModelLifecycle lifecycle() {
        return millrace.lifecycle();
    }

    @AfterEach
    void freeEverything() {
        if (millrace != null) {
            millrace.close();
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private float answer(Model model) {
        return model.predict(model.request().set("x", new float[] {1})).floats("y")[0] - 1;
    }

    private float answer(String model) {
        return answer(millrace.model(model));
    }

    private static float run(Call call) {
        call.input(0).setFloat(0, 1);
        assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
        return call.output(0).getFloat(0) - 1;
    }

    /// How the versions of a model stand, when what is on its way out is gone.
    private String status(String model) {
        lifecycle().settle();
        return millrace.status().stream()
                .filter(status -> status.model().equals(model))
                .map(status -> status.version() + " " + status.state()
                        + (status.reason().isEmpty() ? "" : " " + status.reason()))
                .toList()
                .toString();
    }

    private static Problem problem(Runnable change) {
        try {
            change.run();
        } catch (ModelLoadException e) {
            return e.problem();
        }
        throw new AssertionError("the change succeeded");
    }

    @Test
    void shouldCountWhatAModelHasDoneAlsoByVersionsThatAreGone() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Model live = millrace.model("m");
        try (Call held = live.call()) {
            run(held);
            for (int constant = 20; constant <= 40; constant += 10) {
                ConstantModel.add(root, "m", 1, constant);
                lifecycle().load("m");
                answer(live);
            }
            assertThat(millrace.statistics().getFirst().accepted()).isEqualTo(1);
            assertThat(totals()).isEqualTo(new LaneStatistics.Totals("m", 4, Map.of(Outcome.OK, 4L), Map.of(), 4, 4));

            // It is bound to the first one, which is gone, and is refused there.
            held.input(0).reshape(3, 7, 5);
            assertThat(held.run()).isEqualTo(Outcome.INVALID);
            lifecycle().unload("m", false);
            lifecycle().settle();
            held.input(0).reshape(1, 1);
            assertThat(held.run()).isEqualTo(Outcome.UNAVAILABLE);
        }
        assertThat(millrace.statistics()).isEmpty();
        assertThat(totals())
                .isEqualTo(new LaneStatistics.Totals(
                        "m", 4, Map.of(Outcome.OK, 4L), Map.of(Outcome.INVALID, 1L, Outcome.UNAVAILABLE, 1L), 4, 4));
    }

    /// Of the only model, without the outcomes that did not come.
    private LaneStatistics.Totals totals() {
        LaneStatistics.Totals all = millrace.totals().getFirst();
        assertThat(millrace.totals()).hasSize(1);
        return new LaneStatistics.Totals(
                all.model(), all.accepted(), positive(all.ended()), positive(all.refused()), all.rows(), all.batches());
    }

    private static Map<Outcome, Long> positive(Map<Outcome, Long> counts) {
        return counts.entrySet().stream()
                .filter(count -> count.getValue() > 0)
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    @Test
    void shouldAnswerByTheNewVersionWhenItWasLoaded() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Model live = millrace.model("m");
        assertThat(answer(live)).isEqualTo(10);
        ConstantModel.add(root, "m", 2, 20);
        assertThat(answer(live)).isEqualTo(10);

        lifecycle().load("m");

        assertThat(live.predict(live.request().set("x", new float[] {1})).version())
                .isEqualTo(2);
        assertThat(answer(live)).isEqualTo(20);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE unloaded, 2 READY]");
    }

    @Test
    void shouldMoveCallsThatAreHeldWhenTheirVersionIsReplaced() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        try (Call call = millrace.model("m").call()) {
            assertThat(run(call)).isEqualTo(10);
            call.rows(2).input(0).putFloats(new float[] {5, 6});
            ConstantModel.add(root, "m", 2, 20);
            lifecycle().load("m");
            lifecycle().settle();

            // What was filled in before the swap goes along.
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.version()).isEqualTo(2);
            assertThat(List.of(call.output(0).getFloat(0), call.output(0).getFloat(1)))
                    .containsExactly(25f, 26f);
            assertThat(run(call.rows(1))).isEqualTo(20);
        }
    }

    @Test
    void shouldMoveCallsWhenTheSameVersionIsLoadedAnew() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        try (Call live = millrace.model("m").call();
                Call pinned = millrace.model("m", 1).call()) {
            long instance = live.instance();
            ConstantModel.add(root, "m", 1, 11);
            lifecycle().load("m");

            assertThat(run(live)).isEqualTo(11);
            assertThat(run(pinned)).isEqualTo(11);
            assertThat(live.instance()).isNotEqualTo(instance);
            assertThat(status("m")).isEqualTo("[1 READY]");
        }
    }

    @Test
    void shouldAskAVersionAgainThatWasResumedWhenTheRequestWasRefused() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        LoadedVersion only = lifecycle().instances().getFirst();
        AtomicInteger looks = new AtomicInteger();
        try (Call call = only.newCall().follow(() -> {
            // Served again between the two looks, as by a rollback.
            if (looks.incrementAndGet() == 2) {
                only.resume();
            }
            return only;
        })) {
            only.retire();
            assertThat(run(call)).isEqualTo(10);
            assertThat(looks).hasValue(2);
            only.retire();
            assertThat(call.run()).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(call.isTurnedAway()).isTrue();
            assertThat(call.message()).isEqualTo("model 'm' version 1 is closed");
        }
    }

    @Test
    void shouldNotFindAVersionThatIsGone() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Model pinned = millrace.model("m", 1);
        try (Call call = pinned.call()) {
            ConstantModel.add(root, "m", 2, 20);
            lifecycle().load("m");

            assertThat(call.run()).isEqualTo(Outcome.NOT_FOUND);
            assertThat(call.message()).isEqualTo("model 'm' has no version 1 that is served");
            assertThatThrownBy(() -> answer(pinned))
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.NOT_FOUND);
        }
    }

    @Test
    void shouldGoOnWithWhatIsServedWhenALoadFails() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Files.createDirectories(root.resolve("m/2"));
        Files.write(root.resolve("m/2/model.onnx"), new byte[] {1, 2, 3});

        assertThat(problem(() -> lifecycle().load("m"))).isEqualTo(Problem.FAILED);
        assertThat(answer("m")).isEqualTo(10);
        assertThat(status("m")).startsWith("[1 READY, 2 UNAVAILABLE cannot load ");

        Files.write(root.resolve("m/1/model.onnx"), new byte[] {1, 2, 3});
        Files.delete(root.resolve("m/2/model.onnx"));
        Files.delete(root.resolve("m/2"));
        assertThat(problem(() -> lifecycle().load("m"))).isEqualTo(Problem.FAILED);
        assertThat(answer("m")).isEqualTo(10);
        assertThat(status("m")).startsWith("[1 READY its last load failed: cannot load ");
        assertThat(problem(() -> lifecycle().load("other"))).isEqualTo(Problem.NOT_FOUND);
    }

    @Test
    void shouldRefuseAnotherContractUnlessItIsMeant() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Call call = millrace.model("m").call();
        ConstantModel.add(root, "m", 2, 20, 1, "z");

        assertThatThrownBy(() -> lifecycle().load("m"))
                .hasMessageContaining(
                        "its inputs are [z FP32[-1, 1]], those that are served [x FP32[-1, 1]] by version 1;"
                                + " a load has to say that another contract is meant");
        assertThat(answer("m")).isEqualTo(10);

        lifecycle().load("m", LoadOptions.DEFAULT.withContractChange());
        assertThat(millrace.model("m").version()).isEqualTo(2);
        assertThat(call.run()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(call.message())
                .startsWith(
                        "the version that the request was made for was replaced by model 'm' version 2: its inputs");
        call.close();
    }

    @Test
    void shouldTakeItOutOfServiceWhenItIsUnloaded() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        Call call = millrace.model("m").call();
        lifecycle().unload("m", false);

        assertThat(call.run()).isEqualTo(Outcome.UNAVAILABLE);
        assertThatThrownBy(() -> millrace.model("m"))
                .extracting(e -> ((InferenceException) e).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE unloaded]");
        assertThatThrownBy(() -> millrace.model("m")).hasMessage("model 'm' is not served: unloaded");
        assertThat(NativeMemory.used(MemoryTag.RING)).isZero();
        assertThat(problem(() -> lifecycle().unload("m", false))).isEqualTo(Problem.NOT_FOUND);

        lifecycle().load("m");
        assertThat(run(call)).isEqualTo(10);
        call.close();
    }

    @Test
    void shouldLoadAtTheStartWhatIsNamed() {
        for (String name : List.of("a", "b", "c")) {
            ConstantModel.add(root, name, 1, 10);
        }
        open(RuntimeConfig.DEFAULT.withStartUpModels(Set.of("b", "x")));
        assertThat(millrace.status())
                .extracting(status -> status.model() + " " + status.state())
                .containsExactly("b READY", "x UNAVAILABLE");
        lifecycle().load("a");
        assertThat(answer("a")).isEqualTo(10);
        millrace.close();
        assertThat(problem(() -> lifecycle().load("c"))).isEqualTo(Problem.BUSY);

        open(RuntimeConfig.DEFAULT.withStartUpModels(Set.of()));
        assertThat(millrace.status()).isEmpty();
        millrace.close();
        open(RuntimeConfig.DEFAULT.withStartUpModels(Set.of("*")));
        assertThat(millrace.status()).hasSize(3);
    }

    @Test
    void shouldGoBackAtOnceWhenThePreviousVersionIsKept() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT.withModel("m", ModelConfig.DEFAULT.withKeepPrevious(true)));
        assertThat(problem(() -> lifecycle().rollback("m"))).isEqualTo(Problem.NOT_FOUND);
        Call call = millrace.model("m").call();
        long first = call.instance();
        ConstantModel.add(root, "m", 2, 20);
        lifecycle().load("m");
        assertThat(run(call)).isEqualTo(20);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE kept warm for a rollback, 2 READY]");
        assertThat(millrace.status()).extracting(ModelStatus::kept).containsExactly(true, false);
        Files.delete(root.resolve("m/1/model.onnx"));

        lifecycle().rollback("m");
        assertThat(run(call)).isEqualTo(10);
        assertThat(call.instance()).isEqualTo(first);
        assertThat(status("m")).isEqualTo("[1 READY, 2 UNAVAILABLE kept warm for a rollback]");
        lifecycle().rollback("m");
        assertThat(run(call)).isEqualTo(20);

        ConstantModel.add(root, "m", 3, 30);
        lifecycle().load("m");
        assertThat(run(call)).isEqualTo(30);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE unloaded, 2 UNAVAILABLE kept warm for a rollback, 3 READY]");
        lifecycle().unload("m", false);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE unloaded, 2 UNAVAILABLE unloaded, 3 UNAVAILABLE unloaded]");
        call.close();
    }

    @Test
    void shouldLoadThePreviousVersionAgainWhenItIsNotKept() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        ConstantModel.add(root, "m", 2, 20);
        lifecycle().load("m");
        lifecycle().rollback("m");
        assertThat(answer("m")).isEqualTo(10);
        lifecycle().rollback("m");
        assertThat(answer("m")).isEqualTo(20);

        ConstantModel.add(root, "m", 1, 11);
        assertThatThrownBy(() -> lifecycle().rollback("m")).hasMessageContaining("is not what it was in");
        assertThat(answer("m")).isEqualTo(20);
    }

    @Test
    void shouldFindVersionsByTheirAliases() {
        for (int version = 1; version <= 3; version++) {
            ConstantModel.add(root, "m", version, 10 * version);
        }
        ModelConfig config =
                ModelConfig.DEFAULT.withVersionPolicy(VersionPolicy.all()).withAlias("champion", 2);
        open(RuntimeConfig.DEFAULT.withModel("m", config));
        Model champion = millrace.model("m", "champion");
        try (Call call = champion.call()) {
            assertThat(run(call)).isEqualTo(20);
            assertThat(answer(millrace.model("m", "3"))).isEqualTo(30);
            lifecycle().alias("m", "challenger", 1);
            assertThat(answer(millrace.model("m", "challenger"))).isEqualTo(10);
            lifecycle().alias("m", "champion", 1);
            assertThat(answer(champion)).isEqualTo(10);
            assertThat(millrace.status().getFirst().aliases()).containsExactly("challenger", "champion");
            lifecycle().removeAlias("m", "challenger");
        }
        assertThatThrownBy(() -> millrace.model("m", "challenger"))
                .hasMessage("model 'm' has no version 'challenger', nor such an alias");
        assertThat(problem(() -> lifecycle().alias("m", "challenger", 9))).isEqualTo(Problem.NOT_FOUND);
        assertThat(problem(() -> lifecycle().alias("m", "9", 1))).isEqualTo(Problem.FAILED);
        assertThat(problem(() -> lifecycle().removeAlias("m", "challenger"))).isEqualTo(Problem.NOT_FOUND);
    }

    @Test
    void shouldFollowTheRepositoryWhenItIsLookedAt() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        lifecycle().poll();
        long instance = millrace.model("m").instance();
        ConstantModel.add(root, "m", 2, 20);
        ConstantModel.add(root, "n", 1, 5);
        lifecycle().poll();
        assertThat(answer("m")).as("perhaps it is still being written").isEqualTo(10);
        ConstantModel.add(root, "m", 2, 2);
        lifecycle().poll();
        assertThat(answer("m")).as("it was").isEqualTo(10);
        assertThat(answer("n")).isEqualTo(5);
        lifecycle().poll();
        assertThat(answer("m")).isEqualTo(2);
        assertThat(millrace.model("m").instance()).isNotEqualTo(instance);

        instance = millrace.model("m").instance();
        lifecycle().poll();
        lifecycle().poll();
        assertThat(millrace.model("m").instance()).isEqualTo(instance);
        Files.delete(root.resolve("n/1/model.onnx"));
        Files.delete(root.resolve("n/1"));
        Files.delete(root.resolve("n"));
        lifecycle().poll();
        lifecycle().poll();
        assertThat(status("n")).isEqualTo("[1 UNAVAILABLE unloaded]");
    }

    @Test
    void shouldLoadOnlyWhatHasChanged() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT.withModel("m", ModelConfig.DEFAULT.withVersionPolicy(VersionPolicy.latest(2))));
        long first = millrace.model("m", 1).instance();
        ConstantModel.add(root, "m", 2, 20);
        lifecycle().load("m");
        assertThat(millrace.model("m", 1).instance()).isEqualTo(first);
        assertThat(status("m")).isEqualTo("[1 READY, 2 READY]");
        ConstantModel.add(root, "m", 3, 30);
        lifecycle().load("m");
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE unloaded, 2 READY, 3 READY]");
        lifecycle().load("m");
        assertThat(millrace.model("m", 2).instance()).isGreaterThan(first + 2);
    }

    @Test
    void shouldLoadFromElsewhereWithAnotherConfiguration(@TempDir Path upload) {
        ConstantModel.add(root, "m", 1, 10);
        ConstantModel.add(upload, "staged", 7, 70);
        open(RuntimeConfig.DEFAULT);

        lifecycle().load("m", new LoadOptions(upload.resolve("staged"), """
            {
              "name": "m",
              "maxBatchSize": 8, "dynamic_batching": { "preferredBatchSize": ["2", 4] },
              "parameters": { "keep_previous": { "stringValue": "1" }, "aliases.best": { "string_value": "7" } }
            }
            """, false));
        assertThat(answer(millrace.model("m", "best"))).isEqualTo(70);
        assertThat(status("m")).isEqualTo("[1 UNAVAILABLE kept warm for a rollback, 7 READY]");
        ModelConfig config = millrace.status().getLast().config().orElseThrow();
        assertThat(config.maxBatchSize()).hasValue(8);
        assertThat(config.preferredBatchSizes()).containsExactly(2, 4);

        assertThatThrownBy(() -> lifecycle().load("m", new LoadOptions(null, "{\"maxBatchSize\": -1}", false)))
                .hasMessageContaining("m/config: line 1: max_batch_size is -1, expected a whole number");
        assertThatThrownBy(() -> lifecycle().load("m", new LoadOptions(null, "{\"x\": [1,}", false)))
                .hasMessageContaining("m/config: line 1: expected a value, came '}'");
        assertThat(answer("m")).isEqualTo(70);
    }

    @Test
    void shouldTellWhatAVersionIsMadeOf() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT);
        ModelStatus status = millrace.status().getFirst();
        assertThat(status.state()).isEqualTo(VersionState.READY);
        assertThat(status.loadedAt()).isPresent();
        assertThat(status.sha256()).matches("[0-9a-f]{64}");
        ConstantModel.add(root, "m", 1, 11);
        lifecycle().load("m");
        assertThat(millrace.status().getFirst().sha256()).isNotEqualTo(status.sha256());
    }
}
