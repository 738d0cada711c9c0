// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// How many arithmetic operations a node takes: a multiplication and an addition are two, any other function of an
/// element is one, and moving elements is none. Stateless.
final class Work {
    private static final Set<String> POOLS = Set.of("MaxPool", "AveragePool", "LpPool", "QLinearAveragePool");

    /// Operations per element of those that take several passes, estimated by counting them.
    private static final int SOFTMAX = 5;

    private static final int NORMALIZATION = 6;
    private static final int SCALE_AND_SHIFT = 2;
    private static final int RESIZE = 7;

    private Work() {}

    /// @param outputs what is known of the node's outputs
    /// @throws RuntimeException if it cannot be told
    static long of(Step step, List<Fact> outputs) {
        if (Elementwise.MOVERS.contains(step.name())) {
            return 0;
        }
        return switch (step.name()) {
            case "MatMul",
                    "MatMulInteger",
                    "MatMulIntegerToFloat",
                    "DynamicQuantizeMatMul",
                    "FusedMatMul",
                    "QLinearMatMul" -> products(outputs.getFirst(), last(step.shape(0)));
            case "Gemm", "FusedGemm" -> gemm(step, outputs.getFirst(), 2);
            case "QGemm" -> gemm(step, outputs.getFirst(), 6);
            case "Conv", "FusedConv", "ConvInteger" -> convolution(step, outputs.getFirst(), 1, 2);
            case "QLinearConv" -> convolution(step, outputs.getFirst(), 3, 8);
            case "ConvTranspose" -> products(step.known(0), Fact.product(step.shape(1), 1, step.shape(1).length));
            case "LSTM", "DynamicQuantizeLSTM" -> recurrent(step, 4);
            case "GRU" -> recurrent(step, 3);
            case "RNN" -> recurrent(step, 1);
            case "TreeEnsembleClassifier", "TreeEnsembleRegressor" -> Trees.comparisons(step);
            case "LinearClassifier", "LinearRegressor" ->
                Math.multiplyExact(
                        step.shape(0)[0], 2 * step.attribute("coefficients").realCount());
            case "Resize", "Upsample" -> each(outputs.getFirst(), RESIZE);
            default -> other(step, outputs);
        };
    }

    private static long other(Step step, List<Fact> outputs) {
        if (POOLS.contains(step.name())) {
            long[] window = step.numbers("kernel_shape");
            return each(outputs.getFirst(), Fact.product(window, 0, window.length));
        }
        if (step.name().startsWith("Global")
                || step.name().startsWith("Reduce")
                || step.name().startsWith("Arg")) {
            return step.known(0).elements();
        }
        return each(outputs.getFirst(), perElement(step));
    }

    private static long perElement(Step step) {
        return switch (step.name()) {
            case "Softmax", "LogSoftmax", "QLinearSoftmax", "Hardmax" -> SOFTMAX;
            case "BatchNormalization", "Scaler", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear" ->
                SCALE_AND_SHIFT;
            case "LRN", "Normalizer" -> NORMALIZATION;
            case "Sum", "Mean", "Max", "Min" -> Math.max(1, step.inputs() - 1);
            default -> step.name().endsWith("Normalization") ? NORMALIZATION : 1;
        };
    }

    private static long each(Fact fact, long operations) {
        return Math.multiplyExact(known(fact).elements(), operations);
    }

    /// So many multiplications and additions for each element.
    private static long products(Fact fact, long terms) {
        return Math.multiplyExact(2, each(fact, terms));
    }

    private static Fact known(Fact fact) {
        if (!fact.isKnown()) {
            throw new Step.UnknownShape();
        }
        return fact;
    }

    private static long last(long[] shape) {
        return shape[shape.length - 1];
    }

    private static long gemm(Step step, Fact output, int bias) {
        long terms = step.shape(0)[step.number("transA", 0) == 0 ? 1 : 0];
        return Math.addExact(products(output, terms), step.in(bias).isKnown() ? output.elements() : 0);
    }

    private static long convolution(Step step, Fact output, int weights, int bias) {
        long[] kernel = step.shape(weights);
        long products = products(output, Fact.product(kernel, 1, kernel.length));
        return Math.addExact(products, step.in(bias).isKnown() ? output.elements() : 0);
    }

    /// For each step, row and direction, as many gates over the input and what is kept of the step before.
    private static long recurrent(Step step, long gates) {
        long[] data = step.shape(0);
        long hidden = step.number("hidden_size", 0);
        long directions = step.text("direction", "forward").equals("bidirectional") ? 2 : 1;
        return Arrays.stream(
                        new long[] {2, data[0], data[1], directions, gates, hidden, Math.addExact(data[2], hidden)})
                .reduce(1, Math::multiplyExact);
    }
}
