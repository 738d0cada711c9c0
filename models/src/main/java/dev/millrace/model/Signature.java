// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.Hot;
import java.util.List;

/// The inputs and outputs of a model, in the model's order.
///
/// @param inputs what every request brings
/// @param outputs what an answer holds
/// @param reports what an answer also holds where it is asked for by name: how its inputs came about
public record Signature(List<TensorSpec> inputs, List<TensorSpec> outputs, List<TensorSpec> reports) {
    /// Makes the lists immutable.
    public Signature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        reports = List.copyOf(reports);
    }

    /// Without reports.
    public Signature(List<TensorSpec> inputs, List<TensorSpec> outputs) {
        this(inputs, outputs, List.of());
    }

    /// The position of the input called `name`, or -1.
    public int inputIndex(String name) {
        return index(inputs, name);
    }

    /// The position of the output called `name`, or -1.
    public int outputIndex(String name) {
        return index(outputs, name);
    }

    /// The position of the output or report called `name`, or -1; reports come after the outputs.
    public int answerIndex(String name) {
        int index = outputIndex(name);
        int report = index < 0 ? index(reports, name) : -1;
        return report < 0 ? index : outputs.size() + report;
    }

    /// The output or report at a position of [#answerIndex(String)].
    @Hot
    public TensorSpec answer(int index) {
        return index < outputs.size() ? outputs.get(index) : reports.get(index - outputs.size());
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
