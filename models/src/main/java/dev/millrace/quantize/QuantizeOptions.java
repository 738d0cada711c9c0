// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/// How a model is quantized. Immutable.
///
/// @param mode when the scales of what layers take are found
/// @param method how they are found from data, where that is before
/// @param activations the integers of what layers take and give, [ElementType#UINT8] or [ElementType#INT8]; with
///     [Mode#DYNAMIC] they are always the first
/// @param perChannel whether each channel of a weight has a scale of its own
/// @param reduceRange whether weights leave one bit free, for processors on which sums of two products overflow
/// @param excluded nodes that stay as they are, by their names or by the name of a value that they make
/// @param optimize whether ONNX Runtime simplifies the graph before (constants, normalisation folded into
/// convolutions);
///     it then writes all of the graph anew
/// @param bins of a histogram
/// @param percentile how many values, in percent, the range holds, with [Method#PERCENTILE]
/// @param batch rows that are run at a time
/// @param convolutions whether convolutions are quantized with [Mode#DYNAMIC], too
public record QuantizeOptions(
        Mode mode,
        Method method,
        ElementType activations,
        boolean perChannel,
        ReduceRange reduceRange,
        Set<String> excluded,
        boolean optimize,
        int bins,
        double percentile,
        int batch,
        boolean convolutions) {
    /// Bins of a histogram unless said otherwise.
    public static final int DEFAULT_BINS = 2048;

    /// Rows at a time unless said otherwise.
    public static final int DEFAULT_BATCH = 32;

    /// When the scales of what layers take are found.
    public enum Mode {
        /// Once, from data. A row's answer does not depend on the rows that it is run with.
        STATIC,
        /// In every run, from all rows of it: a row's answer depends on the others.
        DYNAMIC
    }

    /// How ranges are found from data.
    public enum Method {
        /// From the smallest to the largest value.
        MINMAX,
        /// That whose integers tell most of how the values are spread (the least divergence of Kullback and
        /// Leibler).
        ENTROPY,
        /// That which holds so many percent of the values.
        PERCENTILE
    }

    /// Whether weights leave one bit free.
    public enum ReduceRange {
        /// If this processor needs it.
        AUTO,
        /// They do.
        ALWAYS,
        /// They do not.
        NEVER
    }

    /// Static, from the smallest to the largest value, one scale for a tensor, unsigned.
    public static final QuantizeOptions DEFAULT = new QuantizeOptions(
            Mode.STATIC,
            Method.MINMAX,
            ElementType.UINT8,
            false,
            ReduceRange.AUTO,
            Set.of(),
            false,
            DEFAULT_BINS,
            99.999,
            DEFAULT_BATCH,
            false);

    /// Checks the values.
    public QuantizeOptions {
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(reduceRange, "reduceRange");
        if (activations != ElementType.UINT8 && activations != ElementType.INT8) {
            throw new IllegalArgumentException("activations must be UINT8 or INT8, was " + activations);
        }
        if (bins < 128 || bins % 2 != 0) {
            throw new IllegalArgumentException("bins must be even and at least 128, was " + bins);
        }
        if (!(percentile > 50 && percentile <= 100)) {
            throw new IllegalArgumentException("percentile must be over 50 and at most 100, was " + percentile);
        }
        if (batch < 1) {
            throw new IllegalArgumentException("batch must be at least 1, was " + batch);
        }
        excluded = Set.copyOf(excluded);
    }

    /// With another mode.
    public QuantizeOptions withMode(Mode other) {
        return new QuantizeOptions(
                other,
                method,
                activations,
                perChannel,
                reduceRange,
                excluded,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With another method.
    public QuantizeOptions withMethod(Method other) {
        return new QuantizeOptions(
                mode,
                other,
                activations,
                perChannel,
                reduceRange,
                excluded,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With other integers for what layers take and give.
    public QuantizeOptions withActivations(ElementType other) {
        return new QuantizeOptions(
                mode,
                method,
                other,
                perChannel,
                reduceRange,
                excluded,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With a scale for each channel of a weight, or one for all.
    public QuantizeOptions withPerChannel(boolean other) {
        return new QuantizeOptions(
                mode,
                method,
                activations,
                other,
                reduceRange,
                excluded,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With weights that leave one bit free, or not.
    public QuantizeOptions withReduceRange(ReduceRange other) {
        return new QuantizeOptions(
                mode,
                method,
                activations,
                perChannel,
                other,
                excluded,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// Without another node.
    public QuantizeOptions withExcluded(String node) {
        Set<String> all = new HashSet<>(excluded);
        all.add(node);
        return new QuantizeOptions(
                mode,
                method,
                activations,
                perChannel,
                reduceRange,
                all,
                optimize,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With the graph simplified before, or not.
    public QuantizeOptions withOptimize(boolean other) {
        return new QuantizeOptions(
                mode,
                method,
                activations,
                perChannel,
                reduceRange,
                excluded,
                other,
                bins,
                percentile,
                batch,
                convolutions);
    }

    /// With other histograms.
    public QuantizeOptions withHistogram(int otherBins, double otherPercentile) {
        return new QuantizeOptions(
                mode,
                method,
                activations,
                perChannel,
                reduceRange,
                excluded,
                optimize,
                otherBins,
                otherPercentile,
                batch,
                convolutions);
    }

    /// With so many rows at a time.
    public QuantizeOptions withBatch(int other) {
        return new QuantizeOptions(
                mode,
                method,
                activations,
                perChannel,
                reduceRange,
                excluded,
                optimize,
                bins,
                percentile,
                other,
                convolutions);
    }

    /// With convolutions quantized dynamically, too, or not.
    public QuantizeOptions withConvolutions(boolean other) {
        return new QuantizeOptions(
                mode, method, activations, perChannel, reduceRange, excluded, optimize, bins, percentile, batch, other);
    }
}
