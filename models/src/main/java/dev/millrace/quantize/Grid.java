// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;

/// By which scale and zero point floats are written as integers: one pair for a tensor, or one for each
/// channel of it.
///
/// A value is `scale * (integer - zeroPoint)`; zero always has an integer of its own.
///
/// @param scales one, or as many as there are channels
/// @param zeroPoints as many
/// @param type of the integers
/// @param axis the dimension of the channels; below 0 if there is one pair
@SuppressWarnings("ArrayRecordComponent")
record Grid(float[] scales, int[] zeroPoints, ElementType type, int axis) {
    /// What is scaled by this is longer than the integers of a bias may be; a little more for what rounding
    /// takes.
    private static final double BIAS_MARGIN = 1.0001;

    private static final double BIAS_STEPS = 2.0 * Integer.MAX_VALUE;

    /// From where to where the integers go.
    ///
    /// @param symmetric whether zero is in the middle
    /// @param reduced whether one bit is left free
    record Span(int min, int max, boolean symmetric) {
        static Span of(ElementType type, boolean symmetric, boolean reduced) {
            if (type == ElementType.UINT8) {
                return new Span(0, reduced ? 127 : 255, symmetric);
            }
            if (type != ElementType.INT8) {
                throw new IllegalArgumentException(type + " is not a type to quantize to, expected UINT8 or INT8");
            }
            int edge = reduced ? 64 : 127;
            return new Span(reduced || symmetric ? -edge : -128, edge, symmetric);
        }
    }

    /// One pair for a whole tensor.
    static Grid of(Range range, ElementType type, Span span) {
        Grid grid = new Grid(new float[1], new int[1], type, -1);
        grid.fit(0, range, span);
        return grid;
    }

    /// A pair for each channel of a tensor.
    static Grid of(Weights weights, int axis, ElementType type, Span span) {
        int channels = Math.toIntExact(weights.dims()[axis]);
        Grid grid = new Grid(new float[channels], new int[channels], type, axis);
        for (int channel = 0; channel < channels; channel++) {
            grid.fit(channel, weights.range(axis, channel), span);
        }
        return grid;
    }

    private void fit(int channel, Range range, Span span) {
        float min = Math.min(range.min(), 0f);
        float max = Math.max(range.max(), 0f);
        if (span.symmetric()) {
            max = Math.max(-min, max);
            min = -max;
        }
        double width = max - min;
        double scale = width / ((double) span.max() - span.min());
        if (scale < Float.MIN_NORMAL) {
            scales[channel] = 1;
            zeroPoints[channel] = 0;
            return;
        }
        double zero = span.symmetric() ? (span.min() + span.max()) / 2.0 : span.min() - min / scale;
        scales[channel] = (float) scale;
        zeroPoints[channel] = (int) Math.rint(zero);
    }

    /// Widens the scales of a weight so that a bias, whose scale is this one times the input's, stays
    /// within 32 bits.
    ///
    /// @param input the scale of what the weight is multiplied with
    void widen(double input, float[] bias) {
        for (int channel = 0; channel < scales.length; channel++) {
            double largest = scales.length == 1 ? largest(bias) : Math.abs((double) bias[channel]);
            double needed = BIAS_MARGIN * (2 * largest) / BIAS_STEPS;
            double candidate = input * scales[channel];
            if (candidate < needed && candidate > 0) {
                scales[channel] = (float) (scales[channel] * (needed / candidate));
            }
        }
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs((double) value));
        }
        return largest;
    }

    /// The integers of a tensor's elements.
    byte[] quantize(Weights weights) {
        float[] values = weights.values();
        int low = type == ElementType.UINT8 ? 0 : Byte.MIN_VALUE;
        int high = type == ElementType.UINT8 ? 255 : Byte.MAX_VALUE;
        byte[] integers = new byte[values.length];
        int run = axis < 0 ? Math.max(1, values.length) : weights.run(axis);
        for (int i = 0; i < values.length; i++) {
            int channel = axis < 0 ? 0 : i / run % scales.length;
            double rounded = Math.rint(values[i] / scales[channel]) + zeroPoints[channel];
            integers[i] = (byte) (int) Math.clamp(rounded, low, high);
        }
        return integers;
    }
}
