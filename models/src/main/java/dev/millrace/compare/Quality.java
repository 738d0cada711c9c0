// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// How good a model's answers are, by labels. Immutable.
///
/// @param rows how many labels there are
/// @param accuracy the share of decisions that are right; nothing where the output decides nothing
/// @param auc the area under the ROC curve; nothing where [#noAuc()] tells why
/// @param noAuc why there is no area
/// @param curve the ROC curve, as pairs of the share of negatives and of positives; empty without an area
/// @param reliability tenths of confidence; empty where scores are no probabilities
public record Quality(
        long rows,
        OptionalDouble accuracy,
        OptionalDouble auc,
        Optional<String> noAuc,
        List<double[]> curve,
        List<Tenth> reliability) {
    /// Makes the lists immutable.
    public Quality {
        curve = List.copyOf(curve);
        reliability = List.copyOf(reliability);
    }

    /// The rows whose confidence is within a tenth.
    ///
    /// @param rows how many there are
    /// @param confidence their mean confidence, NaN without rows
    /// @param share how many of them are what they are taken for, NaN without rows
    public record Tenth(long rows, double confidence, double share) {}
}
