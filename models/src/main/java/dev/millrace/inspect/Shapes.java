// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// The shapes of what operators make, by the shapes of what they take, all of whose dimensions are known. Operators
/// that are not here have outputs of unknown shape. Stateless.
///
/// What does not fit together is some [RuntimeException]: the shape is not known then.
final class Shapes {
    private Shapes() {}

    /// What is known of the outputs of a node.
    static List<Fact> of(Step step) {
        return switch (step.name()) {
            case "Split" -> split(step);
            case "LSTM", "GRU", "RNN", "DynamicQuantizeLSTM" -> recurrent(step);
            case "TopK" -> Collections.nCopies(2, topK(step));
            case "DynamicQuantizeLinear" -> List.of(Fact.of(step.shape(0)), Fact.of(), Fact.of());
            case "TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier" ->
                List.of(Fact.of(step.shape(0)[0]), Fact.of(step.shape(0)[0], classes(step)));
            default -> List.of(first(step));
        };
    }

    private static Fact first(Step step) {
        return switch (step.name()) {
            case "MatMul", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "FusedMatMul" ->
                matMul(step.shape(0), step.shape(1));
            case "QLinearMatMul" -> matMul(step.shape(0), step.shape(3));
            case "Gemm", "FusedGemm" -> gemm(step, 1);
            case "QGemm" -> gemm(step, 3);
            case "Conv", "FusedConv", "ConvInteger" -> Windows.convolution(step, step.shape(1));
            case "QLinearConv" -> Windows.convolution(step, step.shape(3));
            case "ConvTranspose" -> Windows.transposed(step);
            case "MaxPool", "AveragePool", "LpPool", "QLinearAveragePool" -> Windows.pool(step);
            case "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "QLinearGlobalAveragePool" -> globalPool(step);
            case "Flatten" -> flatten(step);
            case "Concat" -> Layouts.concat(step);
            case "Transpose" -> Layouts.transpose(step);
            case "Reshape" -> Layouts.reshape(step);
            case "Squeeze" -> Layouts.squeeze(step);
            case "Unsqueeze" -> Layouts.unsqueeze(step);
            case "Slice" -> Layouts.slice(step);
            case "Gather" -> Layouts.gather(step);
            case "Pad" -> Layouts.pad(step);
            case "Expand" -> Layouts.expand(step);
            case "Tile" -> Layouts.tile(step);
            case "Resize", "Upsample" -> Windows.resize(step);
            case "DepthToSpace" -> Layouts.depthToSpace(step);
            case "SpaceToDepth" -> Layouts.spaceToDepth(step);
            case "Shape", "Size", "Constant", "ConstantOfShape", "Range", "OneHot" -> SmallValues.first(step);
            case "ArgMax", "ArgMin" -> reduce(step, new long[] {step.number("axis", 0)});
            case "TreeEnsembleRegressor", "LinearRegressor", "SVMRegressor" ->
                Fact.of(step.shape(0)[0], step.number("n_targets", step.number("targets", 1)));
            default -> step.name().startsWith("Reduce") ? reduce(step) : elementwise(step);
        };
    }

    /// Operators that work element by element, on shapes that are broadcast.
    private static Fact elementwise(Step step) {
        return switch (step.name()) {
            case "Add",
                    "Sub",
                    "Mul",
                    "Div",
                    "Pow",
                    "Mod",
                    "And",
                    "Or",
                    "Xor",
                    "Equal",
                    "Greater",
                    "GreaterOrEqual",
                    "Less",
                    "LessOrEqual",
                    "BitShift",
                    "BitwiseAnd",
                    "BitwiseOr",
                    "BitwiseXor",
                    "PRelu" -> SmallValues.binary(step, broadcast(step.shape(0), step.shape(1)));
            case "Sum", "Mean", "Max", "Min" -> {
                long[] shape = step.shape(0);
                for (int i = 1; i < step.inputs(); i++) {
                    shape = broadcast(shape, step.shape(i));
                }
                yield Fact.of(shape);
            }
            case "Where" -> SmallValues.where(step, broadcast(broadcast(step.shape(0), step.shape(1)), step.shape(2)));
            case "QLinearAdd", "QLinearMul" -> Fact.of(broadcast(step.shape(0), step.shape(3)));
            case "Identity" -> step.known(0);
            case "Cast" -> SmallValues.cast(step);
            case "GatherElements" -> Fact.of(step.shape(1));
            default -> {
                if (!Elementwise.SHAPE_KEEPERS.contains(step.name())) {
                    throw new Step.UnknownShape();
                }
                yield Fact.of(step.shape(0));
            }
        };
    }

    static long[] broadcast(long[] one, long[] other) {
        int rank = Math.max(one.length, other.length);
        long[] shape = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long a = i <= one.length ? one[one.length - i] : 1;
            long b = i <= other.length ? other[other.length - i] : 1;
            if (a != b && a != 1 && b != 1) {
                throw new IllegalArgumentException("shapes that do not fit");
            }
            shape[rank - i] = a == 1 ? b : a;
        }
        return shape;
    }

    private static Fact matMul(long[] a, long[] b) {
        long[] left = a.length == 1 ? new long[] {1, a[0]} : a;
        long[] right = b.length == 1 ? new long[] {b[0], 1} : b;
        long[] batch = broadcast(Arrays.copyOf(left, left.length - 2), Arrays.copyOf(right, right.length - 2));
        List<Long> shape = new ArrayList<>(Arrays.stream(batch).boxed().toList());
        if (a.length > 1) {
            shape.add(left[left.length - 2]);
        }
        if (b.length > 1) {
            shape.add(right[right.length - 1]);
        }
        return Fact.of(shape.stream().mapToLong(Long::longValue).toArray());
    }

    private static Fact gemm(Step step, int weights) {
        long[] a = step.shape(0);
        long[] b = step.shape(weights);
        return Fact.of(step.number("transA", 0) == 0 ? a[0] : a[1], step.number("transB", 0) == 0 ? b[1] : b[0]);
    }

    private static Fact globalPool(Step step) {
        long[] shape = step.shape(0).clone();
        Arrays.fill(shape, 2, shape.length, 1);
        return Fact.of(shape);
    }

    private static Fact flatten(Step step) {
        long[] shape = step.shape(0);
        long axis = step.number("axis", 1);
        int at = (int) (axis < 0 ? axis + shape.length : axis);
        return Fact.of(Fact.product(shape, 0, at), Fact.product(shape, at, shape.length));
    }

    private static Fact reduce(Step step) {
        long[] axes = step.numbers("axes", 1);
        if (axes == null || axes.length == 0) {
            if (step.number("noop_with_empty_axes", 0) == 1) {
                return step.known(0);
            }
            int rank = step.known(0).rank();
            axes = new long[rank];
            Arrays.setAll(axes, i -> i);
        }
        return reduce(step, axes);
    }

    private static Fact reduce(Step step, long[] axes) {
        Fact data = step.known(0);
        boolean keep = step.number("keepdims", 1) == 1;
        boolean[] reduced = new boolean[data.rank()];
        for (long axis : axes) {
            reduced[data.axis(axis)] = true;
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < reduced.length; i++) {
            if (!reduced[i]) {
                shape.add(data.shape()[i]);
            } else if (keep) {
                shape.add(1L);
            }
        }
        return SmallValues.reduced(
                step, shape.stream().mapToLong(Long::longValue).toArray());
    }

    private static List<Fact> split(Step step) {
        Fact data = step.known(0);
        int axis = data.axis(step.number("axis", 0));
        long[] sizes = step.numbers("split", 1);
        int count = step.outputs();
        long each = (data.shape()[axis] + count - 1) / count;
        List<Fact> parts = new ArrayList<>();
        long left = data.shape()[axis];
        for (int i = 0; i < count; i++) {
            step.spend(Estimate.FACT_BYTES + data.heapBytes());
            long[] shape = data.shape().clone();
            shape[axis] = sizes == null ? Math.min(each, left) : sizes[i];
            left -= shape[axis];
            parts.add(Fact.of(shape));
        }
        return parts;
    }

    /// Layout 0 of the recurrent operators: steps, then the batch.
    private static List<Fact> recurrent(Step step) {
        if (step.number("layout", 0) != 0) {
            throw new Step.UnknownShape();
        }
        long[] data = step.shape(0);
        long hidden = step.number("hidden_size", 0);
        long directions = step.text("direction", "forward").equals("bidirectional") ? 2 : 1;
        Fact last = Fact.of(directions, data[1], hidden);
        return List.of(Fact.of(data[0], directions, data[1], hidden), last, last);
    }

    private static Fact topK(Step step) {
        Fact data = step.known(0);
        long[] shape = data.shape().clone();
        shape[data.axis(step.number("axis", -1))] = step.has("k") ? step.number("k", 0) : step.values(1)[0];
        return Fact.of(shape);
    }

    private static long classes(Step step) {
        for (String labels : List.of("classlabels_int64s", "classlabels_ints")) {
            if (step.has(labels) && step.attribute(labels).integerCount() > 0) {
                return step.attribute(labels).integerCount();
            }
        }
        if (step.has("classlabels_strings")) {
            return step.attribute("classlabels_strings").texts().size();
        }
        throw new Step.UnknownShape();
    }
}
