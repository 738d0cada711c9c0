// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.Hot;

/// Which outputs a request wants, in the order of the answer, and how.
///
/// Most requests choose none and share [#ALL], so that they cost nothing. Threads: any; it does not change.
public final class RequestedOutputs {
    /// All outputs of the model, in its order, as JSON.
    public static final RequestedOutputs ALL = new RequestedOutputs(null, null, null, false);

    /// All outputs of the model, in its order, as bytes behind the JSON.
    public static final RequestedOutputs ALL_BINARY = new RequestedOutputs(null, null, null, true);

    private final int[] indices;
    private final boolean[] binary;
    /// How many classes are wanted of each; null if none are of any.
    private final int[] classes;
    /// What counts for all where none is chosen.
    private final boolean allBinary;

    private RequestedOutputs(int[] indices, boolean[] binary, int[] classes, boolean allBinary) {
        this.indices = indices;
        this.binary = binary;
        this.classes = classes;
        this.allBinary = allBinary;
    }

    /// Chosen outputs. Nobody changes the arrays afterwards.
    ///
    /// @param indices their places in the model's signature
    /// @param binary which of them are wanted as bytes behind the JSON
    /// @param classes how many classes are wanted of each, 0 for the values themselves; null if that is 0 for all
    static RequestedOutputs of(int[] indices, boolean[] binary, int[] classes) {
        return new RequestedOutputs(indices, binary, classes, false);
    }

    /// Whether reports are among them.
    ///
    /// @param outputs how many outputs the model has; reports come behind them
    @Hot
    public boolean hasReports(int outputs) {
        for (int i = 0; indices != null && i < indices.length; i++) {
            if (indices[i] >= outputs) {
                return true;
            }
        }
        return false;
    }

    /// How many there are.
    ///
    /// @param all how many the model has
    @Hot
    public int count(int all) {
        return indices == null ? all : indices.length;
    }

    /// Where the output in this place of the answer is in the model's signature, reports behind the outputs.
    @Hot
    public int index(int position) {
        return indices == null ? position : indices[position];
    }

    /// Whether the output in this place of the answer is wanted as bytes behind the JSON.
    @Hot
    public boolean isBinary(int position) {
        return binary == null ? allBinary : binary[position];
    }

    /// How many classes are wanted of the output in this place of the answer; 0 for its values.
    @Hot
    public int classes(int position) {
        return classes == null ? 0 : classes[position];
    }
}
