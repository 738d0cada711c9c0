// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.onnx.ElementType;
import dev.millrace.ort.Cpu;
import org.junit.jupiter.api.Test;

/// Scales, zero points, histograms, and what processors need.
class NumbersTest {
    private static final Grid.Span U8 = Grid.Span.of(ElementType.UINT8, false, false);

    private static Grid grid(float min, float max, ElementType type, boolean symmetric, boolean reduced) {
        return Grid.of(new Range(min, max), type, Grid.Span.of(type, symmetric, reduced));
    }

    @Test
    void shouldFindScaleAndZeroPoint() {
        assertGrid(grid(-1, 1, ElementType.UINT8, false, false), (float) (2.0 / 255), 128);
        assertGrid(grid(0.5f, 2, ElementType.UINT8, false, false), (float) (2.0 / 255), 0);
        assertGrid(grid(-4, -2, ElementType.UINT8, false, false), (float) (4.0 / 255), 255);
        assertGrid(grid(-1, 3, ElementType.INT8, false, false), (float) (4.0 / 255), -64);
        assertGrid(grid(-1, 3, ElementType.INT8, true, false), (float) (6.0 / 254), 0);
        assertGrid(grid(-1, 3, ElementType.INT8, true, true), (float) (6.0 / 128), 0);
        assertGrid(grid(0, 2, ElementType.UINT8, false, true), (float) (2.0 / 127), 0);
        assertGrid(grid(0, 0, ElementType.UINT8, false, false), 1, 0);
        assertGrid(grid(-1e-39f, 0, ElementType.INT8, false, false), 1, 0);
    }

    private static void assertGrid(Grid grid, float scale, int zeroPoint) {
        assertThat(grid.scales()).containsExactly(scale);
        assertThat(grid.zeroPoints()).containsExactly(zeroPoint);
    }

    @Test
    void shouldRoundToEvenAndStayInRange() {
        Grid grid = new Grid(new float[] {2}, new int[] {10}, ElementType.UINT8, -1);
        byte[] integers = grid.quantize(new Weights(new long[] {6}, new float[] {1, 3, 5, -1000, 1000, -1}));
        assertThat(integers).containsExactly(10, 12, 12, 0, (byte) 255, 10);
    }

    @Test
    void shouldHaveAScaleForEachChannel() {
        Weights weights = new Weights(new long[] {2, 3, 2}, new float[] {1, 2, 30, 40, -5, 6, -7, 8, 0, 0, 11, 12});
        Grid.Span span = Grid.Span.of(ElementType.INT8, true, false);

        Grid middle = Grid.of(weights, 1, ElementType.INT8, span);
        Grid first = Grid.of(weights, 0, ElementType.INT8, span);

        assertThat(middle.scales()).containsExactly((float) (16.0 / 254), (float) (80.0 / 254), (float) (24.0 / 254));
        assertThat(middle.quantize(weights)).containsExactly(16, 32, 95, 127, -53, 64, -111, 127, 0, 0, 116, 127);
        assertThat(first.scales()).containsExactly((float) (80.0 / 254), (float) (24.0 / 254));
    }

    @Test
    void shouldWidenScalesOfWeightsForLargeBiases() {
        Grid weight = new Grid(new float[] {1e-6f}, new int[1], ElementType.INT8, -1);
        weight.widen(1e-6, new float[] {1, -50, 3});
        double scale = (double) weight.scales()[0] * 1e-6;
        assertThat(50 / scale).isBetween(0.99 * Integer.MAX_VALUE, (double) Integer.MAX_VALUE);

        Grid enough = new Grid(new float[] {1e-2f}, new int[1], ElementType.INT8, -1);
        enough.widen(1e-2, new float[] {1, -50, 3});
        assertThat(enough.scales()).containsExactly(1e-2f);
    }

    @Test
    void shouldFindThePercentile() {
        Histogram histogram = new Histogram(0, 100, 200);
        for (int i = 0; i < 10_000; i++) {
            histogram.add(i / 100f);
        }
        histogram.add(100);
        histogram.add(101);
        histogram.add(Float.NaN);
        assertThat(histogram.percentile(90)).isEqualTo(90f);
        assertThat(histogram.percentile(100)).isEqualTo(99.5f);
    }

    @Test
    void shouldCutOffWhatIsFarFromTheRest() {
        Histogram histogram = new Histogram(-100, 100, 2048);
        java.util.SplittableRandom random = new java.util.SplittableRandom(1);
        for (int i = 0; i < 100_000; i++) {
            histogram.add((float) random.nextGaussian());
        }
        histogram.add(100);

        Range range = histogram.leastDivergence();

        assertThat(range.max()).isBetween(4f, 50f);
        assertThat(range.min()).isBetween(-50f, -4f);
    }

    @Test
    void shouldTakeAllOfWhatHasNoWidth() {
        Histogram histogram = new Histogram(0, 0, 2048);
        histogram.add(0);
        assertThat(histogram.percentile(99)).isEqualTo(0f);
        assertThat(Range.of(new float[0]).isFinite()).isTrue();
        assertThat(Range.EMPTY.with(Float.NaN, Float.NaN).isFinite()).isFalse();
        assertThat(Range.EMPTY.with(1, 2).with(Float.NaN, 3)).isEqualTo(new Range(1, 3));
    }

    @Test
    void shouldLeaveABitFreeWhereSumsMayOverflow() {
        assertThat(Quantizer.saturates(Cpu.Bytes.SATURATES)).contains("the processor has no VNNI");
        assertThat(Quantizer.saturates(Cpu.Bytes.UNKNOWN)).contains("whether the processor has VNNI is not known");
        assertThat(Quantizer.saturates(Cpu.Bytes.VNNI)).isEmpty();
        assertThat(Quantizer.saturates(Cpu.Bytes.EXACT)).isEmpty();
    }

    @Test
    void shouldRefuseOptionsThatMeanNothing() {
        assertThatThrownBy(() -> QuantizeOptions.DEFAULT.withBatch(0)).hasMessageContaining("batch must be at least 1");
        assertThatThrownBy(() -> QuantizeOptions.DEFAULT.withHistogram(127, 99)).hasMessageContaining("bins must be");
        assertThatThrownBy(() -> QuantizeOptions.DEFAULT.withHistogram(128, 101))
                .hasMessageContaining("percentile");
        assertThatThrownBy(() -> QuantizeOptions.DEFAULT.withActivations(ElementType.INT32))
                .hasMessageContaining("UINT8 or INT8, was INT32");
        assertThat(U8).isEqualTo(new Grid.Span(0, 255, false));
    }
}
