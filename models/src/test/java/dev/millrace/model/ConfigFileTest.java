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
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
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

    @Test
    void shouldReadEveryFieldThatCounts() {
        ConfigFile file = read("""
            name: "m"
            platform: "onnxruntime_onnx"
            backend: "onnxruntime"
            default_model_filename: "model.onnx"
            max_batch_size: 64
            input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
            output [
              { name: "y" data_type: TYPE_FP32 dims: [ 1 ] },
              { name: "label" data_type: TYPE_STRING dims: [ ] }
            ]
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
              preserve_ordering: false
            }
            parameters { key: "scheduling.weight" value: { string_value: "4" } }
            parameters { key: "breaker.failures" value: { string_value: "0" } }
            parameters { key: "memory.limit_bytes" value: { string_value: "5000000000" } }
            parameters { key: "intra_op_thread_count" value: { string_value: "3" } }
            parameters { key: "inter_op_thread_count" value { string_value: "1" } }
            """);

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
                        OptionalLong.of(5_000_000_000L)));
        file.check(INPUTS, OUTPUTS);
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
            optimization { graph { level: 1 } }
            nonsense: 3
            dynamic_batching { default_queue_policy { timeout_action: 1 } preserve_ordering: true }
            instance_group { gpus: [ 0 ] }
            input { name: "x" dims: 4 format: FORMAT_NONE optional: true }
            parameters { key: "session.x" value { string_value: "1" } }
            parameters { key: "inter_op_thread_count" value { string_value: "4" } }
            version_policy { latest { num_versions: 3 } }
            """);

        assertThat(file.warnings())
                .containsExactly(
                        "field 'optimization' (line 2) is not known and has no effect",
                        "field 'nonsense' (line 3) is not known and has no effect",
                        "field 'dynamic_batching.default_queue_policy.timeout_action' (line 4) is not known and has no"
                                + " effect",
                        "field 'dynamic_batching.preserve_ordering' (line 4) is not known and has no effect",
                        "field 'instance_group.gpus' (line 5) is not known and has no effect",
                        "field 'input.format' (line 6) is not known and has no effect",
                        "field 'input.optional' (line 6) is not known and has no effect",
                        "parameter 'session.x' (line 7) is not known and has no effect",
                        "parameter 'inter_op_thread_count' of 4 has no effect: a run's operators follow one another",
                        "version_policy.latest.num_versions of 3 has no effect: the latest version is served");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "name: 'other' | line 1: name is 'other', expected 'm', the name of the model's folder",
                "platform: 'tensorrt_plan' | line 1: platform is 'tensorrt_plan', expected 'onnxruntime_onnx', the only"
                        + " platform here",
                "backend: 'python' | line 1: backend is 'python', expected 'onnxruntime', the only backend here",
                "default_model_filename: 'a.onnx' | line 1: default_model_filename is 'a.onnx', expected 'model.onnx',"
                        + " the only file name here",
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
                "sequence_batching { } | line 1: sequence_batching came, expected none: such models are not served"
                        + " here",
                "ensemble_scheduling { } | line 1: ensemble_scheduling came, expected none: such models are not served"
                        + " here",
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
                        + " dimension as the model has it",
                "max_batch_size: 8 input { name: 'x' dims: [ -1, 4 ] } | input 'x' has dims [-1, 4], expected [4] after"
                        + " the batch dimension as the model has it",
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
    void shouldTakeDimensionsEitherWayWhenTheFileDoesNotSayWhetherItBatches() {
        read("input { name: 'x' dims: 4 }").check(INPUTS, OUTPUTS);
        read("input { name: 'x' dims: [ -1, 4 ] }").check(INPUTS, OUTPUTS);
        ConfigFile narrower = read("input { name: 'x' dims: [ 16, 4 ] }");
        narrower.check(INPUTS, OUTPUTS);
        assertThat(narrower.warnings())
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

    @Test
    void shouldChooseTheLatestVersionThatThePolicyAllows() {
        List<Version> found = List.of(version(1), version(2), version(7));
        assertThat(read("").choose(found).number()).isEqualTo(7);
        assertThat(read("version_policy: { all { } }").choose(found).number()).isEqualTo(7);
        assertThat(read("version_policy { specific { versions: 2 } }")
                        .choose(found)
                        .number())
                .isEqualTo(2);
        assertThat(read("version_policy { specific { versions: [ 1, 2 ] } }")
                        .choose(found)
                        .number())
                .isEqualTo(2);
        ConfigFile missing = read("version_policy { specific { versions: [ 3, 9 ] } }");
        assertThatThrownBy(() -> missing.choose(found))
                .hasMessageEndingWith(
                        "version_policy.specific names [3, 9], expected one of those in the folder, [1, 2, 7]");
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
}
