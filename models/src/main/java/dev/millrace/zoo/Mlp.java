// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import java.util.Random;

/// A multi-layer perceptron with Relu between layers and one logit at the end, in double; single-threaded.
///
/// All parameters live in one array, layer after layer: weights [inputs][outputs] row by row, then biases. With no
/// hidden layer it is logistic regression. Sums run in a fixed order and only [StrictMath] is used, so that results are
/// equal to the bit on every machine.
final class Mlp {
    private final int[] sizes;
    private final int[] weightsAt;
    private final double[] parameters;

    /// @param sizes inputs, hidden layers, 1
    Mlp(int... sizes) {
        if (sizes.length < 2 || sizes[sizes.length - 1] != 1) {
            throw new IllegalArgumentException("need an input size and one output at the end");
        }
        this.sizes = sizes.clone();
        this.weightsAt = new int[sizes.length];
        for (int layer = 0; layer < layers(); layer++) {
            weightsAt[layer + 1] = weightsAt[layer] + (sizes[layer] + 1) * sizes[layer + 1];
        }
        this.parameters = new double[weightsAt[layers()]];
    }

    /// Scratch memory for one thread: what each layer put out, and the gradient with respect to it.
    final class Workspace {
        private final double[][] out = new double[sizes.length][];
        private final double[][] delta = new double[sizes.length][];

        Workspace() {
            for (int i = 0; i < sizes.length; i++) {
                out[i] = new double[sizes[i]];
                delta[i] = new double[sizes[i]];
            }
        }

        /// The input row, to be filled before [Mlp#forward].
        double[] input() {
            return out[0];
        }
    }

    int layers() {
        return sizes.length - 1;
    }

    int inputs(int layer) {
        return sizes[layer];
    }

    int outputs(int layer) {
        return sizes[layer + 1];
    }

    /// All parameters, live.
    double[] parameters() {
        return parameters;
    }

    /// Position of a layer's weights in the parameters.
    int weightsAt(int layer) {
        return weightsAt[layer];
    }

    /// Position of a layer's biases in the parameters.
    int biasesAt(int layer) {
        return weightsAt[layer] + sizes[layer] * sizes[layer + 1];
    }

    /// Draws weights with the variance that suits Relu (He), biases 0.
    void initialise(Random random) {
        for (int layer = 0; layer < layers(); layer++) {
            double sd = Math.sqrt(2.0 / sizes[layer]);
            for (int i = weightsAt(layer); i < biasesAt(layer); i++) {
                parameters[i] = sd * random.nextGaussian();
            }
        }
    }

    /// The logit of the row in the workspace.
    double forward(Workspace w) {
        for (int layer = 0; layer < layers(); layer++) {
            affine(layer, w.out[layer], w.out[layer + 1]);
            if (layer + 1 < layers()) {
                double[] out = w.out[layer + 1];
                for (int j = 0; j < out.length; j++) {
                    out[j] = Math.max(out[j], 0);
                }
            }
        }
        return w.out[layers()][0];
    }

    private void affine(int layer, double[] in, double[] out) {
        System.arraycopy(parameters, biasesAt(layer), out, 0, out.length);
        int at = weightsAt[layer];
        for (double x : in) {
            for (int j = 0; j < out.length; j++) {
                out[j] += x * parameters[at + j];
            }
            at += out.length;
        }
    }

    /// Adds to the gradient what the row of the last [#forward] contributes.
    ///
    /// @param logitDelta derivative of the loss with respect to the logit
    void backward(Workspace w, double logitDelta, double[] gradient) {
        w.delta[layers()][0] = logitDelta;
        for (int layer = layers() - 1; layer >= 0; layer--) {
            double[] in = w.out[layer];
            double[] delta = w.delta[layer + 1];
            int biases = biasesAt(layer);
            for (int j = 0; j < delta.length; j++) {
                gradient[biases + j] += delta[j];
            }
            for (int i = 0; i < in.length; i++) {
                if (in[i] != 0) {
                    addScaled(delta, in[i], gradient, weightsAt[layer] + i * delta.length);
                }
                w.delta[layer][i] = layer > 0 && in[i] > 0 ? dot(delta, weightsAt[layer] + i * delta.length) : 0;
            }
        }
    }

    private static void addScaled(double[] delta, double factor, double[] gradient, int at) {
        for (int j = 0; j < delta.length; j++) {
            gradient[at + j] += factor * delta[j];
        }
    }

    private double dot(double[] delta, int at) {
        double sum = 0;
        for (int j = 0; j < delta.length; j++) {
            sum += delta[j] * parameters[at + j];
        }
        return sum;
    }

    static double sigmoid(double logit) {
        return 1 / (1 + StrictMath.exp(-logit));
    }

    /// Cross-entropy of a logit against a label, in nats.
    static double logLoss(double logit, boolean label) {
        double z = label ? -logit : logit;
        return Math.max(z, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(z)));
    }
}
