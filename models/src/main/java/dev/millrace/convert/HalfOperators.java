// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import java.util.Set;

/// Which operators work in half precision. Immutable.
///
/// @param others operators that do not, beside those that are known not to
record HalfOperators(Set<String> others) {
    /// What takes floats of full precision by ONNX's definition, in the versions that are common, or has no kernel for
    /// half of it on GPUs either; what is random, since it would be other numbers; what takes or gives anything but
    /// tensors; and what has graphs inside, whose values are not followed.
    private static final Set<String> FLOAT_ONLY = Set.of(
            "Adagrad",
            "Adam",
            "AffineGrid",
            "Bernoulli",
            "BlackmanWindow",
            "ConcatFromSequence",
            "CumSum",
            "DequantizeLinear",
            "DFT",
            "DynamicQuantizeLinear",
            "EyeLike",
            "Gradient",
            "HammingWindow",
            "HannWindow",
            "If",
            "ImageDecoder",
            "Loop",
            "Max",
            "MelWeightMatrix",
            "Min",
            "Momentum",
            "Multinomial",
            "NonMaxSuppression",
            "QLinearConv",
            "QLinearMatMul",
            "QuantizeLinear",
            "RandomNormal",
            "RandomNormalLike",
            "RandomUniform",
            "RandomUniformLike",
            "Range",
            "Resize",
            "RoiAlign",
            "Scan",
            "STFT",
            "TfIdfVectorizer",
            "TopK",
            "Upsample");

    HalfOperators {
        others = Set.copyOf(others);
    }

    /// Whether a node, all of whose values are tensors, may work on halves.
    boolean allow(HalfNode node) {
        String name = node.operator().name();
        return node.is(name)
                && !FLOAT_ONLY.contains(name)
                && !others.contains(name)
                && node.node().graphs().isEmpty();
    }
}
