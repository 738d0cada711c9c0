// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

/// A trained network, pixels in, probabilities out; single-threaded because of the network's scratch memory.
///
/// @param net its parameters are float values
record Classifier(ConvNet net) {
    /// How well it does.
    ///
    /// @param accuracy the part of the pictures whose digit has the highest probability
    /// @param logLoss the mean cross-entropy in nats
    /// @param wrong how many it takes for another digit
    record Score(double accuracy, double logLoss, int wrong) {}

    double[] probabilities(int[] pixels) {
        for (int i = 0; i < pixels.length; i++) {
            net.input()[i] = (double) pixels[i] / Digits.INK;
        }
        double[] probabilities = net.forward().clone();
        ConvNet.softmax(probabilities);
        return probabilities;
    }

    Score score(Digits digits) {
        double loss = 0;
        int wrong = 0;
        for (int i = 0; i < digits.size(); i++) {
            double[] probabilities = probabilities(digits.pixels().get(i));
            int label = digits.labels().get(i);
            loss -= StrictMath.log(probabilities[label]);
            wrong += largest(probabilities) == label ? 0 : 1;
        }
        return new Score(1 - (double) wrong / digits.size(), loss / digits.size(), wrong);
    }

    private static int largest(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
