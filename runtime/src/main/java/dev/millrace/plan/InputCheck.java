// SPDX-License-Identifier: Apache-2.0
package dev.millrace.plan;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import java.util.List;

/// Whether the inputs of a request are what a lane takes, and how many slots they need.
///
/// Threads: immutable, any. The tensors are those of whoever asks.
public final class InputCheck {
    /// An input is missing, or has the wrong shape.
    public static final int WRONG = -1;
    /// There are more rows than the queue has slots.
    public static final int TOO_MANY = 0;

    private final LaneSpec spec;
    private final long[][] inputShapes;
    private final long[][] outputShapes;

    /// For the requests to a lane.
    public InputCheck(LaneSpec spec) {
        this.spec = spec;
        this.inputShapes = shapes(spec.signature().inputs());
        this.outputShapes = shapes(spec.signature().outputs());
    }

    private static long[][] shapes(List<TensorSpec> specs) {
        return specs.stream().map(TensorSpec::dims).toArray(long[][]::new);
    }

    /// The slots that a request needs, whose outputs get as many rows as its inputs have; [#TOO_MANY] or [#WRONG].
    ///
    /// @param level its priority, from 0
    @Hot
    public int slots(TensorSet tensors, int level) {
        Tensor[] inputs = tensors.inputs();
        for (int i = 0; i < inputs.length; i++) {
            if (!inputs[i].fits(inputShapes[i])) {
                return WRONG;
            }
        }
        return spec.hasRows() ? rows(tensors, level) : 1;
    }

    @Hot
    private int rows(TensorSet tensors, int level) {
        Tensor[] inputs = tensors.inputs();
        long rows = inputs[0].dim(0);
        for (int i = 1; i < inputs.length; i++) {
            if (inputs[i].dim(0) != rows) {
                return WRONG;
            }
        }
        if (rows < 1 || rows > spec.capacity(level)) {
            return rows < 1 ? WRONG : TOO_MANY;
        }
        List<TensorSpec> specs = spec.signature().outputs();
        Tensor[] outputs = tensors.outputs();
        for (int i = 0; i < outputs.length; i++) {
            if (!outputs[i].fits(outputShapes[i])) {
                TensorSet.preset(specs.get(i), outputs[i], true);
            }
            outputs[i].rows(rows);
        }
        return (int) rows;
    }

    /// What is wrong with the inputs of a request that [#slots] refused.
    public String problem(TensorSet tensors, int level) {
        Tensor[] inputs = tensors.inputs();
        for (int i = 0; i < inputs.length; i++) {
            if (!inputs[i].fits(inputShapes[i])) {
                return spec.wrongShape(i, inputs[i]);
            }
        }
        long rows = inputs[0].dim(0);
        for (int i = 1; i < inputs.length; i++) {
            if (inputs[i].dim(0) != rows) {
                return spec.differentRows(i, inputs[i].dim(0), rows);
            }
        }
        return spec.wrongRows(rows, level);
    }
}
