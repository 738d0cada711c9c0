// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static dev.millrace.ort.OrtRuntime.Binding.JAVA;
import static dev.millrace.ort.OrtRuntime.Binding.NATIVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NoLeaks;
import dev.millrace.memory.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whole tensors by the C API and by ONNX Runtime's Java API: both must give the same.
@ExtendWith(NoLeaks.class)
class TensorRunnersTest {
    private static final long SEED = 20261122;

    @ParameterizedTest
    @EnumSource
    void shouldGiveTheSameByBothBindingsForEveryDatatype(DataType type) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 40; round++) {
            long[] shape = {random.nextInt(6), random.nextInt(5)};
            Consumer<Tensor[]> fill = inputs -> TestModels.fill(inputs[0].reshape(shape), new SplittableRandom(SEED));
            List<Object> expected = answer(TestModels.identity(type), NATIVE, fill, true);
            if (TestModels.isInJavaApi(type)) {
                assertThat(answer(TestModels.identity(type), JAVA, fill, true))
                        .as("%s%s, seed %d, round %d", type, Arrays.toString(shape), SEED, round)
                        .isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UINT16", "UINT32", "UINT64"})
    void shouldSayThatOnlyTheNativeBindingTakesThem(DataType type) {
        assertThatThrownBy(() -> answer(TestModels.identity(type), JAVA, inputs -> inputs[0].reshape(1, 1), true))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("'x'")
                .hasMessageContaining(type.name())
                .hasMessageContaining("C API");
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeScalars(OrtRuntime.Binding binding) {
        assertThat(answer(
                        "identity_rank0", binding, inputs -> inputs[0].reshape().setFloat(0, 3.5f), false))
                .containsExactly("y[]", 3.5);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeRankFive(OrtRuntime.Binding binding) {
        Consumer<Tensor[]> fill = inputs -> {
            inputs[0].reshape(2, 1, 3, 2, 2);
            for (int i = 0; i < 24; i++) {
                inputs[0].setFloat(i, i);
            }
        };

        List<Object> answer = answer("identity_rank5", binding, fill, false);

        assertThat(answer)
                .startsWith("y[2, 1, 3, 2, 2]", 0.0, 1.0)
                .endsWith(23.0)
                .hasSize(25);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeTensorsWithoutElements(OrtRuntime.Binding binding) {
        assertThat(answer("identity_fp32", binding, inputs -> inputs[0].reshape(0, 3), false))
                .containsExactly("y[0, 3]");
        assertThat(answer("identity_fp32", binding, inputs -> inputs[0].reshape(3, 0), false))
                .containsExactly("y[3, 0]");
        assertThat(answer("identity_bytes", binding, inputs -> inputs[0].reshape(0, 3), false))
                .containsExactly("y[0, 3]");
        assertThat(answer("identity_rank5", binding, inputs -> inputs[0].reshape(1, 2, 0, 4, 5), false))
                .containsExactly("y[1, 2, 0, 4, 5]");
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepStringsOfEveryKind(OrtRuntime.Binding binding) {
        String[] texts = {"", "a", "", "grüße", "世界", "tab\tline\n", "x".repeat(10_000), ""};
        Consumer<Tensor[]> fill = inputs -> {
            inputs[0].reshape(2, 4);
            for (int i = 0; i < texts.length; i++) {
                inputs[0].setString(i, texts[i]);
            }
        };

        List<Object> expected = new ArrayList<>(List.of("y[2, 4]"));
        expected.addAll(Arrays.asList(texts));
        assertThat(answer("identity_bytes", binding, fill, false)).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource
    void shouldShowStringsToTheModelAsUtf8(OrtRuntime.Binding binding) {
        String[] texts = {binding == NATIVE ? "🚂" : "x", "世界", "ö", "", "o"};
        Consumer<Tensor[]> fill = inputs -> {
            inputs[0].reshape(5);
            for (int i = 0; i < texts.length; i++) {
                inputs[0].setString(i, texts[i]);
            }
        };

        assertThat(answer("labels", binding, fill, false))
                .containsExactly("y[5]", binding == NATIVE ? 4L : -1L, 3L, 2L, 1L, -1L);
    }

    @Test
    void shouldKeepCharactersOfFourBytes() {
        assertThat(answer(
                        "identity_bytes",
                        NATIVE,
                        inputs -> inputs[0].reshape(1, 1).setString(0, "🚂!"),
                        false))
                .containsExactly("y[1, 1]", "🚂!");
    }

    /// ONNX Runtime's Java API would write them as two surrogates, and the model would read something else.
    @Test
    void shouldRefuseCharactersOfFourBytesWhenTheJavaApiWouldGarbleThem() {
        assertThatThrownBy(() ->
                        answer("labels", JAVA, inputs -> inputs[0].reshape(1).setString(0, "a🚂"), false))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("'x': string 0")
                .hasMessageContaining("U+1F682");
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseStringsThatWouldBeCut(OrtRuntime.Binding binding) {
        assertThatThrownBy(() -> answer(
                        "identity_bytes",
                        binding,
                        inputs -> inputs[0].reshape(1, 1).setString(0, "a\0b"),
                        false))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("'x'")
                .hasMessageContaining("NUL");
    }

    @Test
    void shouldGiveNewStringsWhenARunFollowsAnother() {
        try (OnnxSession session = TestModels.open("identity_bytes", NATIVE);
                TensorRunner runner = session.tensorRunner()) {
            Tensor[] inputs = TestModels.tensors(session.inputs());
            Tensor[] outputs = TestModels.tensors(session.outputs());
            inputs[0].reshape(1, 2).setString(0, "one");
            inputs[0].setString(1, "two");
            runner.run(inputs, outputs);
            byte[] kept = outputs[0].getBytes(0);
            inputs[0].setString(0, "three");
            inputs[0].reshape(1, 1);
            runner.run(inputs, outputs);

            assertThat(outputs[0].getString(0)).isEqualTo("three");
            assertThat(outputs[0].elementCount()).isEqualTo(1);
            assertThat(new String(kept, StandardCharsets.UTF_8)).isEqualTo("one");
            TestModels.close(inputs);
            TestModels.close(outputs);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldGiveEveryOutputInTheModelsOrder(OrtRuntime.Binding binding) {
        Consumer<Tensor[]> fill = inputs -> {
            inputs[0].reshape(1, 2).putFloats(new float[] {1, 2});
            inputs[1].reshape(1, 2).putFloats(new float[] {10, 20});
        };

        assertThat(answer("two_in_two_out", binding, fill, false))
                .containsExactly("sum[1, 2]", 11.0, 22.0, "both[1, 4]", 1.0, 2.0, 10.0, 20.0);
    }

    @Test
    void shouldGiveTheSameByBothBindingsForRealArithmetic() {
        for (int rows : new int[] {1, 2, 7, 33}) {
            Consumer<Tensor[]> fill = inputs -> {
                SplittableRandom random = new SplittableRandom(SEED);
                inputs[0].reshape(rows, 4);
                for (int i = 0; i < 4 * rows; i++) {
                    inputs[0].setReal(i, random.nextDouble(-3, 3));
                }
            };
            assertThat(answer("mlp", JAVA, fill, true))
                    .as("seed %d, %d rows", SEED, rows)
                    .isEqualTo(answer("mlp", NATIVE, fill, true));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTurnSequencesOfMapsIntoRows(OrtRuntime.Binding binding) {
        Consumer<Tensor[]> fill = inputs -> inputs[0].reshape(2, 3).putFloats(new float[] {1, 2, 3, 4, 5, 6});

        assertThat(answer("zipmap_int64s", binding, fill, false))
                .containsExactly("maps[2, 3]", 2.0, 1.0, 3.0, 5.0, 4.0, 6.0, List.of(-3L, 7L, 12L));
        assertThat(answer("zipmap_strings", binding, fill, false))
                .containsExactly("maps[2, 3]", 2.0, 1.0, 3.0, 5.0, 4.0, 6.0, List.of("ja", "no", "ö"));
    }

    @ParameterizedTest
    @EnumSource
    void shouldStackSequencesOfTensors(OrtRuntime.Binding binding) {
        Consumer<Tensor[]> numbers = inputs -> inputs[0].reshape(3, 2).putFloats(new float[] {1, 2, 3, 4, 5, 6});
        assertThat(answer("split_fp32", binding, numbers, false))
                .containsExactly("parts[3, 1, 2]", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0);

        Consumer<Tensor[]> texts = inputs -> {
            inputs[0].reshape(2, 1).setString(0, "ja");
            inputs[0].setString(1, "");
        };
        assertThat(answer("split_bytes", binding, texts, false)).containsExactly("parts[2, 1, 1]", "ja", "");
    }

    @ParameterizedTest
    @EnumSource
    void shouldSayWhyWhenSequenceHasTensorsOfDifferentShapes(OrtRuntime.Binding binding) {
        Consumer<Tensor[]> fill = inputs -> inputs[0].reshape(3, 1);

        assertThatThrownBy(() -> answer("split_fp32_by2", binding, fill, false))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("parts")
                .hasMessageContaining("[2, 1] and [1, 1]");
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeUsableWhenARunHasFailed(OrtRuntime.Binding binding) {
        try (OnnxSession session = TestModels.open("gather", binding);
                TensorRunner runner = session.tensorRunner()) {
            Tensor[] inputs = TestModels.tensors(session.inputs());
            Tensor[] outputs = TestModels.tensors(session.outputs());
            for (int round = 0; round < 2; round++) {
                inputs[0].reshape(1, 1).setLong(0, 77);
                assertThatThrownBy(() -> runner.run(inputs, outputs))
                        .isInstanceOf(OrtFailure.class)
                        .hasMessageContaining("77");
                inputs[0].setLong(0, 2);
                runner.run(inputs, outputs);
                assertThat(outputs[0].getFloat(0)).isEqualTo(12);
            }
            TestModels.close(inputs);
            TestModels.close(outputs);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSayWhatIsWrongWhenTypeOrRankIs(OrtRuntime.Binding binding) {
        try (OnnxSession session = TestModels.open("identity_fp32", binding);
                TensorRunner runner = session.tensorRunner();
                Tensor wrongType = new Tensor(MemoryTag.CALL, DataType.INT32).reshape(1, 1);
                Tensor wrongRank = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1, 1, 1);
                Tensor right = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1, 1);
                Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            Tensor[] outputs = {output};

            assertThatThrownBy(() -> runner.run(new Tensor[] {wrongType}, outputs))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining("x");
            assertThatThrownBy(() -> runner.run(new Tensor[] {wrongRank}, outputs))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining("rank");
            runner.run(new Tensor[] {right}, outputs);
            assertThat(output.shape()).containsExactly(1, 1);
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenThereAreTooManyDimensions() {
        assumeTrue(OrtRuntime.binding() == NATIVE, "without the C API there is no limit of ours");
        try (OnnxSession session = TestModels.open("any_rank", NATIVE);
                TensorRunner runner = session.tensorRunner();
                Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32);
                Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            long[] shape = new long[33];
            Arrays.fill(shape, 1);
            input.reshape(shape);
            assertThatThrownBy(() -> runner.run(new Tensor[] {input}, new Tensor[] {output}))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining("33 dimensions");

            input.reshape(shape, 32).setFloat(0, 3);
            runner.run(new Tensor[] {input}, new Tensor[] {output});
            assertThat(output.rank()).isEqualTo(32);
            assertThat(output.getFloat(0)).isEqualTo(3);
        }
    }

    /// Runs a model; per output its name and shape, its elements, and its keys if there are some.
    ///
    /// @param bits whether elements are compared by their bits
    private static List<Object> answer(
            String model, OrtRuntime.Binding binding, Consumer<Tensor[]> fill, boolean bits) {
        try (OnnxSession session = TestModels.open(model, binding);
                TensorRunner runner = session.tensorRunner()) {
            Tensor[] inputs = TestModels.tensors(session.inputs());
            Tensor[] outputs = TestModels.tensors(session.outputs());
            try {
                fill.accept(inputs);
                runner.run(inputs, outputs);
                List<Object> answer = new ArrayList<>();
                for (int i = 0; i < outputs.length; i++) {
                    answer.add(session.outputs().get(i).name() + Arrays.toString(outputs[i].shape()));
                    addElements(outputs[i], bits, answer);
                }
                return answer;
            } finally {
                TestModels.close(inputs);
                TestModels.close(outputs);
            }
        }
    }

    private static void addElements(Tensor tensor, boolean bits, List<Object> answer) {
        if (bits && tensor.datatype().isNumeric()) {
            byte[] bytes = tensor.data().asSlice(0, tensor.byteSize()).toArray(ValueLayout.JAVA_BYTE);
            answer.add(Arrays.toString(bytes));
            return;
        }
        for (int i = 0; i < tensor.elementCount(); i++) {
            answer.add(
                    switch (tensor.datatype()) {
                        case BYTES -> tensor.getString(i);
                        case FP32, FP64 -> tensor.getReal(i);
                        default -> tensor.getLong(i);
                    });
        }
        if (!tensor.keys().isEmpty()) {
            answer.add(tensor.keys());
        }
    }
}
