// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MlpTest {
    private static final double STEP = 1e-6;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveTheGradientThatFiniteDifferencesGive(boolean label) {
        for (int[] sizes : new int[][] {{5, 7, 4, 1}, {5, 3, 1}, {5, 1}}) {
            Random random = new Random(3);
            Mlp net = new Mlp(sizes);
            Mlp.Workspace w = net.new Workspace();
            net.initialise(random);
            for (int i = 0; i < 5; i++) {
                w.input()[i] = random.nextGaussian();
            }
            double[] gradient = new double[net.parameters().length];
            double delta = Mlp.sigmoid(net.forward(w)) - (label ? 1 : 0);
            net.backward(w, delta, gradient);

            for (int p = 0; p < gradient.length; p++) {
                assertThat(gradient[p])
                        .as("parameter %d of %s", p, sizes)
                        .isCloseTo(finiteDifference(net, w, p, label), within(1e-7));
            }
        }
    }

    private static double finiteDifference(Mlp net, Mlp.Workspace w, int p, boolean label) {
        double value = net.parameters()[p];
        net.parameters()[p] = value + STEP;
        double above = Mlp.logLoss(net.forward(w), label);
        net.parameters()[p] = value - STEP;
        double below = Mlp.logLoss(net.forward(w), label);
        net.parameters()[p] = value;
        return (above - below) / (2 * STEP);
    }

    @Test
    void shouldAddGradientsOfSeveralRows() {
        Mlp net = new Mlp(2, 1);
        Mlp.Workspace w = net.new Workspace();
        double[] gradient = new double[3];
        for (int row = 0; row < 2; row++) {
            w.input()[0] = 1 + row;
            w.input()[1] = 10;
            net.forward(w);
            net.backward(w, 0.5, gradient);
        }

        assertThat(gradient).containsExactly(1.5, 10, 1);
    }

    @Test
    void shouldStayFiniteWhenLogitsAreExtreme() {
        assertThat(Mlp.sigmoid(1e6)).isOne();
        assertThat(Mlp.sigmoid(-1e6)).isZero();
        assertThat(Mlp.logLoss(1e6, false)).isEqualTo(1e6);
        assertThat(Mlp.logLoss(1e6, true)).isZero();
        assertThat(Mlp.logLoss(0, true)).isEqualTo(Math.log(2), within(1e-15));
    }

    @Test
    void shouldRefuseMoreThanOneOutput() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Mlp(3, 2));
    }
}
