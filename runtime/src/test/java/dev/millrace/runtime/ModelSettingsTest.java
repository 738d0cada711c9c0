// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the runtime makes of models' configurations.
class ModelSettingsTest {
    private static final Batching ROWS = new Batching(Batching.Kind.ROWS, "rows", true);
    private static final Batching ONE_ROW = new Batching(Batching.Kind.ONE_ROW, "the leading dimension is fixed", true);
    private static final Batching NONE = new Batching(Batching.Kind.NONE, "'x' is a scalar", true);

    @TempDir
    Path root;

    private static LanePlan plan(Batching batching, ModelConfig wanted) {
        return LanePlan.of("m", 1, Rig.SIGNATURE, batching, wanted, RuntimeConfig.DEFAULT, 2);
    }

    @Test
    void shouldUseTheRuntimesValuesWhenNothingIsAskedFor() {
        LanePlan rows = plan(ROWS, ModelConfig.DEFAULT);
        assertThat(rows.describe())
                .isEqualTo("max_batch_size 128, max_queue_delay_microseconds 0, max_queue_size 1024 rows, instances 1,"
                        + " intra_op_thread_count 1");
        assertThat(rows.policy()).as("no row waits").isNull();
        assertThat(plan(ONE_ROW, ModelConfig.DEFAULT).describe())
                .startsWith("max_batch_size 1, ")
                .contains("instances 2");
        assertThat(plan(NONE, ModelConfig.DEFAULT).describe())
                .contains("max_queue_size 256 rows, instances 2")
                .startsWith("max_batch_size 1, ");
    }

    @Test
    void shouldDoWhatIsAskedForWhenRowsAreIndependent() {
        LanePlan plan = plan(
                ROWS,
                ModelConfig.DEFAULT
                        .withMaxBatchSize(32)
                        .withPreferredBatchSizes(8, 16)
                        .withMaxQueueDelay(Duration.ofNanos(300_000))
                        .withMaxQueueSize(100)
                        .withInstanceCount(3)
                        .withIntraOpThreads(4));
        assertThat(plan.describe())
                .isEqualTo("max_batch_size 32, preferred_batch_size [8, 16], max_queue_delay_microseconds 300,"
                        + " max_queue_size 64 rows, instances 3, intra_op_thread_count 4");
        assertThat(plan.warnings()).isEmpty();
        assertThat(plan.policy().delayNanos()).isEqualTo(300_000);
        assertThat(plan.policy().enough()).isEqualTo(8);
    }

    @ParameterizedTest
    @CsvSource({"100, 128, 128", "100, 100, 128", "128, 200, 128", "1, 1, 2", "2000, -1, 2048", "5, -1, 1024"})
    void shouldKeepRoomForABatchWhenTheQueueIsRounded(int batch, int queue, int expected) {
        ModelConfig wanted = ModelConfig.DEFAULT.withMaxBatchSize(batch);
        LanePlan plan = plan(ROWS, queue < 0 ? wanted : wanted.withMaxQueueSize(queue));
        assertThat(plan.spec().capacity()).isEqualTo(expected);
        assertThat(plan.spec().maxBatch()).isEqualTo(batch);
    }

    @Test
    void shouldRunRequestsAloneWhenTheLargestBatchIsZero() {
        LanePlan plan = plan(ROWS, ModelConfig.DEFAULT.withMaxBatchSize(0));
        assertThat(plan.batching().kind()).isEqualTo(Batching.Kind.NONE);
        assertThat(plan.batching().reason()).isEqualTo("max_batch_size is 0");
        assertThat(plan(ONE_ROW, ModelConfig.DEFAULT.withMaxBatchSize(0))
                        .batching()
                        .kind())
                .isEqualTo(Batching.Kind.ONE_ROW);
    }

    @Test
    void shouldSayWhatHasNoEffectWhenRequestsCannotShareRuns() {
        ModelConfig wanted = ModelConfig.DEFAULT
                .withMaxBatchSize(8)
                .withPreferredBatchSizes(4)
                .withMaxQueueDelay(Duration.ofMillis(1));
        LanePlan plan = plan(NONE, wanted);
        assertThat(plan.warnings())
                .containsExactly(
                        "max_batch_size has no effect: requests are run one at a time, because 'x' is a scalar",
                        "preferred_batch_size has no effect: requests are run one at a time, because 'x' is a scalar",
                        "max_queue_delay_microseconds has no effect: requests are run one at a time, because 'x' is a"
                                + " scalar");
        assertThat(plan.policy()).isNull();
        assertThat(plan(NONE, ModelConfig.DEFAULT.withObjectiveP99(Duration.ofMillis(5)))
                        .warnings())
                .hasSize(1);
    }

    @Test
    void shouldRefuseWhatCannotBeHonoured() {
        assertThatThrownBy(() -> plan(ONE_ROW, ModelConfig.DEFAULT.withMaxBatchSize(8)))
                .hasMessage("max_batch_size is 8, expected at most 1: the leading dimension is fixed");
        int tooMany = 10_000_000;
        assertThatThrownBy(() -> plan(ROWS, ModelConfig.DEFAULT.withMaxQueueSize(tooMany)))
                .hasMessage(
                        "max_queue_size is 10000000 rows, expected at most 8388608: more do not fit into the runtime's"
                                + " queueBytes, 67108864");
        assertThatThrownBy(() -> plan(ROWS, ModelConfig.DEFAULT.withMaxBatchSize(tooMany)))
                .hasMessageStartingWith("max_batch_size is 10000000 rows, expected at most 8388608");
    }

    /// Agents and what sessions keep are as many as the processors, as long as that is possible.
    @ParameterizedTest
    @CsvSource({
        "1, '', 1, 1",
        "2, '1', 2, 2",
        "2, '1 1 1', 2, 2",
        "8, '4', 5, 8",
        "8, '4 4', 2, 8",
        "2, '4', 1, 4",
        "64, '1 2', 63, 64",
        "2, '2 2', 1, 3"
    })
    void shouldMakeAsManyAgentsAsSessionsLeaveRoomFor(int processors, String intraOp, int agents, int total) {
        List<Integer> threads = intraOp.isEmpty()
                ? List.of()
                : List.of(intraOp.split(" ")).stream().map(Integer::valueOf).toList();
        assertThat(AgentPool.fitting(processors, threads)).isEqualTo(agents);
        assertThat(agents + AgentPool.kept(threads)).isEqualTo(total);
    }

    @Test
    void shouldServeAModelAsItsFileSays() throws IOException {
        TestModels.repository(root, "mlp");
        Files.writeString(root.resolve("mlp/config.pbtxt"), """
            name: "mlp"
            platform: "onnxruntime_onnx"
            max_batch_size: 16
            dynamic_batching { preferred_batch_size: [ 4 ] max_queue_delay_microseconds: 100 }
            instance_group { count: 2 }
            optimization { }
            """);
        RuntimeConfig config = RuntimeConfig.DEFAULT.withModel("mlp", ModelConfig.DEFAULT.withMaxQueueSize(32));
        try (Millrace millrace = Millrace.open(config, root)) {
            assertThat(millrace.status().getFirst().config())
                    .contains(ModelConfig.DEFAULT
                            .withMaxBatchSize(16)
                            .withPreferredBatchSizes(4)
                            .withMaxQueueDelay(Duration.ofNanos(100_000))
                            .withMaxQueueSize(32)
                            .withInstanceCount(2)
                            .withIntraOpThreads(1)
                            .withPriorities(1, 1)
                            .withWeight(1)
                            .withBreakerFailures(5));
            Model model = millrace.model("mlp");
            assertThat(model.predict(model.request().set("features", new float[3 * 64]))
                            .floats("score"))
                    .hasSize(3);
        }
    }

    @Test
    void shouldServeTheOthersWhenAFileIsWrong() throws IOException {
        TestModels.repository(root, "mlp", "fixed_batch", "scalar", "two_inputs");
        TestModels.add(root, "mlp", 2, "scalar");
        Files.writeString(root.resolve("mlp/config.pbtxt"), "version_policy { specific { versions: 1 } }");
        Files.writeString(root.resolve("fixed_batch/config.pbtxt"), "max_batch_size: 8");
        Files.writeString(root.resolve("scalar/config.pbtxt"), "max_batch_size: -8");
        Files.writeString(root.resolve("two_inputs/config.pbtxt"), "input { name: 'z' }");
        try (Millrace millrace = Millrace.open(root)) {
            List<ModelStatus> status = millrace.status();
            assertThat(status).extracting(ModelStatus::ready).containsExactly(false, true, false, false);
            assertThat(status.get(0).reason())
                    .endsWith("max_batch_size is 8, expected at most 1: the leading dimension is" + " fixed to 1");
            assertThat(millrace.model("mlp").version()).isEqualTo(1);
            assertThat(status.get(2).reason())
                    .endsWith(
                            "config.pbtxt: line 1: max_batch_size is -8, expected a whole number from 0 to 2147483647");
            assertThat(status.get(3).reason()).contains("config.pbtxt: input 'z' came, expected an input of the model");
        }
    }

    @Test
    void shouldRunOnAnAgentWhenAnEventLoopSubmitsToAModelTooHeavyForIt() {
        RuntimeConfig config =
                RuntimeConfig.DEFAULT.withInlineBudget(Duration.ofNanos(1)).withAgents(1);
        TestModels.repository(root, "mlp", "variable_shapes");
        try (Millrace millrace = Millrace.open(config, root)) {
            for (String name : List.of("mlp", "variable_shapes")) {
                Turner turner = millrace.turner();
                for (int i = 0; i < 20; i++) {
                    CompletableFuture<String> thread = new CompletableFuture<>();
                    try (Call call = millrace.model(name).call()) {
                        call.input(0).reshape(1, name.equals("mlp") ? 64 : 4);
                        turner.submit(
                                call,
                                (_, _) -> thread.complete(Thread.currentThread().getName()));
                        turner.turn();
                        assertThat(thread.join()).as(name).isEqualTo("millrace-agent-0");
                    }
                }
            }
        }
    }
}
