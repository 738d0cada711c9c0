// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.model.ModelRepository.Version;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    private static final List<ValueInfo> INPUTS = List.of(tensor("x", DataType.FP32, -1L, 4L));
    private static final List<ValueInfo> OUTPUTS =
            List.of(tensor("y", DataType.FP32, -1L, 1L), tensor("label", DataType.BYTES, -1L));

    @TempDir
    Path temp;

    private static ValueInfo tensor(String name, DataType type, Long... shape) {
        return new ValueInfo(name, ValueInfo.Kind.TENSOR, type, List.of(shape), List.of());
    }

    private Path write(String text) {
        try {
            return Files.writeString(temp.resolve("config.pbtxt"), text);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private ConfigFile read(String text) {
        return ConfigFile.read(write(text), "m");
    }

    private static final String WHOLE = """
        name: "m"
        platform: "onnxruntime_onnx"
        backend: "onnxruntime"
        default_model_filename: "a.onnx"
        optimization { graph { level: 1 } }
        max_batch_size: 64
        input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
        output [
          { name: "y" data_type: TYPE_FP32 dims: [ 1 ] },
          { name: "label" data_type: TYPE_STRING dims: [ ] }
        ]
        response_cache { enable: true }
        version_policy { latest { num_versions: 2 } }
        instance_group [ { count: 2 kind: KIND_CPU }, { name: "more" kind: KIND_AUTO } ]
        dynamic_batching {
          preferred_batch_size: [ 8, 32 ]
          max_queue_delay_microseconds: 250
          default_queue_policy {
            timeout_action: REJECT
            default_timeout_microseconds: 5000
            allow_timeout_override: true
            max_queue_size: 512
          }
          priority_levels: 3
          default_priority_level: 2
          priority_queue_policy {
            key: 3
            value: { max_queue_size: 64 default_timeout_microseconds: 50000 allow_timeout_override: true }
          }
          preserve_ordering: false
        }
        parameters { key: "scheduling.weight" value: { string_value: "4" } }
        parameters { key: "breaker.failures" value: { string_value: "0" } }
        parameters { key: "memory.limit_bytes" value: { string_value: "5000000000" } }
        parameters { key: "intra_op_thread_count" value: { string_value: "3" } }
        parameters { key: "execution_mode" value { string_value: "1" } }
        parameters { key: "session.set_denormal_as_zero" value { string_value: "1" } }
        parameters { key: "keep_previous" value { string_value: "1" } }
        parameters { key: "aliases.champion" value { string_value: "3" } }
        parameters { key: "batching.dependent_rows" value { string_value: "1" } }
        """;

    @Test
    void shouldReadEveryFieldThatCounts() {
        ConfigFile file = read(WHOLE);

        assertThat(file.config())
                .isEqualTo(new ModelConfig(
                        OptionalInt.of(64),
                        List.of(8, 32),
                        Optional.of(Duration.ofNanos(250_000)),
                        OptionalInt.of(512),
                        OptionalInt.of(3),
                        OptionalInt.of(3),
                        Optional.empty(),
                        OptionalInt.of(3),
                        OptionalInt.of(2),
                        Optional.of(Duration.ofMillis(5)),
                        OptionalInt.of(4),
                        OptionalInt.of(0),
                        OptionalLong.of(5_000_000_000L),
                        Optional.of(true),
                        ModelConfig.Details.NONE,
                        Optional.of(VersionPolicy.latest(2)),
                        Map.of(3, QueuePolicy.DEFAULT.withMaxQueueSize(64).withDefaultTimeout(Duration.ofMillis(50))),
                        Map.of("execution_mode", "1", "session.set_denormal_as_zero", "1"),
                        OptionalInt.of(1),
                        Optional.of("a.onnx"),
                        OptionalInt.of(1),
                        Map.of("champion", 3L),
                        Optional.of(true)));
        assertThat(file.check(INPUTS, OUTPUTS)).isEmpty();
        assertThat(file.warnings()).isEmpty();
    }

    @Test
    void shouldLeaveEverythingOpenWhenTheFileIsEmptyOrSaysSo() {
        assertThat(read("").config()).isEqualTo(ModelConfig.DEFAULT);
        ConfigFile open = read("""
            dynamic_batching { default_queue_policy { max_queue_size: 0 } }
            parameters { key: "intra_op_thread_count" value: { string_value: "0" } }
            """);
        assertThat(open.config()).isEqualTo(ModelConfig.DEFAULT);
        assertThat(open.warnings()).isEmpty();
    }

    @Test
    void shouldReadTheObjective() {
        ConfigFile file = read("parameters { key: 'objective.p99_ms' value: { string_value: '2.5' } }");
        assertThat(file.config().objectiveP99()).contains(Duration.ofNanos(2_500_000));
    }

    @Test
    void shouldNameWhatHasNoEffect() {
        ConfigFile file = read("""
            max_batch_size: 8
            optimization { cuda { graphs: true } eager_batching: false }
            nonsense: 3
            dynamic_batching { default_queue_policy { allow_timeout_override: false } preserve_ordering: true }
            instance_group { gpus: [ 0 ] host_policy: "" }
            input { name: "x" dims: 4 format: FORMAT_NONE optional: false label_filename: "l" }
            parameters { key: "gpu_mem_limit" value { string_value: "1" } }
            parameters { key: "speed" value { number: "4" } }
            version_policy { latest { newest: 3 } }
            """);

        assertThat(file.warnings())
                .containsExactly(
                        "optimization.cuda (line 2) has no effect: models run on the CPU",
                        "field 'nonsense' (line 3) is not known and has no effect",
                        "dynamic_batching.default_queue_policy.allow_timeout_override (line 4) has no effect: a request"
                                + " may always ask for a shorter timeout",
                        "dynamic_batching.preserve_ordering (line 4) has no effect: an answer does not wait for those"
                                + " of earlier requests",
                        "instance_group.gpus (line 5) has no effect: models run on the CPU",
                        "field 'input.label_filename' (line 6) is not known and has no effect",
                        "parameter 'gpu_mem_limit' (line 7) has no effect: models run on the CPU",
                        "field 'parameters.value.number' (line 8) is not known and has no effect",
                        "parameter 'speed' (line 8) is not known and has no effect",
                        "field 'version_policy.latest.newest' (line 9) is not known and has no effect");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "name: 'other' | line 1: name is 'other', expected 'm', the name of the model's folder",
                "platform: 'tensorrt_plan' | line 1: platform is 'tensorrt_plan', expected 'onnxruntime_onnx' or"
                        + " 'ensemble', the only platforms here",
                "backend: 'python' | line 1: backend is 'python', expected 'onnxruntime', the only backend here",
                "default_model_filename: '../a.onnx' | default_model_filename is '../a.onnx', expected the name of a"
                        + " file in a version's folder",
                "default_model_filename: '..' | default_model_filename is '..', expected the name of a file in a"
                        + " version's folder",
                "optimization { graph { level: 3 } } | line 1: level is 3, expected a whole number from -1 to 2",
                "parameters { key: 'execution_mode' value { string_value: '2' } } | parameter 'execution_mode' is '2',"
                        + " expected 0 or 1",
                "parameters { key: 'inter_op_thread_count' value { string_value: 'x' } } | parameter"
                        + " 'inter_op_thread_count' is 'x', expected a number of threads",
                "parameters { key: 'memory.enable_memory_arena_shrinkage' value { string_value: 'gpu:0' } } | parameter"
                        + " 'memory.enable_memory_arena_shrinkage' is 'gpu:0', expected cpu:0",
                "parameters { key: 'memory.enable_memory_arena_shrinkage' value { string_value: 'cpu:0' } } parameters"
                        + " { key: 'enable_mem_arena' value { string_value: '0' } } | parameter"
                        + " 'memory.enable_memory_arena_shrinkage' came with enable_mem_arena 0, expected one of them:"
                        + " without an arena nothing shrinks",
                "parameters { key: 'session.use_env_allocators' value { string_value: '0' } } | parameter"
                        + " 'session.use_env_allocators' came, expected inter_op_thread_count, execution_mode,"
                        + " enable_mem_arena, enable_mem_pattern, memory.enable_memory_arena_shrinkage or session.*"
                        + " without session.use_env_allocators",
                "model_warmup { name: 'w' } | line 1: model_warmup 'w' has no inputs, expected all of the model's",
                "model_warmup { inputs { key: 'x' } } | line 1: inputs lacks a key or a value, expected both",
                "model_warmup { inputs { key: 'x' value { dims: 1 } } } | line 1: value has no data, expected one of"
                        + " zero_data, random_data and input_data_file",
                "model_warmup { inputs { key: 'x' value { zero_data: true random_data: true } } } | line 1: random_data"
                        + " came with other data, expected one of zero_data, random_data and input_data_file",
                "model_warmup { inputs { key: 'x' value { dims: -1 zero_data: true } } } | line 1: dims is -1, expected"
                        + " a whole number from 0 to 2147483647",
                "batch_input { kind: BATCH_ELEMENT_COUNT } | line 1: batch_input came, expected none: no inputs are"
                        + " made of a batch's shapes; requests of different shapes are run one at a time",
                "input { name: 'x' optional: true } | line 1: optional came, expected none: every request brings every"
                        + " input of the model",
                "model_transaction_policy { decoupled: true } | line 1: decoupled came, expected none: a request has"
                        + " one answer",
                "model_operations { op_library_filename: 'x.so' } | line 1: model_operations came, expected none:"
                        + " libraries of operators are not loaded",
                "max_batch_size: -1 | line 1: max_batch_size is -1, expected a whole number from 0 to" + " 2147483647",
                "max_batch_size: many | line 1: max_batch_size is many, expected a whole number from 0 to"
                        + " 2147483647",
                "max_batch_size: 99999999999 | line 1: max_batch_size is 99999999999, expected a whole number from 0"
                        + " to 2147483647",
                "max_batch_size { } | line 1: max_batch_size is a message, expected a value",
                "instance_group: 3 | line 1: instance_group is '3', expected a message in braces",
                "instance_group { kind: KIND_GPU } | line 1: kind is KIND_GPU, expected KIND_CPU or KIND_AUTO: models"
                        + " run on the CPU",
                "instance_group { count: 65 } | instance_group count is 65, expected from 1 to 64",
                "sequence_batching { } | line 1: sequence_batching came, expected none: models that keep state between"
                        + " requests are not served here",
                "ensemble_scheduling { } | line 1: ensemble_scheduling has no step, expected one at least",
                "platform: 'ensemble' | platform is 'ensemble', expected ensemble_scheduling with steps, too",
                "ensemble_scheduling { step { model_name: 'a' } } | ensemble_scheduling came, expected platform to be"
                        + " 'ensemble', too",
                "ensemble_scheduling { step { model_version: 1 } } | line 1: step has no model_name, expected one",
                "ensemble_scheduling { step { model_name: 'a' input_map { key: 'x' } } } | line 1: input_map is from"
                        + " 'x' to '', expected two names",
                "dynamic_batching { preferred_batch_size: 0 } | line 1: preferred_batch_size is 0, expected a whole"
                        + " number from 1 to 2147483647",
                "dynamic_batching { preferred_batch_size: [ 8, 4 ] } | preferred_batch_size is [8, 4], expected"
                        + " ascending numbers from 1 on",
                "max_batch_size: 4 dynamic_batching { preferred_batch_size: 8 } | preferred_batch_size is [8], expected"
                        + " none over max_batch_size, which is 4",
                "dynamic_batching { max_queue_delay_microseconds: 3600000001 } | line 1: max_queue_delay_microseconds"
                        + " is 3600000001, expected a whole number from 0 to 3600000000",
                "max_batch_size: 64 dynamic_batching { default_queue_policy { max_queue_size: 8 } } | max_queue_size"
                        + " is 8 rows, expected at least max_batch_size, which is 64",
                "parameters { key: 'intra_op_thread_count' value { string_value: 'two' } } | line 1: parameters"
                        + " 'intra_op_thread_count' is 'two', expected a number of threads",
                "parameters { key: 'objective.p99_ms' value { string_value: 'fast' } } | line 1: parameters"
                        + " 'objective.p99_ms' is 'fast', expected a number of milliseconds",
                "parameters { key: 'objective.p99_ms' value { string_value: '0' } } | objective.p99_ms is 0.0, expected"
                        + " more than 0 and at most 3600000",
                "dynamic_batching { max_queue_delay_microseconds: 5 } parameters { key: 'objective.p99_ms' value {"
                    + " string_value: '5' } } | objective.p99_ms came with max_queue_delay_microseconds, expected one"
                    + " of them: with an objective the runtime chooses",
                "input { dims: 4 } | line 1: input has no name, expected one",
                "input { name: 'x' reshape { shape: [ ] } } | line 1: reshape came, expected none: tensors are taken as"
                        + " the model has them",
                "input { name: 'x' dims: -2 } | line 1: dims is -2, expected a whole number of at least -1",
                "name: 'm | line 1: a string has no end",
                "dynamic_batching { default_queue_policy { timeout_action: DELAY } } | line 1: timeout_action is DELAY,"
                        + " expected REJECT: a request is not run after its deadline",
                "dynamic_batching { priority_queue_policy { key: 1 value { timeout_action: 1 } } } | line 1:"
                        + " timeout_action is 1, expected REJECT: a request is not run after its deadline",
                "dynamic_batching { priority_levels: 2 priority_queue_policy { key: 3 value { } } } |"
                        + " priority_queue_policy has the key 3, expected from 1 to priority_levels, which is 2",
                "max_batch_size: 8 dynamic_batching { priority_queue_policy { key: 1 value { max_queue_size: 4 } } } |"
                    + " priority_queue_policy max_queue_size is 4 rows, expected at least max_batch_size, which is 8",
                "version_policy { all { } latest { } } | line 1: version_policy has 2 policies, expected one of latest,"
                        + " all and specific",
                "version_policy { latest { num_versions: 0 } } | line 1: num_versions is 0, expected a whole number"
                        + " from 1 to 2147483647",
                "version_policy { specific { } } | version_policy.specific.versions is [], expected numbers from 1 on",
                "response_cache { enable: yes } | line 1: enable is yes, expected true or false",
            })
    void shouldRefuseWhatCannotBeHonoured(String text, String problem) {
        Path file = write(text);
        assertThatThrownBy(() -> ConfigFile.read(file, "m"))
                .isInstanceOf(ConfigFile.Invalid.class)
                .hasMessage(file + ": " + problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "input { name: 'z' } | input 'z' came, expected an input of the model, which has [x]",
                "output { name: 'z' } | output 'z' came, expected an output of the model, which has [y, label]",
                "input { name: 'x' data_type: TYPE_FP16 } | input 'x' has data_type TYPE_FP16, expected TYPE_FP32 as"
                        + " the model has it",
                "output { name: 'label' data_type: TYPE_FP32 } | output 'label' has data_type TYPE_FP32, expected"
                        + " TYPE_STRING as the model has it",
                "max_batch_size: 8 input { name: 'x' dims: 5 } | input 'x' has dims [5], expected [4] after the batch"
                        + " dimension, with max_batch_size 8, as the model has it",
                "max_batch_size: 8 input { name: 'x' dims: [ -1, 4 ] } | input 'x' has dims [-1, 4], expected [4] after"
                        + " the batch dimension, with max_batch_size 8, as the model has it",
                "max_batch_size: 0 input { name: 'x' dims: 4 } | input 'x' has dims [4], expected [-1, 4] as the model"
                        + " has it",
            })
    void shouldRefuseWhatContradictsTheModel(String text, String problem) {
        ConfigFile file = read(text);
        assertThatThrownBy(() -> file.check(INPUTS, OUTPUTS))
                .isInstanceOf(ConfigFile.Invalid.class)
                .hasMessage(temp.resolve("config.pbtxt") + ": " + problem);
    }

    @Test
    void shouldRefuseBatchesWhenTheModelHasNoBatchDimension() {
        List<ValueInfo> fixed = List.of(tensor("x", DataType.FP32, 5L, 4L));
        assertThatThrownBy(() -> read("max_batch_size: 8").check(fixed, OUTPUTS))
                .hasMessageEndingWith("max_batch_size is 8, expected 0: input 'x' of the model has the shape [5, 4],"
                        + " without a batch dimension");
        List<ValueInfo> scalar = List.of(tensor("x", DataType.FP32));
        assertThatThrownBy(() -> read("max_batch_size: 2").check(scalar, OUTPUTS))
                .hasMessageContaining("the shape []");
        assertThat(read("max_batch_size: 1").check(fixed, OUTPUTS)).isEmpty();
    }

    @Test
    void shouldSayWhichParametersHaveNoEffect() {
        ModelRepository.Entry entry = new ModelRepository.Entry(
                "m",
                List.of(version(1)),
                Optional.of(write("parameters { key: 'inter_op_thread_count' value { string_value: '4' } }")),
                Optional.empty());
        assertThat(ConfiguredModel.of(entry, ModelConfig.DEFAULT).warnings())
                .containsExactly(
                        "parameter 'inter_op_thread_count' of 4 has no effect without execution_mode 1: a run's"
                                + " operators follow one another");
        ModelConfig parallel = ModelConfig.DEFAULT.withParameter("execution_mode", "1");
        ConfiguredModel both = ConfiguredModel.of(entry, parallel);
        assertThat(both.warnings()).isEmpty();
        assertThat(both.settings(2).threads()).isEqualTo(2 + 4 - 1);
    }

    /// Whatever is in the file, it is read or refused with its name, and a wrong field with its line.
    @Test
    void shouldReadOrRefuseWhenTheFileIsDamaged() {
        SplittableRandom random = new SplittableRandom(20261122);
        Path file = temp.resolve("config.pbtxt");
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            String text = damaged(WHOLE, random);
            try {
                ConfigFile config = ConfigFile.of(file, text, "m");
                assertThat(config.config()).isNotNull();
                read++;
            } catch (ConfigFile.Invalid e) {
                assertThat(e).as(text).hasMessageStartingWith(file + ": ");
                assertThat(e.getMessage()).as(text).doesNotContain("null", "Exception");
                refused++;
            }
        }
        assertThat(read).isGreaterThan(100);
        assertThat(refused).isGreaterThan(100);
    }

    /// The text after one to three small edits.
    static String damaged(String whole, SplittableRandom random) {
        StringBuilder text = new StringBuilder(whole);
        String pieces = "{}[]<>:;,\"'#\\\n -019.exKtrue\u0000\u00e4\ud800";
        for (int edits = random.nextInt(1, 4); edits > 0 && !text.isEmpty(); edits--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
                case 0 -> text.deleteCharAt(at);
                case 1 -> text.insert(at, pieces.charAt(random.nextInt(pieces.length())));
                case 2 -> text.setLength(at + 1);
                default -> {
                    int from = random.nextInt(text.length());
                    int to = Math.min(text.length(), from + random.nextInt(40));
                    text.insert(at, text.substring(from, to));
                }
            }
        }
        return text.toString();
    }

    @Test
    void shouldTakeDimensionsEitherWayWhenTheFileDoesNotSayWhetherItBatches() {
        read("input { name: 'x' dims: 4 }").check(INPUTS, OUTPUTS);
        read("input { name: 'x' dims: [ -1, 4 ] }").check(INPUTS, OUTPUTS);
        ConfigFile narrower = read("input { name: 'x' dims: [ 16, 4 ] }");
        assertThat(narrower.check(INPUTS, OUTPUTS))
                .containsExactly(
                        "input 'x' has dims [16, 4], which has no effect where the model takes any size: [-1, 4]");
    }

    @Test
    void shouldWantAllInputsWhenItDeclaresAny() {
        ConfigFile file = read("input { name: 'x' }");
        List<ValueInfo> two = List.of(INPUTS.getFirst(), tensor("z", DataType.INT64, -1L));
        assertThatThrownBy(() -> file.check(two, OUTPUTS))
                .hasMessageEndingWith("the inputs are [x], expected all of the model's, [x, z]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | 7 | ``",
                "version_policy { } | 7 | ``",
                "version_policy { latest { } } | 7 | ``",
                "version_policy { latest { num_versions: 2 } } | 2 7 | ``",
                "version_policy { latest { num_versions: 9 } } | 1 2 7 | ``",
                "version_policy: { all { } } | 1 2 7 | ``",
                "version_policy { specific { versions: 2 } } | 2 | ``",
                "version_policy { specific { versions: [ 7, 1, 9, 3 ] } } | 1 7 | 3 9",
            })
    void shouldChooseTheVersionsThatThePolicyAllows(String text, String chosen, String missing) {
        List<Version> found = List.of(version(1), version(2), version(7));
        ModelRepository.Entry entry = new ModelRepository.Entry("m", found, Optional.of(write(text)), Optional.empty());

        ConfiguredModel model = ConfiguredModel.of(entry, ModelConfig.DEFAULT);

        assertThat(model.versions())
                .extracting(version -> Long.toString(version.number()))
                .isEqualTo(words(chosen));
        assertThat(model.missing())
                .extracting(version -> Long.toString(version))
                .isEqualTo(words(missing));
        ModelConfig program = ModelConfig.DEFAULT.withVersionPolicy(VersionPolicy.specific(2L));
        assertThat(ConfiguredModel.of(entry, program).versions()).containsExactly(version(2));
    }

    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(" "));
    }

    private Version version(long number) {
        return new Version(number, temp.resolve(Long.toString(number)));
    }

    @Test
    void shouldSayWhenTheFileIsNoText() throws IOException {
        Path file = Files.write(temp.resolve("config.pbtxt"), new byte[] {(byte) 0xff, (byte) 0xfe});
        assertThatThrownBy(() -> ConfigFile.read(file, "m")).hasMessage(file + " is no UTF-8 text");
        Path missing = temp.resolve("missing.pbtxt");
        assertThatThrownBy(() -> ConfigFile.read(missing, "m"))
                .isInstanceOf(ConfigFile.Invalid.class)
                .hasMessageStartingWith("cannot read " + missing);
    }

    @Test
    void shouldPutWhatTheProgramSaysFirst() {
        ModelConfig file =
                ModelConfig.DEFAULT.withMaxBatchSize(8).withInstanceCount(2).withMaxQueueDelay(Duration.ofMillis(1));
        ModelConfig program = ModelConfig.DEFAULT.withMaxBatchSize(16).withIntraOpThreads(2);

        assertThat(program.orElse(file))
                .isEqualTo(ModelConfig.DEFAULT
                        .withMaxBatchSize(16)
                        .withInstanceCount(2)
                        .withIntraOpThreads(2)
                        .withMaxQueueDelay(Duration.ofMillis(1)));
        ModelConfig objective = ModelConfig.DEFAULT.withObjectiveP99(Duration.ofMillis(5));
        assertThat(objective.orElse(file).maxQueueDelay()).isEmpty();
        assertThat(objective.orElse(file).objectiveP99()).contains(Duration.ofMillis(5));
        assertThat(file.orElse(objective).objectiveP99()).isEmpty();
        assertThat(file.orElse(objective).maxQueueDelay()).contains(Duration.ofMillis(1));
        assertThat(ModelConfig.DEFAULT
                        .withMaxQueueSize(32)
                        .withPreferredBatchSizes(4)
                        .orElse(objective))
                .isEqualTo(ModelConfig.DEFAULT.withMaxQueueSize(32).withPreferredBatchSizes(4));
    }

    @Test
    void shouldKeepWhatOnlyAFileSays() {
        ModelConfig.Details details = read("""
            output { name: "y" label_filename: "names.txt" }
            model_warmup { name: "w" batch_size: 3 count: 2 inputs { key: "x" value {
              data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "row" } } }
            """).config().details();

        assertThat(details.labelFiles()).isEqualTo(Map.of("y", "names.txt"));
        assertThat(details.warmUps())
                .containsExactly(new WarmUp(
                        "w", 3, 2, Map.of("x", new WarmUp.Input("TYPE_FP32", List.of(4L), WarmUp.Source.FILE, "row"))));
        assertThat(details.steps()).isEmpty();
        assertThat(ModelConfig.DEFAULT
                        .withMaxBatchSize(8)
                        .orElse(read("max_batch_size: 4").config())
                        .details())
                .isEqualTo(ModelConfig.Details.NONE);
    }

    @Test
    void shouldReadMapsOfStepsAsMappingsOfYaml() {
        String tensors = """
            max_batch_size: 8
            input [ { name: "in" data_type: TYPE_FP32 dims: [ 4 ] } ]
            output [ { name: "out" data_type: TYPE_FP32 dims: [ 1 ] } ]
            """;
        ConfigFile text = read("platform: 'ensemble' " + tensors + """
            ensemble_scheduling { step { model_name: "a" model_version: 2
              input_map { key: "x" value: "in" } input_map { key: "z" value: "in" }
              output_map { key: "y" value: "out" } } }
            """);
        ConfigFile yaml = ConfigFile.of(temp.resolve("model.yaml"), """
            platform: ensemble
            max_batch_size: 8
            input: [{ name: in, data_type: TYPE_FP32, dims: [4] }]
            output: [{ name: out, data_type: TYPE_FP32, dims: [1] }]
            ensemble_scheduling:
              step:
                - model_name: a
                  model_version: 2
                  input_map: { x: in, z: in }
                  output_map: { y: out }
            """, "m");

        assertThat(yaml.ensemble()).isPresent().isEqualTo(text.ensemble());
        assertThat(yaml.config().details()).isEqualTo(text.config().details());
        assertThat(yaml.config().details().maxBatchSize()).isEqualTo(8);
        assertThat(yaml.config().details().steps().getFirst().inputs()).isEqualTo(Map.of("x", "in", "z", "in"));
    }
}
