// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Makes models that take one row at a time take any number of rows: the leading dimension of all inputs, which is
/// fixed to 1, becomes one of any size, and so does what follows from it in the graph.
///
/// What is made is written only if rows that run together give what the model gives for each of them alone, on random
/// rows. The first node that does otherwise is named.
///
/// Threads: any.
public final class Rebatcher {
    private Rebatcher() {}

    /// What was made.
    ///
    /// @param inputs the inputs that have a batch dimension now
    /// @param outputs the outputs that have
    /// @param changed the nodes that were changed
    /// @param equal whether rows gave the same bits together as alone, where they were tried
    /// @param difference by how much they differed at most, as a part of the largest value of the row's output
    /// @param batches the sizes of the batches that were tried
    public record Result(
            List<String> inputs,
            List<String> outputs,
            List<String> changed,
            boolean equal,
            double difference,
            List<Integer> batches) {}

    /// Makes one.
    ///
    /// @param out where to; its folder has to be there
    /// @param dimension what the batch dimension is to be called
    /// @throws IOException if a file cannot be read or written
    /// @throws dev.millrace.onnx.InvalidModelException if `in` is no model
    /// @throws dev.millrace.ort.OrtFailure if `in` cannot be loaded, or not be run on random rows
    /// @throws ConversionFailed if it cannot be made
    public static Result rebatch(Path in, Path out, String dimension) throws IOException {
        try (Scratch scratch = Scratch.open();
                OnnxFile made = OnnxFile.open(in)) {
            made.check();
            List<OnnxValue> inputs = inputs(made.graph());
            inputs.forEach(Rebatcher::requireOneRow);
            requireNewName(made.graph(), dimension);
            RowShapes shapes = RowShapes.of(in, scratch);
            BatchEdit edit = new BatchEdit(made, shapes, dimension);
            edit.apply();
            Path candidate = scratch.file();
            made.write(candidate);
            RowProof.Finding finding = new RowProof(in, candidate, edit.axes(), scratch).prove();
            made.write(out);
            return new Result(
                    inputs.stream().map(OnnxValue::name).toList(),
                    made.graph().outputs().stream().map(OnnxValue::name).toList(),
                    edit.changed(),
                    finding.equal(),
                    finding.difference(),
                    RowProof.BATCHES);
        }
    }

    /// Those that are no constants, as which early files name those, too.
    static List<OnnxValue> inputs(OnnxGraph graph) {
        Set<String> constants = new HashSet<>();
        graph.initializers().stream().map(OnnxTensor::name).forEach(constants::add);
        return graph.inputs().stream()
                .filter(input -> !constants.contains(input.name()))
                .toList();
    }

    private static void requireOneRow(OnnxValue input) {
        String name = "input '" + input.name() + "'";
        Optional<List<Dimension>> shape = input.shape();
        if (shape.isEmpty() || shape.get().isEmpty()) {
            throw new ConversionFailed(name
                    + (input.elementType().isEmpty()
                            ? " is " + input.type() + ", expected a tensor"
                            : shape.isEmpty() ? " has no declared shape" : " is a scalar")
                    + ", expected one with a leading dimension of 1");
        }
        Dimension first = shape.get().getFirst();
        if (first.size() != 1) {
            throw new ConversionFailed(name + " has a leading dimension of "
                    + (first.size() < 0 ? "any size already" : first.size() + ", expected 1"));
        }
        for (int axis = 1; axis < shape.get().size(); axis++) {
            if (shape.get().get(axis).size() < 1) {
                throw new ConversionFailed(name + " has rows of variable size (dimension " + axis
                        + "), which would not fit into a batch, expected a fixed size");
            }
        }
    }

    private static void requireNewName(OnnxGraph graph, String dimension) {
        boolean isTaken = Stream.of(graph.inputs(), graph.outputs(), graph.valueInfos())
                .flatMap(List::stream)
                .flatMap(value -> value.shape().stream())
                .flatMap(List::stream)
                .anyMatch(dim -> dim.size() < 0 && dim.name().equals(dimension));
        if (isTaken) {
            throw new ConversionFailed("a dimension is called '" + dimension + "' already, expected another name");
        }
    }
}
