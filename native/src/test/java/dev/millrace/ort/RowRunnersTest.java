// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static dev.millrace.ort.OrtRuntime.Binding.JAVA;
import static dev.millrace.ort.OrtRuntime.Binding.NATIVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NoLeaks;
import dev.millrace.memory.OffHeapRegion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/// Rows by the C API and by ONNX Runtime's Java API: both must write the same into the same rows, and into no other.
@ExtendWith(NoLeaks.class)
class RowRunnersTest {
    private static final long SEED = 20261122;
    private static final int CAPACITY = 16;

    /// A session with regions for its rows and a runner over them.
    private static final class Rows implements AutoCloseable {
        private final OnnxSession session;
        private final List<RowTensor> inputs = new ArrayList<>();
        private final List<RowTensor> outputs = new ArrayList<>();
        private final RowRunner runner;

        /// @param columns of each input, then of each output; 0 where a row is a scalar
        Rows(String model, OrtRuntime.Binding binding, int... columns) {
            session = TestModels.open(model, binding);
            int next = 0;
            for (ValueInfo input : session.inputs()) {
                inputs.add(rows(input, columns[next++]));
            }
            for (ValueInfo output : session.outputs()) {
                outputs.add(rows(output, columns[next++]));
            }
            runner = session.rowRunner(inputs, outputs);
        }

        private static RowTensor rows(ValueInfo value, int columns) {
            List<Long> shape = columns == 0 ? List.of() : List.of((long) columns);
            long bytes =
                    (long) CAPACITY * Math.max(1, columns) * value.datatype().byteSize();
            OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.RING, bytes);
            return new RowTensor(value.name(), value.datatype(), shape, region);
        }

        void fillInputs(SplittableRandom random) {
            for (RowTensor input : inputs) {
                MemorySegment memory = input.region().segment();
                for (long i = 0; i < memory.byteSize(); i++) {
                    boolean flag = input.datatype() == DataType.BOOL;
                    memory.set(ValueLayout.JAVA_BYTE, i, (byte) (flag ? random.nextInt(2) : random.nextInt()));
                }
            }
        }

        List<byte[]> outputBytes() {
            return outputs.stream()
                    .map(output -> output.region().segment().toArray(ValueLayout.JAVA_BYTE))
                    .toList();
        }

        void poisonOutputs() {
            outputs.forEach(output -> output.region().segment().fill((byte) 0x5a));
        }

        @Override
        public void close() {
            runner.close();
            inputs.forEach(input -> input.region().close());
            outputs.forEach(output -> output.region().close());
            session.close();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "BYTES")
    void shouldWriteTheRowsOfTheSliceAndNoOthers(DataType type) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Rows rows = new Rows(TestModels.identity(type), NATIVE, 3, 3)) {
            for (int round = 0; round < 50; round++) {
                int first = random.nextInt(CAPACITY);
                int count = random.nextInt(1, CAPACITY - first + 1);
                rows.fillInputs(random);
                rows.poisonOutputs();

                rows.runner.run(first, count);

                byte[] in = rows.inputs.getFirst().region().segment().toArray(ValueLayout.JAVA_BYTE);
                byte[] out = rows.outputBytes().getFirst();
                int rowBytes = 3 * type.byteSize();
                for (int i = 0; i < out.length; i++) {
                    boolean written = i >= first * rowBytes && i < (first + count) * rowBytes;
                    assertThat(out[i])
                            .as("seed %d, round %d, rows %d+%d, byte %d", SEED, round, first, count, i)
                            .isEqualTo(written ? in[i] : (byte) 0x5a);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"BYTES", "UINT16", "UINT32", "UINT64"})
    void shouldWriteTheSameByBothBindingsForEveryDatatype(DataType type) {
        compare(TestModels.identity(type), 3, 3);
    }

    @Test
    void shouldWriteTheSameByBothBindingsForModelsThatCalculate() {
        compare("mlp", 4, 3, 0);
        compare("two_in_two_out", 2, 2, 2, 4);
    }

    private static void compare(String model, int... columns) {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Rows java = new Rows(model, JAVA, columns);
                Rows nativeRows = new Rows(model, NATIVE, columns)) {
            for (int round = 0; round < 30; round++) {
                int first = random.nextInt(CAPACITY);
                int count = random.nextInt(1, CAPACITY - first + 1);
                long inputs = random.nextLong();
                for (Rows rows : List.of(java, nativeRows)) {
                    rows.fillInputs(new SplittableRandom(inputs));
                    rows.poisonOutputs();
                    rows.runner.run(first, count);
                }
                for (int i = 0; i < columns.length - java.inputs.size(); i++) {
                    assertThat(nativeRows.outputBytes().get(i))
                            .as("%s, seed %d, round %d, rows %d+%d, output %d", model, SEED, round, first, count, i)
                            .isEqualTo(java.outputBytes().get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UINT16", "UINT32", "UINT64"})
    void shouldSayThatOnlyTheNativeBindingTakesThem(DataType type) {
        try (Rows rows = new Rows(TestModels.identity(type), JAVA, 3, 3)) {
            assertThatThrownBy(() -> rows.runner.run(0, 1))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining(type.name());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeUsableWhenARunHasFailed(OrtRuntime.Binding binding) {
        try (Rows rows = new Rows("gather", binding, 1, 1)) {
            MemorySegment index = rows.inputs.getFirst().region().segment();
            MemorySegment value = rows.outputs.getFirst().region().segment();
            for (int round = 0; round < 2; round++) {
                index.setAtIndex(ValueLayout.JAVA_LONG, 1, -5);
                assertThatThrownBy(() -> rows.runner.run(0, 2))
                        .isInstanceOf(OrtFailure.class)
                        .hasMessageContaining("-5");
                index.setAtIndex(ValueLayout.JAVA_LONG, 1, 3);
                rows.runner.run(0, 2);
                assertThat(value.getAtIndex(ValueLayout.JAVA_FLOAT, 1)).isEqualTo(13);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailWhenRowsAreNotWhatTheModelGives(OrtRuntime.Binding binding) {
        try (Rows rows = new Rows("mlp", binding, 4, 2, 0)) {
            assertThatThrownBy(() -> rows.runner.run(0, 1)).isInstanceOf(OrtFailure.class);
        }
        try (Rows rows = new Rows("mlp", binding, 5, 3, 0)) {
            assertThatThrownBy(() -> rows.runner.run(0, 1))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining("x");
        }
    }

    @Test
    void shouldRefuseRowsWithoutFixedSize() {
        try (OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.RING, 8)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new RowTensor("x", DataType.BYTES, List.of(1L), region));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new RowTensor("x", DataType.FP32, List.of(2L, -1L), region));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new RowTensor("x", DataType.FP32, List.of(0L), region));
            assertThat(new RowTensor("x", DataType.FP64, List.of(2L, 3L), region).rowBytes())
                    .isEqualTo(48);
            assertThat(new RowTensor("x", DataType.FP16, List.of(), region).rowBytes())
                    .isEqualTo(2);
        }
    }
}
