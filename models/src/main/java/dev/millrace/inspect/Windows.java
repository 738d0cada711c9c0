// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.Arrays;

/// The shapes of what convolutions, pools and resizing make. Stateless.
final class Windows {
    private static final int FIRST_SPATIAL = 2;

    private Windows() {}

    /// @param weights the shape of the kernels: outputs, inputs by group, and the window
    static Fact convolution(Step step, long[] weights) {
        long[] shape = step.shape(0).clone();
        shape[1] = weights[0];
        long[] window = Arrays.copyOfRange(weights, FIRST_SPATIAL, weights.length);
        return slide(step, shape, window, false);
    }

    static Fact pool(Step step) {
        return slide(step, step.shape(0).clone(), step.numbers("kernel_shape"), step.number("ceil_mode", 0) == 1);
    }

    /// Replaces the spatial dimensions by the number of places that the window has there.
    private static Fact slide(Step step, long[] shape, long[] window, boolean ceil) {
        int count = shape.length - FIRST_SPATIAL;
        long[] strides = orOnes(step.numbers("strides"), count);
        long[] dilations = orOnes(step.numbers("dilations"), count);
        long[] pads = step.numbers("pads");
        String auto = step.text("auto_pad", "NOTSET");
        for (int i = 0; i < count; i++) {
            long size = shape[FIRST_SPATIAL + i];
            long reach = dilations[i] * (window[i] - 1) + 1;
            if (auto.startsWith("SAME")) {
                shape[FIRST_SPATIAL + i] = Math.ceilDiv(size, strides[i]);
                continue;
            }
            boolean padded = auto.equals("NOTSET") && pads != null;
            long begin = padded ? pads[i] : 0;
            long room = size + (padded ? begin + pads[count + i] : 0) - reach;
            long places = (ceil ? Math.ceilDiv(room, strides[i]) : Math.floorDiv(room, strides[i])) + 1;
            // A window that would begin in the padding at the end is none.
            boolean outside = ceil && (places - 1) * strides[i] >= size + begin;
            shape[FIRST_SPATIAL + i] = positive(outside ? places - 1 : places);
        }
        return Fact.of(shape);
    }

    static Fact transposed(Step step) {
        long[] shape = step.shape(0).clone();
        long[] weights = step.shape(1);
        int count = shape.length - FIRST_SPATIAL;
        shape[1] = Math.multiplyExact(weights[1], step.number("group", 1));
        long[] strides = orOnes(step.numbers("strides"), count);
        long[] dilations = orOnes(step.numbers("dilations"), count);
        long[] more = step.numbers("output_padding");
        long[] pads = step.numbers("pads");
        long[] sizes = step.numbers("output_shape");
        boolean same = step.text("auto_pad", "NOTSET").startsWith("SAME");
        for (int i = 0; i < count; i++) {
            long reach = dilations[i] * (weights[FIRST_SPATIAL + i] - 1) + 1;
            long size = shape[FIRST_SPATIAL + i];
            long whole = strides[i] * (size - 1) + reach + (more == null ? 0 : more[i]);
            long padded = whole - (pads == null ? 0 : pads[i] + pads[count + i]);
            shape[FIRST_SPATIAL + i] = positive(sizes != null ? sizes[i] : same ? size * strides[i] : padded);
        }
        return Fact.of(shape);
    }

    /// By sizes or, where they are constant, by scales.
    static Fact resize(Step step) {
        long[] shape = step.shape(0).clone();
        if (step.has("axes")) {
            throw new Step.UnknownShape();
        }
        if (step.name().equals("Resize") && step.in(3).values() != null) {
            return Fact.of(step.values(3).clone());
        }
        float[] scales = scales(step);
        for (int i = 0; i < shape.length; i++) {
            shape[i] = positive((long) Math.floor(shape[i] * (double) scales[i]));
        }
        return Fact.of(shape);
    }

    private static float[] scales(Step step) {
        if (!step.has("scales")) {
            throw new Step.UnknownShape();
        }
        return step.attribute("scales").message().reals(7);
    }

    private static long positive(long size) {
        if (size < 0) {
            throw new IllegalArgumentException("a dimension below 0");
        }
        return size;
    }

    private static long[] orOnes(long[] values, int count) {
        if (values != null) {
            return values;
        }
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return ones;
    }
}
