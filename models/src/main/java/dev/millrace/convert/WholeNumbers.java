// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Finds floats that stand for whole numbers: ids, places and counts. Halves have those up to 2048 only, and a rounded
/// id is another's. They are what becomes something else than floats in the end, or is looked for, and what that is
/// made of by moving elements and by simple arithmetic. What a layer of a network makes is no such number.
///
/// It follows values by their names, through branches and loops, too; that two bodies may use one name for two values
/// keeps a node more float, never one less.
///
/// Threads: one. Immutable once it is made.
final class WholeNumbers {
    /// What looks for floats, or makes places or sizes of them.
    private static final Set<String> COUNTING = Set.of("CastLike", "Equal", "OneHot", "Range", "Unique");

    /// What makes sizes of floats that it takes, but not of the first.
    private static final Set<String> SIZING = Set.of("Resize", "Upsample");

    /// Keys of tables and limits of trees are exact.
    private static final String TABLES_AND_TREES = "ai.onnx.ml";

    /// What a whole number is one after, too, or was one before.
    private static final Set<String> CARRYING = Set.of(
            "Abs",
            "Add",
            "And",
            "Cast",
            "Ceil",
            "Clip",
            "Compress",
            "Concat",
            "Constant",
            "ConstantOfShape",
            "CumSum",
            "DepthToSpace",
            "Div",
            "Dropout",
            "Expand",
            "Flatten",
            "Floor",
            "Gather",
            "GatherElements",
            "GatherND",
            "Greater",
            "GreaterOrEqual",
            "Identity",
            "Less",
            "LessOrEqual",
            "Max",
            "Min",
            "Mod",
            "Mul",
            "Neg",
            "Not",
            "Or",
            "Pad",
            "ReduceMax",
            "ReduceMin",
            "ReduceSum",
            "Reshape",
            "ReverseSequence",
            "Round",
            "ScatterElements",
            "ScatterND",
            "Sign",
            "Slice",
            "SpaceToDepth",
            "Split",
            "Squeeze",
            "Sub",
            "Sum",
            "Tile",
            "TopK",
            "Transpose",
            "Trilu",
            "Unsqueeze",
            "Where",
            "Xor");

    private final Set<String> exact = new HashSet<>();

    private WholeNumbers() {}

    static WholeNumbers of(OnnxGraph graph) {
        WholeNumbers numbers = new WholeNumbers();
        new Walk(numbers.exact).walk(graph);
        return numbers;
    }

    /// Whether a node makes or takes such numbers.
    boolean has(HalfNode node) {
        return isCounting(node)
                || (CARRYING.contains(node.operator().name())
                        && node.outputs().stream().anyMatch(exact::contains));
    }

    private static boolean isCounting(HalfNode node) {
        String name = node.operator().name();
        return COUNTING.contains(name) || (name.equals("Cast") && !toFloat(node.node()));
    }

    private static boolean toFloat(OnnxNode node) {
        long to = node.attribute("to").map(OnnxAttribute::integer).orElse(0L);
        return to == ElementType.FLOAT.code() || to == ElementType.FLOAT16.code() || to == ElementType.BFLOAT16.code();
    }

    /// Goes from what becomes whole numbers back to what it is made of.
    private static final class Walk {
        private final Set<String> exact;
        private final Deque<String> open = new ArrayDeque<>();
        /// What values are made of that may be whole numbers.
        private final Map<String, List<List<String>>> sources = new HashMap<>();

        Walk(Set<String> exact) {
            this.exact = exact;
        }

        void walk(OnnxGraph graph) {
            collect(graph);
            while (!open.isEmpty()) {
                sources.getOrDefault(open.remove(), List.of()).forEach(this::add);
            }
        }

        private void add(List<String> names) {
            for (String name : names) {
                if (!name.isEmpty() && exact.add(name)) {
                    open.add(name);
                }
            }
        }

        private void collect(OnnxGraph graph) {
            for (OnnxNode each : graph.nodes()) {
                HalfNode node = HalfNode.of(each);
                List<String> inputs = node.inputs();
                if (isCounting(node) || node.operator().domain().equals(TABLES_AND_TREES)) {
                    add(inputs);
                } else if (SIZING.contains(node.operator().name()) && !inputs.isEmpty()) {
                    add(inputs.subList(1, inputs.size()));
                }
                if (CARRYING.contains(node.operator().name())) {
                    link(node.outputs(), inputs);
                }
                for (OnnxGraph body : each.graphs()) {
                    // What is given may be what is taken, and in a loop what was made the round before.
                    List<String> given =
                            body.outputs().stream().map(OnnxValue::name).toList();
                    List<String> before = new ArrayList<>(inputs);
                    before.addAll(given);
                    link(node.outputs(), given);
                    link(body.inputs().stream().map(OnnxValue::name).toList(), before);
                    collect(body);
                }
            }
        }

        private void link(List<String> made, List<String> of) {
            for (String name : made) {
                sources.computeIfAbsent(name, _ -> new ArrayList<>(1)).add(of);
            }
        }
    }
}
