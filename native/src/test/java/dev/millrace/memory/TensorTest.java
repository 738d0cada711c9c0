// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

@ExtendWith(NoLeaks.class)
class TensorTest {
    @Test
    void shouldHaveNoShapeWhenMade() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            assertThat(tensor.hasShape()).isFalse();
            assertThat(tensor.rank()).isZero();
            assertThat(tensor.elementCount()).isZero();
            assertThat(tensor.shape()).isEmpty();
            assertThat(tensor).hasToString("FP32[no shape]");
            assertThatThrownBy(() -> tensor.dim(0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> tensor.getFloat(0)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void shouldHaveOneElementWhenScalar() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.INT64).reshape()) {
            assertThat(tensor.hasShape()).isTrue();
            assertThat(tensor.rank()).isZero();
            assertThat(tensor.elementCount()).isEqualTo(1);
            assertThat(tensor.byteSize()).isEqualTo(8);
            assertThat(tensor.getLong(0)).isZero();
        }
    }

    @Test
    void shouldKeepElementsWhenReshaped() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.INT32).reshape(2, 3)) {
            for (int i = 0; i < 6; i++) {
                tensor.setLong(i, i + 1);
            }
            tensor.reshape(3, 1, 2);
            assertThat(longs(tensor)).containsExactly(1, 2, 3, 4, 5, 6);

            tensor.reshape(2);
            tensor.reshape(1, 2, 3, 4, 5);

            assertThat(tensor.shape()).containsExactly(1, 2, 3, 4, 5);
            assertThat(longs(tensor))
                    .startsWith(1, 2, 3, 4, 5, 6)
                    .endsWith(0, 0)
                    .hasSize(120);
        }
    }

    @Test
    void shouldZeroOnlyNewMemoryWhenItGrowsAtRandom() {
        long seed = 20261122;
        SplittableRandom random = new SplittableRandom(seed);
        try (Tensor tensor = new Tensor(MemoryTag.RING, DataType.INT16)) {
            short[] expected = new short[400];
            for (int step = 0; step < 300; step++) {
                int rows = random.nextInt(20);
                int columns = random.nextInt(20);
                tensor.reshape(rows, columns);
                for (int i = 0; i < rows * columns; i++) {
                    assertThat(tensor.getLong(i))
                            .as("seed %d, step %d, element %d", seed, step, i)
                            .isEqualTo(expected[i]);
                }
                if (rows * columns > 0) {
                    int index = random.nextInt(rows * columns);
                    expected[index] = (short) random.nextInt();
                    tensor.setLong(index, expected[index]);
                }
            }
        }
    }

    @Test
    void shouldNotShrinkMemoryWhenShapeShrinks() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP64).reshape(100)) {
            long address = tensor.address();
            long used = NativeMemory.used(MemoryTag.CALL);

            tensor.reshape(1).reshape(10, 10).reshape(0);

            assertThat(tensor.address()).isEqualTo(address);
            assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(used);
        }
    }

    @Test
    void shouldChangeLeadingDimensionOnly() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1, 2, 3)) {
            assertThat(tensor.rows(5).shape()).containsExactly(5, 2, 3);
            assertThat(tensor.rows(5).elementCount()).isEqualTo(30);
            assertThat(tensor.rows(0).elementCount()).isZero();
            assertThatIllegalArgumentException().isThrownBy(() -> tensor.rows(-1));
            assertThat(tensor.shape()).containsExactly(0, 2, 3);
        }
    }

    @Test
    void shouldRefuseRowsWhenThereIsNoLeadingDimension() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            tensor.reshape(5).reshape();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> tensor.rows(5))
                    .withMessageContaining("scalar");

            tensor.reshape(5).clear();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> tensor.rows(5))
                    .withMessageContaining("no rows");
        }
    }

    @Test
    void shouldRefuseShapesThatCannotBe() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(2)) {
            tensor.setFloat(1, 7);
            long[][] shapes = {
                {-1},
                {3, -2},
                {0, -1},
                {Long.MIN_VALUE},
                {Long.MAX_VALUE},
                {1L << 62},
                {1L << 61, 1},
                {1L << 32, 1L << 32},
                {1L << 31, 1L << 31, 4},
                {3, Long.MAX_VALUE / 2},
                {2, 0, 1L << 62},
                {1L << 62, 0},
            };
            for (long[] shape : shapes) {
                assertThatIllegalArgumentException().isThrownBy(() -> tensor.reshape(shape));
            }
            assertThat(tensor.shape()).containsExactly(2);
            assertThat(tensor.getFloat(1)).isEqualTo(7);
        }
    }

    @Test
    void shouldRefuseTooManyStrings() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.BYTES)) {
            assertThatIllegalArgumentException().isThrownBy(() -> tensor.reshape(1L << 20, 1L << 20));
        }
    }

    @Test
    void shouldStayAsItWasWhenThereIsNoMemory() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.INT8).reshape(3)) {
            tensor.setLong(2, 9);
            assertThatThrownBy(() -> tensor.reshape(1L << 60)).isInstanceOf(OutOfMemoryError.class);

            assertThat(tensor.shape()).containsExactly(3);
            assertThat(longs(tensor)).containsExactly(0, 0, 9);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"BYTES", "FP32", "FP64"})
    void shouldGiveBackIntegersWithTheirSign(DataType type) {
        int bits = type.byteSize() * 8;
        boolean signed = type.name().startsWith("INT");
        long[] values = {
            0, 1, -1, 127, 128, 255, 256, 32767, 32768, 65535, 1L << 31, -1L << 31, Long.MIN_VALUE, Long.MAX_VALUE
        };
        try (Tensor tensor = new Tensor(MemoryTag.CALL, type).reshape(values.length)) {
            for (int i = 0; i < values.length; i++) {
                tensor.setLong(i, values[i]);
            }
            for (int i = 0; i < values.length; i++) {
                int shift = Long.SIZE - bits;
                long expected = signed ? (values[i] << shift) >> shift : (values[i] << shift) >>> shift;
                assertThat(tensor.getLong(i)).as("%s of %d", type, values[i]).isEqualTo(expected);
            }
            assertThat(tensor.byteSize()).isEqualTo((long) values.length * type.byteSize());
        }
    }

    @Test
    void shouldGiveBackUnsigned64AsItsBits() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.UINT64).reshape(2)) {
            tensor.setLong(0, Long.parseUnsignedLong("18446744073709551615"));
            tensor.setLong(1, Long.parseUnsignedLong("9223372036854775808"));

            assertThat(Long.toUnsignedString(tensor.getLong(0))).isEqualTo("18446744073709551615");
            assertThat(Long.toUnsignedString(tensor.getLong(1))).isEqualTo("9223372036854775808");
        }
    }

    @Test
    void shouldGiveBackFloatsBitForBit() {
        long seed = 7;
        SplittableRandom random = new SplittableRandom(seed);
        try (Tensor floats = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1000);
                Tensor doubles = new Tensor(MemoryTag.CALL, DataType.FP64).reshape(1000)) {
            for (int i = 0; i < 1000; i++) {
                float f = Float.intBitsToFloat(random.nextInt());
                double d = Double.longBitsToDouble(random.nextLong());
                floats.setFloat(i, f);
                doubles.setDouble(i, d);
                assertThat(floats.getFloat(i)).as("seed %d", seed).isEqualTo(Float.valueOf(f));
                assertThat(floats.getReal(i)).as("seed %d", seed).isEqualTo(Double.valueOf(f));
                assertThat(doubles.getDouble(i)).as("seed %d", seed).isEqualTo(Double.valueOf(d));
                assertThat(doubles.getReal(i)).as("seed %d", seed).isEqualTo(Double.valueOf(d));
                floats.setReal(i, d);
                assertThat(floats.getFloat(i)).as("seed %d, %s", seed, d).isEqualTo(Float.valueOf((float) d));
            }
        }
    }

    @Test
    void shouldCopyFloatsInAndOut() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(6)) {
            tensor.putFloats(new float[] {1, 2, 3});
            tensor.putFloats(4, new float[] {9, 8, 7, 6}, 1, 2);
            float[] out = new float[7];
            tensor.getFloats(1, out, 2, 5);

            assertThat(out).containsExactly(0, 0, 2, 3, 0, 8, 7);
            assertThatThrownBy(() -> tensor.putFloats(5, new float[2], 0, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> tensor.getFloats(-1, out, 0, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void shouldRefuseTheWrongKindOfElement() {
        try (Tensor real = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1);
                Tensor integer = new Tensor(MemoryTag.CALL, DataType.INT32).reshape(1);
                Tensor text = new Tensor(MemoryTag.CALL, DataType.BYTES).reshape(1)) {
            assertThatIllegalStateException().isThrownBy(() -> real.getLong(0));
            assertThatIllegalStateException().isThrownBy(() -> real.setLong(0, 1));
            assertThatIllegalStateException().isThrownBy(() -> integer.getReal(0));
            assertThatIllegalStateException().isThrownBy(() -> integer.setReal(0, 1));
            assertThatIllegalStateException().isThrownBy(() -> text.getLong(0));
            assertThatIllegalStateException().isThrownBy(() -> text.setReal(0, 1));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FP16", "BF16"})
    void shouldReadEveryPatternOf16BitFloats(DataType type) {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, type).reshape(2)) {
            for (int pattern = 0; pattern < 1 << 16; pattern++) {
                tensor.setLong(0, pattern);
                double expected = reference(type, pattern);
                assertThat(tensor.getReal(0)).as("%s %04x", type, pattern).isEqualTo(Double.valueOf(expected));
                assertThat(tensor.getLong(0)).isEqualTo(pattern);

                tensor.setReal(1, expected);
                if (Double.isNaN(expected)) {
                    assertThat(tensor.getReal(1)).as("%s %04x", type, pattern).isNaN();
                } else {
                    assertThat(tensor.getLong(1)).as("%s %04x", type, pattern).isEqualTo(pattern);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FP16", "BF16"})
    void shouldRoundToNearestEvenBetweenEveryTwo16BitFloats(DataType type) {
        int infinity = type == DataType.FP16 ? 0x7c00 : 0x7f80;
        try (Tensor tensor = new Tensor(MemoryTag.CALL, type).reshape(1)) {
            for (int lower = 0; lower < infinity; lower++) {
                double low = reference(type, lower);
                double high = lower + 1 < infinity ? reference(type, lower + 1) : 2 * low - reference(type, lower - 1);
                double middle = low + (high - low) / 2;
                int even = lower + (lower & 1);
                checkRounding(tensor, middle, even);
                checkRounding(tensor, Math.nextUp(middle), lower + 1);
                checkRounding(tensor, Math.nextDown(middle), lower);
                checkRounding(tensor, Math.nextUp(low), lower);
            }
            checkRounding(tensor, Double.MAX_VALUE, infinity);
            checkRounding(tensor, Double.POSITIVE_INFINITY, infinity);
            checkRounding(tensor, Double.MIN_VALUE, 0);
        }
    }

    private static void checkRounding(Tensor tensor, double value, int expected) {
        tensor.setReal(0, value);
        assertThat(tensor.getLong(0)).as("%s of %s", tensor.datatype(), value).isEqualTo(expected);
        tensor.setReal(0, -value);
        assertThat(tensor.getLong(0)).as("%s of %s", tensor.datatype(), -value).isEqualTo(expected | 0x8000);
    }

    /// The value of a pattern by the definition of the format.
    private static double reference(DataType type, int pattern) {
        int mantissaBits = type == DataType.FP16 ? 10 : 7;
        int exponentBits = 15 - mantissaBits;
        int mantissa = pattern & ((1 << mantissaBits) - 1);
        int exponent = (pattern >> mantissaBits) & ((1 << exponentBits) - 1);
        int bias = (1 << (exponentBits - 1)) - 1;
        double magnitude;
        if (exponent == (1 << exponentBits) - 1) {
            magnitude = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = Math.scalb((double) mantissa, 1 - bias - mantissaBits);
        } else {
            magnitude = Math.scalb((double) (mantissa + (1 << mantissaBits)), exponent - bias - mantissaBits);
        }
        return (pattern >> 15) == 0 ? magnitude : -magnitude;
    }

    @Test
    void shouldHoldStringsOfAnyLength() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.BYTES).reshape(3)) {
            tensor.setString(0, "");
            tensor.setString(1, "grüße, 世界 🚂");
            tensor.setBytes(2, new byte[] {0, -1});

            assertThat(tensor.getString(0)).isEmpty();
            assertThat(tensor.getString(1)).isEqualTo("grüße, 世界 🚂");
            assertThat(tensor.getBytes(2)).containsExactly(0, -1);
            assertThat(tensor.byteSize()).isZero();

            tensor.reshape(2, 3);
            assertThat(tensor.getString(1)).isEqualTo("grüße, 世界 🚂");
            assertThat(tensor.getString(5)).isEmpty();
        }
    }

    @Test
    void shouldForgetShapeAndKeysWhenCleared() {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(1, 2)) {
            tensor.keys(List.of("a", "b"));
            tensor.setFloat(1, 4);
            tensor.clear();

            assertThat(tensor.hasShape()).isFalse();
            assertThat(tensor.keys()).isEmpty();
            assertThat(tensor.reshape(2).getFloat(1)).isEqualTo(4);
        }
    }

    @Test
    void shouldBeUsableAgainWhenClosed() {
        Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(4);
        var data = tensor.data();
        tensor.setFloat(3, 5);
        tensor.close();
        tensor.close();

        assertThat(tensor.hasShape()).isFalse();
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_FLOAT, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> tensor.getFloat(0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(tensor.reshape(4).getFloat(3)).isZero();
        tensor.close();
    }

    private static long[] longs(Tensor tensor) {
        long[] values = new long[(int) tensor.elementCount()];
        java.util.Arrays.setAll(values, tensor::getLong);
        return values;
    }
}
