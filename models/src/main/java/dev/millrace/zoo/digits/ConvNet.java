// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// A convolutional network in double: two convolutions of 3 by 3 with Relu and a maximum of 2 by 2 after each, then two
/// layers that are dense. It gives the logits of the classes; single-threaded.
///
/// All parameters live in one array, layer after layer: weights as ONNX has them, then biases. Sums run in a fixed
/// order and only [StrictMath] is used, so that results are equal to the bit on every machine.
final class ConvNet {
    static final int FIRST = 24;
    static final int SECOND = 48;
    static final int HIDDEN = 96;
    /// The elements behind the second maximum.
    static final int FLAT = SECOND * Digits.SIDE / 4 * Digits.SIDE / 4;

    private final Layer[] layers = {
        new Convolution(1, FIRST, Digits.SIDE, 0),
        new MaxPool(FIRST, Digits.SIDE),
        new Convolution(FIRST, SECOND, Digits.SIDE / 2, Convolution.parameters(1, FIRST)),
        new MaxPool(SECOND, Digits.SIDE / 2),
        new Dense(FLAT, HIDDEN, true, Convolution.parameters(1, FIRST) + Convolution.parameters(FIRST, SECOND)),
        new Dense(
                HIDDEN,
                Digits.CLASSES,
                false,
                Convolution.parameters(1, FIRST)
                        + Convolution.parameters(FIRST, SECOND)
                        + Dense.parameters(FLAT, HIDDEN)),
    };
    private final double[] parameters = new double
            [Convolution.parameters(1, FIRST)
                    + Convolution.parameters(FIRST, SECOND)
                    + Dense.parameters(FLAT, HIDDEN)
                    + Dense.parameters(HIDDEN, Digits.CLASSES)];
    private final double[][] values = new double[layers.length + 1][];
    private final double[][] deltas = new double[layers.length + 1][];

    ConvNet() {
        values[0] = new double[Digits.PIXELS];
        deltas[0] = new double[Digits.PIXELS];
        for (int i = 0; i < layers.length; i++) {
            values[i + 1] = new double[layers[i].outputs()];
            deltas[i + 1] = new double[layers[i].outputs()];
        }
    }

    /// The layers with parameters, in their order.
    List<Weights> weights() {
        return Arrays.stream(layers)
                .filter(Weights.class::isInstance)
                .map(Weights.class::cast)
                .toList();
    }

    /// All parameters, live.
    double[] parameters() {
        return parameters;
    }

    /// Draws weights with the variance that suits Relu (He), biases 0.
    void initialise(Random random) {
        for (Weights layer : weights()) {
            double sd = Math.sqrt(2.0 / layer.fanIn());
            for (int i = layer.weightsAt(); i < layer.biasesAt(); i++) {
                parameters[i] = sd * random.nextGaussian();
            }
        }
    }

    /// The input, pixels from 0 to 1, to be filled before [#forward].
    double[] input() {
        return values[0];
    }

    /// The logits of what is in the input; they change with the next call.
    double[] forward() {
        for (int i = 0; i < layers.length; i++) {
            layers[i].forward(parameters, values[i], values[i + 1]);
        }
        return values[layers.length];
    }

    /// The derivatives of the loss by the logits, to be filled before [#backward].
    double[] logitDeltas() {
        return deltas[layers.length];
    }

    /// Adds to the gradient what the last [#forward] contributes.
    void backward(double[] gradient) {
        for (int i = layers.length - 1; i >= 0; i--) {
            layers[i].backward(parameters, values[i], values[i + 1], deltas[i + 1], deltas[i], gradient);
        }
    }

    /// Probabilities instead of logits, in place.
    static void softmax(double[] logits) {
        double max = Arrays.stream(logits).max().orElseThrow();
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            logits[i] = StrictMath.exp(logits[i] - max);
            sum += logits[i];
        }
        for (int i = 0; i < logits.length; i++) {
            logits[i] /= sum;
        }
    }

    /// A part of the network.
    private interface Layer {
        int outputs();

        void forward(double[] parameters, double[] in, double[] out);

        /// @param outDelta the derivatives by what it put out; may be changed
        /// @param inDelta to be set to those by what it took
        void backward(
                double[] parameters, double[] in, double[] out, double[] outDelta, double[] inDelta, double[] gradient);
    }

    /// A layer with parameters.
    interface Weights {
        /// Where its weights are in the parameters.
        int weightsAt();

        /// Where its biases are, behind the weights.
        int biasesAt();

        /// How many biases it has.
        int units();

        /// How many inputs each of its outputs has.
        int fanIn();
    }

    /// A convolution of 3 by 3 with a border of zeros, and Relu.
    private static final class Convolution implements Layer, Weights {
        private static final int KERNEL = 3;

        private final int inputs;
        private final int channels;
        private final int side;
        private final int at;
        private final double[] columns;
        private final double[] columnDeltas;

        Convolution(int inputs, int channels, int side, int at) {
            this.inputs = inputs;
            this.channels = channels;
            this.side = side;
            this.at = at;
            this.columns = new double[fanIn() * side * side];
            this.columnDeltas = new double[columns.length];
        }

        static int parameters(int inputs, int channels) {
            return (inputs * KERNEL * KERNEL + 1) * channels;
        }

        @Override
        public int outputs() {
            return channels * side * side;
        }

        @Override
        public int weightsAt() {
            return at;
        }

        @Override
        public int biasesAt() {
            return at + fanIn() * channels;
        }

        @Override
        public int units() {
            return channels;
        }

        @Override
        public int fanIn() {
            return inputs * KERNEL * KERNEL;
        }

        /// What each place of the kernel sees, picture after picture, as rows of a matrix; or what goes back there.
        private void eachSeen(boolean back, double[] picture) {
            int row = 0;
            for (int channel = 0; channel < inputs; channel++) {
                for (int k = 0; k < KERNEL * KERNEL; k++) {
                    int down = k / KERNEL - 1;
                    int right = k % KERNEL - 1;
                    for (int y = Math.max(0, -down); y < Math.min(side, side - down); y++) {
                        int to = (row * side + y) * side;
                        int from = (channel * side + y + down) * side + right;
                        for (int x = Math.max(0, -right); x < Math.min(side, side - right); x++) {
                            if (back) {
                                picture[from + x] += columnDeltas[to + x];
                            } else {
                                columns[to + x] = picture[from + x];
                            }
                        }
                    }
                    row++;
                }
            }
        }

        @Override
        public void forward(double[] parameters, double[] in, double[] out) {
            eachSeen(false, in);
            int area = side * side;
            for (int channel = 0; channel < channels; channel++) {
                int to = channel * area;
                Arrays.fill(out, to, to + area, parameters[biasesAt() + channel]);
                for (int k = 0; k < fanIn(); k++) {
                    addScaled(columns, k * area, parameters[at + channel * fanIn() + k], out, to, area);
                }
                for (int i = to; i < to + area; i++) {
                    out[i] = Math.max(out[i], 0);
                }
            }
        }

        @Override
        public void backward(
                double[] parameters,
                double[] in,
                double[] out,
                double[] outDelta,
                double[] inDelta,
                double[] gradient) {
            int area = side * side;
            Arrays.fill(columnDeltas, 0);
            for (int channel = 0; channel < channels; channel++) {
                int from = channel * area;
                double sum = 0;
                for (int i = from; i < from + area; i++) {
                    outDelta[i] = out[i] > 0 ? outDelta[i] : 0;
                    sum += outDelta[i];
                }
                gradient[biasesAt() + channel] += sum;
                for (int k = 0; k < fanIn(); k++) {
                    int weight = at + channel * fanIn() + k;
                    gradient[weight] += dot(outDelta, from, columns, k * area, area);
                    addScaled(outDelta, from, parameters[weight], columnDeltas, k * area, area);
                }
            }
            Arrays.fill(inDelta, 0);
            eachSeen(true, inDelta);
        }
    }

    /// The maximum of each 2 by 2.
    private static final class MaxPool implements Layer {
        private final int channels;
        private final int side;

        MaxPool(int channels, int side) {
            this.channels = channels;
            this.side = side;
        }

        @Override
        public int outputs() {
            return channels * (side / 2) * (side / 2);
        }

        /// Where the largest of those is that an output is made of; the first of equal ones.
        private int largest(double[] in, int output) {
            int half = side / 2;
            int x = output % half;
            int row = output / half;
            int best = 2 * row * side + 2 * x;
            for (int other : new int[] {best + 1, best + side, best + side + 1}) {
                best = in[other] > in[best] ? other : best;
            }
            return best;
        }

        @Override
        public void forward(double[] parameters, double[] in, double[] out) {
            for (int i = 0; i < out.length; i++) {
                out[i] = in[largest(in, i)];
            }
        }

        @Override
        public void backward(
                double[] parameters,
                double[] in,
                double[] out,
                double[] outDelta,
                double[] inDelta,
                double[] gradient) {
            Arrays.fill(inDelta, 0);
            for (int i = 0; i < out.length; i++) {
                inDelta[largest(in, i)] += outDelta[i];
            }
        }
    }

    /// All with all, and Relu unless it is the last.
    private static final class Dense implements Layer, Weights {
        private final int inputs;
        private final int units;
        private final boolean relu;
        private final int at;

        Dense(int inputs, int units, boolean relu, int at) {
            this.inputs = inputs;
            this.units = units;
            this.relu = relu;
            this.at = at;
        }

        static int parameters(int inputs, int units) {
            return (inputs + 1) * units;
        }

        @Override
        public int outputs() {
            return units;
        }

        @Override
        public int weightsAt() {
            return at;
        }

        @Override
        public int biasesAt() {
            return at + inputs * units;
        }

        @Override
        public int units() {
            return units;
        }

        @Override
        public int fanIn() {
            return inputs;
        }

        @Override
        public void forward(double[] parameters, double[] in, double[] out) {
            System.arraycopy(parameters, biasesAt(), out, 0, units);
            for (int i = 0; i < inputs; i++) {
                addScaled(parameters, at + i * units, in[i], out, 0, units);
            }
            for (int i = 0; relu && i < units; i++) {
                out[i] = Math.max(out[i], 0);
            }
        }

        @Override
        public void backward(
                double[] parameters,
                double[] in,
                double[] out,
                double[] outDelta,
                double[] inDelta,
                double[] gradient) {
            for (int i = 0; i < units; i++) {
                outDelta[i] = relu && out[i] <= 0 ? 0 : outDelta[i];
                gradient[biasesAt() + i] += outDelta[i];
            }
            for (int i = 0; i < inputs; i++) {
                addScaled(outDelta, 0, in[i], gradient, at + i * units, units);
                inDelta[i] = dot(outDelta, 0, parameters, at + i * units, units);
            }
        }
    }

    private static void addScaled(double[] from, int fromAt, double factor, double[] to, int toAt, int count) {
        for (int i = 0; i < count; i++) {
            to[toAt + i] += factor * from[fromAt + i];
        }
    }

    private static double dot(double[] a, int aAt, double[] b, int bAt, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[aAt + i] * b[bAt + i];
        }
        return sum;
    }
}
