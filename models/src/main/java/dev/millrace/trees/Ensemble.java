// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.List;

/// Trees whose values are summed by group, and what becomes of the sums.
///
/// @param library what made it
/// @param objective as the library calls it
/// @param features how many features a row has
/// @param names of the features; empty where they are not known
/// @param inclusive whether a split's bound belongs to the interval below it
/// @param link what the objective makes of the sums
/// @param share what each tree's value is multiplied by
/// @param steepness what the sums are multiplied by before the objective makes something of them
/// @param base what each group's sum begins with
/// @param trees in the order in which they are summed
record Ensemble(
        String library,
        String objective,
        int features,
        List<String> names,
        boolean inclusive,
        Link link,
        double share,
        double steepness,
        float[] base,
        List<DecisionTree> trees) {
    /// How many sums there are.
    int groups() {
        return base.length;
    }
}
