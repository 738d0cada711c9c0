// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Follows the batch dimension through a graph and changes what holds it at 1.
///
/// It goes by what the operators commonly used around a batch do. Whether that was enough is found out by running what
/// was made, so what is not known here is left as it is.
///
/// Threads: one. Ownership: the file is the caller's, and is changed.
final class BatchEdit {
    private static final int MAX_RANK = 64;
    private static final long INITIALIZERS_ARE_NO_INPUTS = 4;

    private final OnnxGraph graph;
    private final RowShapes shapes;
    private final String dimension;
    private final Constants constants;
    /// Where the batch dimension of a value is; of a value that does not depend on the rows, nowhere.
    private final Map<String, Integer> axes = new HashMap<>();
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<OnnxTensor> added = new ArrayList<>();
    private final List<String> changed = new ArrayList<>();
    private final Names names;
    /// Values in whose place constants were put.
    private final Set<String> replaced = new HashSet<>();
    /// Whether constants are among the inputs, as early files have them.
    private final boolean namesConstants;

    BatchEdit(OnnxFile file, RowShapes shapes, String dimension) {
        this.graph = file.graph();
        this.namesConstants = file.irVersion() < INITIALIZERS_ARE_NO_INPUTS;
        this.shapes = shapes;
        this.dimension = dimension;
        this.constants = new Constants(graph);
        this.names = new Names(graph);
    }

    /// @throws ConversionFailed if a node cannot be made to take more rows
    void apply() {
        for (OnnxValue input : Rebatcher.inputs(graph)) {
            input.setDimension(0, Dimension.open(dimension));
            axes.put(input.name(), 0);
        }
        for (OnnxNode node : graph.nodes()) {
            if (carries(node)) {
                edit(node);
            }
            nodes.add(node);
        }
        graph.setNodes(nodes);
        setConstants();
        graph.outputs().forEach(this::declareOutput);
        graph.setValueInfos(graph.valueInfos().stream().filter(this::declare).toList());
    }

    /// Adds those that were made, and takes out those that nothing uses any more.
    private void setConstants() {
        Set<String> used = new HashSet<>();
        use(graph, used);
        List<OnnxTensor> tensors = new ArrayList<>(graph.initializers());
        tensors.removeIf(tensor -> replaced.contains(tensor.name()) && !used.contains(tensor.name()));
        tensors.addAll(added);
        graph.setInitializers(tensors);
        if (namesConstants) {
            List<OnnxValue> inputs = new ArrayList<>(graph.inputs());
            inputs.removeIf(input -> replaced.contains(input.name()) && !used.contains(input.name()));
            for (OnnxTensor tensor : added) {
                inputs.add(OnnxValue.of(tensor.name(), tensor.type(), List.of(Dimension.of(tensor.dims()[0]))));
            }
            graph.setInputs(inputs);
        }
    }

    private static void use(OnnxGraph in, Set<String> used) {
        in.outputs().forEach(output -> used.add(output.name()));
        for (OnnxNode node : in.nodes()) {
            used.addAll(node.inputs());
            node.graphs().forEach(body -> use(body, used));
        }
    }

    /// Where the batch dimension of each value is that has one.
    Map<String, Integer> axes() {
        return Map.copyOf(axes);
    }

    /// The nodes that were changed.
    List<String> changed() {
        return List.copyOf(changed);
    }

    private boolean carries(OnnxNode node) {
        boolean takesRows = node.inputs().stream().anyMatch(axes::containsKey)
                || node.graphs().stream().anyMatch(this::carries);
        return takesRows && !node.operator().isOnnx("Shape") && !node.operator().isOnnx("Size");
    }

    /// Whether a branch or a loop takes rows from outside.
    private boolean carries(OnnxGraph body) {
        return body.nodes().stream()
                .anyMatch(node -> node.inputs().stream().anyMatch(axes::containsKey)
                        || node.graphs().stream().anyMatch(this::carries));
    }

    private void edit(OnnxNode node) {
        int axis = node.inputs().stream()
                .map(axes::get)
                .filter(each -> each != null)
                .findFirst()
                .orElse(0);
        int made = node.operator().domain().equals(OperatorName.ONNX) ? edit(node, axis) : axis;
        for (String output : node.outputs()) {
            if (!output.isEmpty()) {
                axes.put(output, made);
            }
        }
    }

    private int edit(OnnxNode node, int axis) {
        return switch (node.operator().name()) {
            case "Reshape" -> reshape(node, axis);
            case "Flatten" -> flatten(node, axis);
            case "Transpose" -> transpose(node, axis);
            case "Squeeze" -> squeeze(node, axis);
            case "Unsqueeze" -> unsqueeze(node, axis);
            case "Resize" -> resize(node, axis);
            default -> node.operator().name().matches("Reduce\\w+|ArgMax|ArgMin") ? reduce(node, axis) : axis;
        };
    }

    /// Dimensions that are summed up go, unless they are to be kept.
    private int reduce(OnnxNode node, int axis) {
        Optional<long[]> from = shapes.of(node.inputs().getFirst());
        boolean keeps = node.attribute("keepdims").map(OnnxAttribute::integer).orElse(1L) != 0;
        if (keeps || from.isEmpty()) {
            return axis;
        }
        int rank = from.get().length;
        boolean[] gone = new boolean[rank];
        Optional<long[]> one = node.attribute("axis").map(attribute -> new long[] {attribute.integer()});
        boolean isArgument = node.operator().name().startsWith("Arg");
        Optional<long[]> given = isArgument ? one.or(() -> Optional.of(new long[] {0})) : axesOf(node);
        boolean all = given.isEmpty() || given.get().length == 0;
        if (all
                && node.attribute("noop_with_empty_axes")
                                .map(OnnxAttribute::integer)
                                .orElse(0L)
                        != 0) {
            return axis;
        }
        Arrays.fill(gone, all);
        mark(gone, given.orElse(new long[0]));
        // Without the batch's own dimension rows are mixed, which is found out when they are run.
        return axis - before(gone, axis);
    }

    private static void mark(boolean[] dimensions, long... axes) {
        for (long each : axes) {
            dimensions[(int) (each < 0 ? each + dimensions.length : each)] = true;
        }
    }

    private static int before(boolean[] gone, int axis) {
        int before = 0;
        for (int i = 0; i < Math.min(axis, gone.length); i++) {
            before += gone[i] ? 1 : 0;
        }
        return before;
    }

    /// Rows follow one another in memory, and so they do when each becomes a leading part of another shape: what was
    /// the leading dimension is as many times as large.
    private int reshape(OnnxNode node, int axis) {
        Optional<long[]> target = node.attribute("shape").map(OnnxAttribute::integers);
        if (target.isEmpty() && node.inputs().size() > 1) {
            target = constants.integers(node.inputs().get(1), MAX_RANK);
        }
        Optional<long[]> from = shapes.of(node.inputs().getFirst());
        Optional<long[]> to = shapes.of(node.outputs().getFirst());
        if (target.isEmpty()
                || from.isEmpty()
                || to.isEmpty()
                || !axes.containsKey(node.inputs().getFirst())) {
            return axis; // the shape is computed, as far as is known from the batch
        }
        boolean zeroIsZero =
                node.attribute("allowzero").map(OnnxAttribute::integer).orElse(0L) != 0;
        long[] dims = target.get();
        if (axis > 0) {
            boolean keeps = axis < dims.length && ((dims[axis] == 0 && !zeroIsZero) || dims[axis] == -1);
            require(keeps, node, "gives another shape to a value whose batch is dimension " + axis);
            return axis;
        }
        require(to.get().length > 0, node, "makes a scalar of the rows");
        if (dims[0] == -1 || (dims[0] == 0 && !zeroIsZero)) {
            return 0;
        }
        long[] wanted = dims.clone();
        if (from.get().length > 0 && from.get()[0] == to.get()[0] && !zeroIsZero) {
            wanted[0] = 0;
        } else {
            wanted = to.get().clone();
            require(Arrays.stream(wanted).noneMatch(dim -> dim == 0), node, "makes a value without elements");
            wanted[0] = -1;
        }
        setShape(node, wanted);
        return 0;
    }

    private void setShape(OnnxNode node, long... shape) {
        changed.add(node.describe());
        if (node.attribute("shape").isPresent()) {
            replace(node, OnnxAttribute.of("shape", shape));
            return;
        }
        setInput(node, 1, constant(node.outputs().getFirst() + "_shape", shape));
    }

    private static void replace(OnnxNode node, OnnxAttribute attribute) {
        List<OnnxAttribute> all = new ArrayList<>(node.attributes());
        all.removeIf(other -> other.name().equals(attribute.name()));
        all.add(attribute);
        node.setAttributes(all);
    }

    private void setInput(OnnxNode node, int index, String name) {
        List<String> inputs = new ArrayList<>(node.inputs());
        replaced.add(inputs.set(index, name));
        node.setInputs(inputs);
    }

    private String constant(String name, long... values) {
        String free = names.free(name);
        added.add(OnnxTensor.ofLongs(free, new long[] {values.length}, values));
        return free;
    }

    private int flatten(OnnxNode node, int axis) {
        long at = node.attribute("axis").map(OnnxAttribute::integer).orElse(1L);
        Optional<long[]> from = shapes.of(node.inputs().getFirst());
        require(axis == 0, node, "makes rows of a value whose batch is dimension " + axis);
        if (at == 0 || from.filter(shape -> at == -shape.length).isPresent()) {
            changed.add(node.describe());
            replace(node, OnnxAttribute.of("axis", 1));
        }
        return 0;
    }

    private int transpose(OnnxNode node, int axis) {
        Optional<long[]> order = node.attribute("perm").map(OnnxAttribute::integers);
        if (order.isEmpty()) {
            return shapes.of(node.outputs().getFirst())
                    .map(shape -> shape.length - 1 - axis)
                    .orElse(axis);
        }
        for (int i = 0; i < order.get().length; i++) {
            if (order.get()[i] == axis) {
                return i;
            }
        }
        return axis;
    }

    private Optional<long[]> axesOf(OnnxNode node) {
        Optional<long[]> attribute = node.attribute("axes").map(OnnxAttribute::integers);
        return attribute.isPresent() || node.inputs().size() < 2
                ? attribute
                : constants.integers(node.inputs().get(1), MAX_RANK);
    }

    private int squeeze(OnnxNode node, int axis) {
        Optional<long[]> from = shapes.of(node.inputs().getFirst());
        if (from.isEmpty()) {
            return axis;
        }
        long[] shape = from.get();
        boolean[] gone = new boolean[shape.length];
        Optional<long[]> given = axesOf(node);
        for (int i = 0; i < shape.length; i++) {
            gone[i] = given.isEmpty() && shape[i] == 1;
        }
        mark(gone, given.orElse(new long[0]));
        require(axis < gone.length && !gone[axis], node, "takes the batch dimension away");
        return axis - before(gone, axis);
    }

    private int unsqueeze(OnnxNode node, int axis) {
        Optional<long[]> to = shapes.of(node.outputs().getFirst());
        Optional<long[]> given = axesOf(node);
        if (to.isEmpty() || given.isEmpty()) {
            return axis;
        }
        boolean[] fresh = new boolean[to.get().length];
        mark(fresh, given.get());
        int at = -1;
        for (int left = axis + 1; left > 0 && at + 1 < fresh.length; ) {
            at++;
            left -= fresh[at] ? 0 : 1;
        }
        return at;
    }

    /// Sizes as a constant hold the batch, too: its part is taken from what is resized.
    private int resize(OnnxNode node, int axis) {
        int last = node.inputs().size() - 1;
        if (axis != 0 || last != 3 || node.attribute("axes").isPresent()) {
            return axis;
        }
        Optional<long[]> sizes = constants.integers(node.inputs().get(last), MAX_RANK);
        if (sizes.isEmpty() || sizes.get().length == 0) {
            return axis;
        }
        String name = node.outputs().getFirst();
        String shape = names.free(name + "_rows_shape");
        String rows = names.free(name + "_rows");
        String all = names.free(name + "_sizes");
        nodes.add(OnnxNode.of(onnx("Shape"), shape, List.of(node.inputs().getFirst()), List.of(shape)));
        nodes.add(OnnxNode.of(onnx("Gather"), rows, List.of(shape, constant(name + "_rows_at", 0)), List.of(rows)));
        long[] others = Arrays.copyOfRange(sizes.get(), 1, sizes.get().length);
        nodes.add(OnnxNode.of(
                onnx("Concat"),
                all,
                List.of(rows, constant(name + "_row_sizes", others)),
                List.of(all),
                OnnxAttribute.of("axis", 0)));
        setInput(node, last, all);
        changed.add(node.describe());
        return 0;
    }

    private static OperatorName onnx(String name) {
        return new OperatorName("", name);
    }

    private static void require(boolean condition, OnnxNode node, String problem) {
        if (!condition) {
            throw new ConversionFailed("node " + node.describe() + " " + problem);
        }
    }

    /// @throws ConversionFailed if an output has no place for the rows
    private void declareOutput(OnnxValue output) {
        String name = "output '" + output.name() + "'";
        Integer axis = axes.get(output.name());
        if (axis == null) {
            throw new ConversionFailed(name + " does not depend on the rows");
        }
        long[] shape = shapes.of(output.name())
                .orElseThrow(() -> new ConversionFailed(name + " is " + output.type() + ", expected a tensor"));
        if (axis != 0 || shape.length == 0 || shape[0] != 1) {
            throw new ConversionFailed(name + " has the shape " + Arrays.toString(shape) + " for one row"
                    + (axis == 0 ? "" : ", the batch being dimension " + axis)
                    + ", expected a leading dimension of 1");
        }
        if (output.shape().filter(dims -> !dims.isEmpty()).isPresent()) {
            output.setDimension(0, Dimension.open(dimension));
        }
    }

    /// Changes what is said of a value; whether it may stay.
    private boolean declare(OnnxValue value) {
        Integer axis = axes.get(value.name());
        if (axis == null) {
            // Made of shapes perhaps: what it is for more rows is not known here.
            return shapes.of(value.name()).isEmpty();
        }
        Optional<List<Dimension>> shape = value.shape();
        if (shape.isPresent() && axis < shape.get().size()) {
            boolean isBatch = shape.get().get(axis).size() == 1;
            value.setDimension(axis, Dimension.open(isBatch ? dimension : ""));
        }
        return shape.isEmpty() || axis < shape.get().size();
    }
}
