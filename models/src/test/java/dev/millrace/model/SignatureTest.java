// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SignatureTest {
    private long used;

    @BeforeEach
    void measureMemory() {
        used = NativeMemory.used();
    }

    @AfterEach
    void memoryIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(used);
    }

    private static TensorSpec spec(Long... shape) {
        return new TensorSpec("x", DataType.FP32, List.of(shape));
    }

    private static boolean fits(TensorSpec spec, Tensor tensor) {
        return tensor.fits(spec.shape().stream().mapToLong(Long::longValue).toArray());
    }

    private static boolean accepts(TensorSpec spec, long... shape) {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            return fits(spec, tensor.reshape(shape));
        }
    }

    @Test
    void shouldAcceptWhatFitsTheShape() {
        assertThat(accepts(spec(2L, 3L), 2, 3)).isTrue();
        assertThat(accepts(spec(-1L, 3L), 7, 3)).isTrue();
        assertThat(accepts(spec(-1L, 3L), 0, 3)).isTrue();
        assertThat(accepts(spec(-1L, -1L), 4, 5)).isTrue();
        assertThat(accepts(spec())).as("scalar").isTrue();
    }

    @Test
    void shouldNotAcceptAnotherRankOrSize() {
        assertThat(accepts(spec(2L, 3L), 3, 2)).isFalse();
        assertThat(accepts(spec(2L, 3L), 6)).isFalse();
        assertThat(accepts(spec(2L, 3L), 2, 3, 1)).isFalse();
        assertThat(accepts(spec(-1L, 3L), 2, 4)).isFalse();
        assertThat(accepts(spec(-1L))).isFalse();
        assertThat(accepts(spec(), 1)).isFalse();
        assertThat(accepts(spec(0L), 1)).isFalse();
    }

    @Test
    void shouldNotAcceptATensorWithoutShape() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            assertThat(fits(spec(), tensor)).isFalse();
            assertThat(fits(spec(-1L), tensor)).isFalse();
            tensor.reshape(3).clear();
            assertThat(fits(spec(-1L), tensor)).isFalse();
        }
    }

    @Test
    void shouldCountElementsWhereTheShapeIsFixed() {
        assertThat(spec(2L, 3L, 4L).elementCount()).isEqualTo(24);
        assertThat(spec().elementCount()).isEqualTo(1);
        assertThat(spec(0L, 4L).elementCount()).isZero();
        assertThat(spec(-1L, 4L).elementCount()).isEqualTo(-1);
        assertThatThrownBy(() -> spec(1L << 32, 1L << 32).elementCount()).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void shouldBeImmutable() {
        List<Long> shape = new ArrayList<>(List.of(1L));
        TensorSpec spec = new TensorSpec("x", DataType.INT8, shape);
        List<TensorSpec> specs = new ArrayList<>(List.of(spec));
        Signature signature = new Signature(specs, specs);
        shape.clear();
        specs.clear();

        assertThat(spec.shape()).containsExactly(1L);
        assertThat(signature.inputs()).containsExactly(spec);
        assertThat(signature.outputs()).containsExactly(spec);
    }

    @Test
    void shouldRefuseNulls() {
        assertThatNullPointerException().isThrownBy(() -> new TensorSpec(null, DataType.FP32, List.of()));
        assertThatNullPointerException().isThrownBy(() -> new TensorSpec("x", null, List.of()));
        assertThatNullPointerException().isThrownBy(() -> new TensorSpec("x", DataType.FP32, null));
        assertThatNullPointerException().isThrownBy(() -> new Signature(null, List.of()));
    }

    @Test
    void shouldFindTensorsByName() {
        TensorSpec a = new TensorSpec("a", DataType.FP32, List.of());
        TensorSpec b = new TensorSpec("b", DataType.FP32, List.of());
        Signature signature = new Signature(List.of(a, b), List.of(b));

        assertThat(signature.inputIndex("b")).isEqualTo(1);
        assertThat(signature.inputIndex("B")).isEqualTo(-1);
        assertThat(signature.outputIndex("b")).isZero();
        assertThat(signature.outputIndex("a")).isEqualTo(-1);
    }
}
