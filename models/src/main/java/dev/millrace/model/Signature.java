// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.List;

/// The inputs and outputs of a model, in the model's order.
///
/// @param inputs what every request brings
/// @param outputs what an answer may hold
public record Signature(List<TensorSpec> inputs, List<TensorSpec> outputs) {
    /// Makes the lists immutable.
    public Signature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /// The position of the input called `name`, or -1.
    public int inputIndex(String name) {
        return index(inputs, name);
    }

    /// The position of the output called `name`, or -1.
    public int outputIndex(String name) {
        return index(outputs, name);
    }

    private static int index(List<TensorSpec> specs, String name) {
        for (int i = 0; i < specs.size(); i++) {
            if (specs.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }
}
