// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Set;

/// What the imported model is to look like.
///
/// @param input the name of its input
/// @param rawScore whether it gives the sums of the trees, `y`, rather than what the objective makes of them
public record ImportOptions(String input, boolean rawScore) {
    /// The names of the outputs, which the input cannot have.
    private static final Set<String> TAKEN = Set.of("y", "label", "probabilities");

    /// The input is `x`, and the objective has its say.
    public static final ImportOptions DEFAULT = new ImportOptions("x", false);

    /// Holds that the input can be told from the outputs.
    ///
    /// @throws IllegalArgumentException if it cannot
    public ImportOptions {
        if (input.isBlank() || TAKEN.contains(input) || input.startsWith(TreeGraph.INNER)) {
            throw new IllegalArgumentException("the input cannot be called '" + input + "'");
        }
    }
}
