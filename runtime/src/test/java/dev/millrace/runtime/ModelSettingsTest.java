// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.QueuePolicy;
import dev.millrace.model.VersionPolicy;
import dev.millrace.plan.LanePlan;
import dev.millrace.plan.LaneSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
        return LanePlan.of("m", 1, Rig.SIGNATURE, batching, wanted, RuntimeConfig.DEFAULT.defaults(), 2);
    }

    @Test
    void shouldUseTheRuntimesValuesWhenNothingIsAskedFor() {
        LanePlan rows = plan(ROWS, ModelConfig.DEFAULT);
        assertThat(rows.describe())
                .isEqualTo("max_batch_size 128, max_queue_delay_microseconds 0, max_queue_size 1024 rows, instances 1,"
                        + " intra_op_thread_count 1");
        assertThat(BatchPolicy.of(rows)).as("no row waits").isNull();
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
        assertThat(BatchPolicy.of(plan).delayNanos()).isEqualTo(300_000);
        assertThat(BatchPolicy.of(plan).enough()).isEqualTo(8);
    }

    @ParameterizedTest
    @CsvSource({"100, 128, 128", "100, 100, 128", "128, 200, 128", "1, 1, 2", "2000, -1, 2048", "5, -1, 1024"})
    void shouldKeepRoomForABatchWhenTheQueueIsRounded(int batch, int queue, int expected) {
        ModelConfig wanted = ModelConfig.DEFAULT.withMaxBatchSize(batch);
        LanePlan plan = plan(ROWS, queue < 0 ? wanted : wanted.withMaxQueueSize(queue));
        assertThat(plan.spec().capacity(0)).isEqualTo(expected);
        assertThat(plan.spec().maxBatch()).isEqualTo(batch);
    }

    @Test
    void shouldPlanAQueueForEachPriority() {
        LanePlan plan = plan(
                ROWS,
                ModelConfig.DEFAULT
                        .withMaxBatchSize(8)
                        .withMaxQueueSize(64)
                        .withDefaultTimeout(Duration.ofMillis(5))
                        .withPriorities(3, 2)
                        .withPriorityQueuePolicy(3, QueuePolicy.DEFAULT.withMaxQueueSize(600))
                        .withPriorityQueuePolicy(1, QueuePolicy.DEFAULT.withDefaultTimeout(Duration.ofMillis(1))));
        assertThat(plan.spec().queues())
                .containsExactly(
                        new LaneSpec.Queue(64, 1_000_000),
                        new LaneSpec.Queue(64, 5_000_000),
                        new LaneSpec.Queue(512, 5_000_000));
        assertThat(plan.spec().slots()).isEqualTo(640);
        assertThat(plan.describe())
                .contains(", priority 1 with max_queue_size 64 and default_timeout_microseconds 1000, priority 3 with"
                        + " max_queue_size 512 and default_timeout_microseconds 5000, max_queue_size 64 rows");
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
    void shouldLetRowsThatAffectEachOtherShareRunsOnlyWhenToldSo() {
        Batching dependent = new Batching(Batching.Kind.NONE, "a row depends on others", true, true);
        LanePlan refused = plan(dependent, ModelConfig.DEFAULT.withMaxBatchSize(8));
        assertThat(refused.batching()).isEqualTo(dependent);
        assertThat(refused.spec().maxBatch()).isEqualTo(1);
        assertThat(refused.warnings())
                .containsExactly("max_batch_size has no effect: requests are run one at a time, because a row depends"
                        + " on others; the parameter batching.dependent_rows would allow it");

        LanePlan allowed =
                plan(dependent, ModelConfig.DEFAULT.withMaxBatchSize(8).withDependentRows(true));
        assertThat(allowed.batching())
                .isEqualTo(new Batching(
                        Batching.Kind.ROWS, "a row depends on others, which the configuration allows", false));
        assertThat(allowed.spec().maxBatch()).isEqualTo(8);
        assertThat(allowed.warnings()).isEmpty();
        assertThat(plan(NONE, ModelConfig.DEFAULT.withDependentRows(true)).batching())
                .isEqualTo(NONE);
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
        assertThat(BatchPolicy.of(plan)).isNull();
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
                            .withVersionPolicy(VersionPolicy.DEFAULT)
                            .withWeight(1)
                            .withBreakerFailures(5)
                            .withKeepPrevious(false));
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
    void shouldTellTheLabelsOfOutputsWhenTheyHaveAFile() throws IOException {
        TestModels.repository(root, "variable_shapes", "mlp");
        Files.writeString(root.resolve("mlp/config.pbtxt"), "output { name: 'score' label_filename: 'names.txt' }");
        Files.writeString(root.resolve("mlp/names.txt"), "fraud\r\n");
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.model("mlp").labels("score")).containsExactly("fraud");
            assertThat(millrace.model("mlp").labels("other")).isEmpty();
            assertThat(millrace.model("variable_shapes").labels("y")).isEmpty();
            assertThat(millrace.status().getFirst().labels()).isEqualTo(Map.of("score", List.of("fraud")));
        }
    }

    @Test
    void shouldLoadTheFileThatIsNamed() throws IOException {
        TestModels.repository(root, "mlp");
        Files.move(root.resolve("mlp/1/model.onnx"), root.resolve("mlp/1/net.onnx"));
        Files.writeString(root.resolve("mlp/config.pbtxt"), "default_model_filename: 'net.onnx'");
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status().getFirst().ready()).isTrue();
        }
        Files.writeString(root.resolve("mlp/config.pbtxt"), "");
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status().getFirst().reason())
                    .startsWith("cannot load ")
                    .contains("1/model.onnx: ");
        }
    }

    @Test
    void shouldOpenSessionsAsTheParametersSay() throws IOException {
        TestModels.repository(root, "mlp", "two_inputs");
        Files.writeString(root.resolve("mlp/config.pbtxt"), """
            optimization { graph { level: -1 } }
            parameters { key: "execution_mode" value: { string_value: "1" } }
            parameters { key: "inter_op_thread_count" value: { string_value: "2" } }
            parameters { key: "enable_mem_arena" value: { string_value: "0" } }
            parameters { key: "enable_mem_pattern" value: { string_value: "0" } }
            parameters { key: "session.set_denormal_as_zero" value: { string_value: "1" } }
            """);
        Files.writeString(
                root.resolve("two_inputs/config.pbtxt"),
                "parameters { key: 'session.load_model_format' value: { string_value: 'ORT' } }");
        try (Millrace millrace = Millrace.open(root)) {
            Model mlp = millrace.model("mlp");
            assertThat(mlp.predict(mlp.request().set("features", new float[64])).floats("score"))
                    .hasSize(1);
            assertThat(millrace.status().getFirst().config().orElseThrow().parameters())
                    .hasSize(5);
            assertThat(millrace.status().getLast().reason())
                    .as("told by ONNX Runtime")
                    .startsWith("cannot load ");
        }
    }

    private static String warmUp(String inputs) {
        return "model_warmup { name: 'first' batch_size: 3 count: 2 " + inputs + " }";
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mlp | inputs { key: 'features' value { data_type: TYPE_FP32 dims: 64 zero_data: true } }",
                "mlp | inputs { key: 'features' value { dims: 64 random_data: true } }",
                "mlp | inputs { key: 'features' value { dims: 64 input_data_file: 'row' } }",
                "mlp | inputs { key: 'features' value { dims: [ 5, 64 ] zero_data: true } }",
                "scalar | inputs { key: 'x' value { random_data: true } }",
                "strings | inputs { key: 'x' value { data_type: TYPE_STRING dims: 2 input_data_file: 'texts' } }",
                "variable_shapes | inputs { key: 'x' value { dims: [ 2, 3 ] random_data: true } }",
            })
    void shouldWarmUpAsTheFileSays(String name, String inputs) throws IOException {
        TestModels.repository(root, name);
        Files.writeString(root.resolve(name + "/config.pbtxt"), warmUp(inputs));
        warmUpFiles(root.resolve(name));
        long before = NativeMemory.used();
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status().getFirst().reason()).isEmpty();
            assertThat(millrace.memory().tensors().used(MemoryTag.CALL))
                    .as("nothing is left of it")
                    .isZero();
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private static void warmUpFiles(Path model) throws IOException {
        Files.createDirectories(model.resolve("warmup"));
        Files.write(model.resolve("warmup/row"), new byte[64 * 4]);
        Files.write(model.resolve("warmup/short"), new byte[63 * 4]);
        Files.write(model.resolve("warmup/long"), new byte[65 * 4]);
        Files.write(model.resolve("warmup/texts"), new byte[] {2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0});
        Files.write(model.resolve("outside"), new byte[64 * 4]);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mlp | inputs { key: 'other' value { dims: 64 zero_data: true } } | it has the inputs [other], expected"
                        + " also 'features'",
                "mlp | inputs { key: 'features' value { data_type: TYPE_INT8 dims: 64 zero_data: true } } | input"
                        + " 'features' has data_type TYPE_INT8, expected TYPE_FP32 as the model has it",
                "mlp | inputs { key: 'features' value { dims: 63 zero_data: true } } | Got invalid dimensions",
                "mlp | inputs { key: 'features' value { dims: 64 input_data_file: 'short' } } | input_data_file 'short'"
                        + " has 252 bytes, expected 256",
                "mlp | inputs { key: 'features' value { dims: 64 input_data_file: 'long' } } | input_data_file 'long'"
                        + " has 260 bytes, expected at most 256",
                "mlp | inputs { key: 'features' value { dims: 64 input_data_file: '../outside' } } | input_data_file"
                        + " '../outside' lies elsewhere, expected a file in ",
                "mlp | inputs { key: 'features' value { dims: 64 input_data_file: 'gone' } } | input_data_file 'gone'"
                        + " cannot be read, expected a file in ",
                "strings | inputs { key: 'x' value { dims: 3 input_data_file: 'texts' } } | input_data_file 'texts'"
                        + " ends within text 2, expected 3",
                "strings | inputs { key: 'x' value { dims: 1 input_data_file: 'texts' } } | input_data_file 'texts' has"
                        + " 4 bytes after the last text, expected none",
                "mlp | inputs { key: 'features' value { dims: [ 2147483647, 64 ] zero_data: true } } | ",
            })
    void shouldNameTheWarmUpThatFails(String name, String inputs, String problem) throws IOException {
        TestModels.repository(root, name);
        Files.writeString(root.resolve(name + "/config.pbtxt"), warmUp(inputs));
        warmUpFiles(root.resolve(name));
        long before = NativeMemory.used();
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status().getFirst().reason())
                    .contains("config.pbtxt: model_warmup 'first' failed: ")
                    .contains(problem == null ? "" : problem);
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "names.txt | which has 2 labels, expected at most 1, one for each class",
                "gone.txt | expected a file in the model's folder that can be read: ",
                "1 | expected a file in the model's folder",
                "../outside.txt | expected a file in the model's folder",
                "link.txt | expected a file in the model's folder",
                "bytes.txt | which is no UTF-8 text",
            })
    void shouldNameOutputAndFileWhenLabelsCannotBeRead(String name, String problem) throws IOException {
        TestModels.repository(root, "mlp");
        Path folder = root.resolve("mlp");
        Files.writeString(folder.resolve("config.pbtxt"), "output { name: 'score' label_filename: '" + name + "' }");
        Files.writeString(folder.resolve("names.txt"), "a\nb\n");
        Files.writeString(root.resolve("outside.txt"), "a");
        Files.createSymbolicLink(folder.resolve("link.txt"), root.resolve("outside.txt"));
        Files.write(folder.resolve("bytes.txt"), new byte[] {(byte) 0xff});
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status().getFirst().reason())
                    .contains("config.pbtxt: label_filename of output 'score' is '" + name + "', " + problem);
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
