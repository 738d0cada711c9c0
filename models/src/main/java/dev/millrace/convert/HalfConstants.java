// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.TensorValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The constants of a graph as halves, read when they are first asked for, and those of the graphs around it. All of a
/// model take no more of the heap than its files are long, and some for small ones, however many name the same bytes.
///
/// Threads: one. Ownership: the file is the caller's.
final class HalfConstants {
    private static final long INITIALIZERS_ARE_NO_INPUTS = 4;
    /// Whole numbers of more elements are no factors and no limits.
    private static final int FEW = 1024;

    /// What an array has room for.
    private static final long MOST = Integer.MAX_VALUE / Short.BYTES - 8;

    private static final HalfTensor BEYOND = new HalfTensor(new byte[0], 1, 0);

    private final OnnxFile file;
    /// The constants of the graph around; null for the model's graph.
    private final HalfConstants outside;

    private final Room room;
    private final Map<String, OnnxTensor> tensors = new HashMap<>();
    private final Map<String, HalfTensor> halves = new HashMap<>();
    /// Constants that are defaults of inputs: whoever asks may bring others.
    private final Set<String> defaults = new HashSet<>();

    /// How many bytes the halves of a model may take.
    private static final class Room {
        private static final long FREE_BYTES = 1L << 20;

        private final Set<Path> files = new HashSet<>();
        private long size = FREE_BYTES;
        private long taken;

        void take(Path model, OnnxTensor tensor) throws IOException {
            add(model);
            if (tensor.isExternal()) {
                add(model.toAbsolutePath().resolveSibling(tensor.external().getOrDefault("location", "")));
            }
            taken += Short.BYTES * tensor.elements();
            if (taken > size) {
                throw new InvalidModelException("its constants take more than the " + size
                        + " bytes that its files are long, even as halves: several are in the same place there");
            }
        }

        private void add(Path file) throws IOException {
            if (files.add(file.toRealPath())) {
                size += Files.size(file);
            }
        }
    }

    HalfConstants(OnnxFile file, OnnxGraph graph) {
        this(file, graph, null, new Room());
    }

    private HalfConstants(OnnxFile file, OnnxGraph graph, HalfConstants outside, Room room) {
        this.file = file;
        this.outside = outside;
        this.room = room;
        graph.initializers().forEach(tensor -> tensors.put(tensor.name(), tensor));
        if (file.irVersion() >= INITIALIZERS_ARE_NO_INPUTS) {
            graph.inputs().stream()
                    .filter(input -> tensors.containsKey(input.name()))
                    .forEach(input -> defaults.add(input.name()));
        }
    }

    /// The constants in a branch or a loop.
    HalfConstants within(OnnxGraph body) {
        return new HalfConstants(file, body, this, room);
    }

    /// A constant of this graph, if it is of floats, all within the range of halves, and no input.
    Optional<HalfTensor> own(String name) throws IOException {
        OnnxTensor tensor = tensors.get(name);
        if (tensor == null || tensor.type() != ElementType.FLOAT || defaults.contains(name)) {
            return Optional.empty();
        }
        return Optional.of(half(name)).filter(half -> half.beyond() == 0);
    }

    /// Whether a constant of floats of this graph is an input, too.
    boolean isDefault(OnnxTensor tensor) {
        return tensor.type() == ElementType.FLOAT && defaults.contains(tensor.name());
    }

    /// Whether a name is that of a constant, here or around, with numbers that halves do not reach.
    boolean isBeyond(String name) throws IOException {
        HalfConstants scope = this;
        while (scope != null && !scope.tensors.containsKey(name)) {
            scope = scope.outside;
        }
        if (scope == null) {
            return false;
        }
        OnnxTensor tensor = scope.tensors.get(name);
        return tensor.type() == ElementType.FLOAT ? scope.half(name).beyond() > 0 : isLarge(tensor);
    }

    /// Whether a node is a constant with such numbers.
    boolean isBeyond(HalfNode node) throws IOException {
        Optional<OnnxTensor> value = value(node);
        if (value.isEmpty()) {
            return false;
        }
        return value.get().type() == ElementType.FLOAT ? read(value.get()).beyond() > 0 : isLarge(value.get());
    }

    private static boolean isLarge(OnnxTensor tensor) {
        return tensor.integers(FEW)
                .filter(values -> Arrays.stream(values).anyMatch(HalfTensor::isBeyond))
                .isPresent();
    }

    private HalfTensor half(String name) throws IOException {
        HalfTensor half = halves.get(name);
        if (half == null) {
            half = take(tensors.get(name));
            halves.put(name, half.beyond() > 0 ? BEYOND : half);
        }
        return half;
    }

    /// The halves of a tensor of floats, to be kept.
    ///
    /// @throws InvalidModelException if all of the model take more than its files are long
    HalfTensor take(OnnxTensor tensor) throws IOException {
        room.take(file.path(), tensor);
        return read(tensor);
    }

    private HalfTensor read(OnnxTensor tensor) throws IOException {
        if (tensor.elements() > MOST) {
            throw new ConversionFailed("constant '" + tensor.name() + "' has " + tensor.elements()
                    + " elements, expected at most " + MOST);
        }
        return HalfTensor.of(TensorValues.floats(file, tensor));
    }

    /// The constant that a node is, or has all elements be.
    static Optional<OnnxTensor> value(HalfNode made) {
        OnnxNode node = made.node();
        if (made.is("Constant")) {
            Optional<OnnxTensor> one = node.attribute("value_float")
                    .map(attribute -> OnnxTensor.ofFloats("", new long[0], attribute.real()));
            Optional<OnnxTensor> list = node.attribute("value_floats").map(attribute -> {
                float[] values = attribute.reals();
                return OnnxTensor.ofFloats("", new long[] {values.length}, values);
            });
            return node.attribute("value")
                    .flatMap(OnnxAttribute::tensor)
                    .or(() -> one)
                    .or(() -> list);
        }
        if (made.is("ConstantOfShape")) {
            return Optional.of(node.attribute("value")
                    .flatMap(OnnxAttribute::tensor)
                    .orElseGet(() -> OnnxTensor.ofFloats("", new long[] {1}, 0)));
        }
        return Optional.empty();
    }
}
