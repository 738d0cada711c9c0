// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ConvNetTest {
    private static final double STEP = 1e-6;
    private static final int LABEL = 3;

    private final ConvNet net = new ConvNet();
    private final Random random = new Random(5);

    private ConvNetTest() {
        net.initialise(random);
        for (int i = 0; i < net.input().length; i++) {
            net.input()[i] = random.nextDouble();
        }
    }

    private double loss() {
        double[] probabilities = net.forward().clone();
        ConvNet.softmax(probabilities);
        return -StrictMath.log(probabilities[LABEL]);
    }

    @Test
    void shouldHaveTheGradientThatFiniteDifferencesGive() {
        double[] gradient = new double[net.parameters().length];
        System.arraycopy(net.forward(), 0, net.logitDeltas(), 0, Digits.CLASSES);
        ConvNet.softmax(net.logitDeltas());
        net.logitDeltas()[LABEL] -= 1;

        net.backward(gradient);

        for (ConvNet.Weights layer : net.weights()) {
            check(gradient, layer.weightsAt());
            check(gradient, layer.biasesAt() - 1);
            check(gradient, layer.biasesAt());
            check(gradient, layer.biasesAt() + layer.units() - 1);
            for (int i = 0; i < 25; i++) {
                check(gradient, layer.weightsAt() + random.nextInt(layer.biasesAt() - layer.weightsAt()));
            }
        }
    }

    private void check(double[] gradient, int parameter) {
        double value = net.parameters()[parameter];
        net.parameters()[parameter] = value + STEP;
        double above = loss();
        net.parameters()[parameter] = value - STEP;
        double below = loss();
        net.parameters()[parameter] = value;
        assertThat(gradient[parameter])
                .as("parameter %d", parameter)
                .isCloseTo((above - below) / (2 * STEP), within(1e-7));
    }

    @Test
    void shouldHaveALayerAfterTheOther() {
        int at = 0;
        for (ConvNet.Weights layer : net.weights()) {
            assertThat(layer.weightsAt()).isEqualTo(at);
            assertThat(layer.biasesAt()).isEqualTo(at + layer.fanIn() * layer.units());
            at = layer.biasesAt() + layer.units();
        }
        assertThat(net.parameters()).hasSize(at);
    }

    @Test
    void shouldGiveProbabilitiesWhenLogitsAreExtreme() {
        double[] values = {1e6, -1e6, 1e6};

        ConvNet.softmax(values);

        assertThat(values).containsExactly(0.5, 0, 0.5);
    }
}
