// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TrigTest {
    private static void check(double angle) {
        double sin = StrictMath.sin(angle);
        double cos = StrictMath.cos(angle);
        assertThat(Math.abs(Trig.sin(angle) - sin)).as("sin %s", angle).isLessThanOrEqualTo(Math.ulp(sin));
        assertThat(Math.abs(Trig.cos(angle) - cos)).as("cos %s", angle).isLessThanOrEqualTo(Math.ulp(cos));
    }

    @Test
    void shouldBeWithinOneUnitOfStrictMath() {
        long seed = 20261123;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 200_000; i++) {
            check(random.nextDouble(-10, 10));
            check(random.nextDouble(-823_000, 823_000));
            // close to where one of them is nearly 0
            check(random.nextInt(-500_000, 500_000) * (Math.PI / 2) * (1 + random.nextInt(-2, 3) * 0x1p-52));
        }
    }

    @Test
    void shouldTakeEndsAndNoNumbers() {
        for (double angle :
                new double[] {0, Math.PI / 4, -Math.PI / 4, Math.nextUp(Math.PI / 4), Math.PI, 5e-324, 1e-300}) {
            check(angle);
        }
        assertThat(Double.doubleToRawLongBits(Trig.sin(-0.0))).isEqualTo(Double.doubleToRawLongBits(-0.0));
        assertThat(Trig.sin(Double.NaN)).isNaN();
        assertThat(Trig.cos(Double.NaN)).isNaN();
    }
}
