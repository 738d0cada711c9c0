// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import java.util.Arrays;
import java.util.Random;

/// Trains a [Scorer]'s network with Adam on mini-batches and stops when validation no longer improves; single-threaded.
///
/// Frauds may count more in the loss than honest payments. Such a weight multiplies the odds that the network learns,
/// so its logarithm is taken off the last bias when training ends: scores stay probabilities. Validation looks at the
/// plain log loss of the corrected scores.
final class AdamTrainer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final Settings settings;
    private final Scorer scorer;
    private final Mlp net;
    private final Mlp.Workspace workspace;
    private final double logitShift;
    private final double[] gradient;
    private final double[] firstMoment;
    private final double[] secondMoment;
    private double beta1Power = 1;
    private double beta2Power = 1;

    /// How to train.
    ///
    /// @param seed           for initial weights and the order of rows
    /// @param learningRate   Adam's step size
    /// @param batch          rows per step
    /// @param maxEpochs      passes over the training rows at most
    /// @param patience       passes without a better validation loss before stopping
    /// @param positiveWeight weight of a fraud in the loss, an honest payment has 1
    /// @param weightDecay    fraction of the learning rate by which parameters shrink each step
    record Settings(
            long seed,
            double learningRate,
            int batch,
            int maxEpochs,
            int patience,
            double positiveWeight,
            double weightDecay) {}

    /// What happened: log losses in nats per row.
    record Report(int epochs, int bestEpoch, double bestValidationLoss) {}

    AdamTrainer(Scorer scorer, Settings settings) {
        this.scorer = scorer;
        this.settings = settings;
        this.net = scorer.net();
        this.workspace = net.new Workspace();
        this.logitShift = -StrictMath.log(settings.positiveWeight());
        this.gradient = new double[net.parameters().length];
        this.firstMoment = new double[gradient.length];
        this.secondMoment = new double[gradient.length];
    }

    /// Trains and leaves the best parameters, rounded to float, in the network.
    Report train(Dataset training, boolean[] labels, Dataset validation, boolean[] validationLabels) {
        Random random = new Random(settings.seed());
        net.initialise(random);
        double[][] rows = standardised(training);
        double[][] validationRows = standardised(validation);
        int[] order = new int[rows.length];
        Arrays.setAll(order, i -> i);
        double[] best = net.parameters().clone();
        double bestLoss = Double.POSITIVE_INFINITY;
        int bestEpoch = 0;
        int epoch = 0;
        while (epoch < settings.maxEpochs() && epoch - bestEpoch < settings.patience()) {
            epoch++;
            shuffle(order, random);
            for (int from = 0; from < order.length; from += settings.batch()) {
                step(rows, labels, order, from, Math.min(order.length, from + settings.batch()));
            }
            double loss = loss(validationRows, validationLabels);
            if (loss < bestLoss) {
                bestLoss = loss;
                bestEpoch = epoch;
                best = net.parameters().clone();
            }
        }
        adopt(best);
        return new Report(epoch, bestEpoch, bestLoss);
    }

    private double[][] standardised(Dataset data) {
        double[][] rows = new double[data.size()][net.inputs(0)];
        for (int i = 0; i < rows.length; i++) {
            scorer.standardise(data.rows().get(i), rows[i]);
        }
        return rows;
    }

    private static void shuffle(int[] order, Random random) {
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    private void step(double[][] rows, boolean[] labels, int[] order, int from, int to) {
        Arrays.fill(gradient, 0);
        for (int k = from; k < to; k++) {
            int i = order[k];
            double probability = Mlp.sigmoid(logit(rows[i]));
            double delta = labels[i] ? settings.positiveWeight() * (probability - 1) : probability;
            net.backward(workspace, delta / (to - from), gradient);
        }
        beta1Power *= BETA1;
        beta2Power *= BETA2;
        double[] parameters = net.parameters();
        double shrink = settings.learningRate() * settings.weightDecay();
        for (int p = 0; p < parameters.length; p++) {
            double g = gradient[p];
            firstMoment[p] = BETA1 * firstMoment[p] + (1 - BETA1) * g;
            secondMoment[p] = BETA2 * secondMoment[p] + (1 - BETA2) * g * g;
            double m = firstMoment[p] / (1 - beta1Power);
            double v = secondMoment[p] / (1 - beta2Power);
            parameters[p] -= settings.learningRate() * m / (Math.sqrt(v) + EPSILON) + shrink * parameters[p];
        }
    }

    private double logit(double[] row) {
        System.arraycopy(row, 0, workspace.input(), 0, row.length);
        return net.forward(workspace);
    }

    private double loss(double[][] rows, boolean[] labels) {
        double sum = 0;
        for (int i = 0; i < rows.length; i++) {
            sum += Mlp.logLoss(logit(rows[i]) + logitShift, labels[i]);
        }
        return sum / rows.length;
    }

    private void adopt(double[] best) {
        double[] parameters = net.parameters();
        System.arraycopy(best, 0, parameters, 0, best.length);
        parameters[parameters.length - 1] += logitShift;
        for (int p = 0; p < parameters.length; p++) {
            parameters[p] = (float) parameters[p];
        }
    }
}
