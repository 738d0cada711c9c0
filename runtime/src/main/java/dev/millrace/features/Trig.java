// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;

/// Sine and cosine that give the same bits on every JVM, within one unit in the last place of
/// StrictMath's, which are not used because they allocate arrays.
///
/// Threads: stateless.
final class Trig {
    /// Half of pi in three parts, of which the first two have 33 bits, so that multiples of them
    /// are exact.
    private static final double PART_1 = 0x1.921fb544p0;

    private static final double PART_2 = 0x1.0b4611a6p-34;
    private static final double PART_3 = 0x1.3198a2e037073p-69;
    private static final double QUARTER = Math.PI / 4;

    /// The series of sine from x^3 on, and that of cosine from x^4 on: one over the faculties.
    private static final double[] SINE = {
        -1.0 / 6,
        1.0 / 120,
        -1.0 / 5040,
        1.0 / 362_880,
        -1.0 / 39_916_800,
        1.0 / 6_227_020_800.0,
        -1.0 / 1_307_674_368_000.0,
        1.0 / 355_687_428_096_000.0
    };

    private static final double[] COSINE = {
        1.0 / 24,
        -1.0 / 720,
        1.0 / 40_320,
        -1.0 / 3_628_800,
        1.0 / 479_001_600,
        -1.0 / 87_178_291_200.0,
        1.0 / 20_922_789_888_000.0,
        -1.0 / 6_402_373_705_728_000.0
    };

    private Trig() {}

    /// The sine of an angle that is less than 2^20.
    @Hot
    static double sin(double angle) {
        return wave(angle, 0);
    }

    /// The cosine of an angle that is less than 2^20.
    @Hot
    static double cos(double angle) {
        return wave(angle, 1);
    }

    /// The sine of an angle and some quarters of a turn. What is left of the angle without its own
    /// quarters is a sum of two doubles, the second of which is less than the first one's rounding.
    @Hot
    private static double wave(double angle, int ahead) {
        double high = angle;
        double low = 0;
        int quarters = ahead;
        if (Math.abs(angle) > QUARTER) {
            double turns = Math.rint(angle * (2 / Math.PI));
            double near = angle - turns * PART_1;
            double next = turns * PART_2;
            double rest = near - next;
            double back = rest - near;
            double lost = (near - (rest - back)) - (next + back);
            double tail = lost - turns * PART_3;
            high = rest + tail;
            low = (rest - high) + tail;
            quarters += (int) ((long) turns & 3);
        }
        double value = (quarters & 1) == 0 ? sinNearZero(high, low) : cosNearZero(high, low);
        return (quarters & 2) == 0 ? value : -value;
    }

    /// By the series up to its ninth term; the next one is below 2^-60 of the whole.
    @Hot
    private static double sinNearZero(double x, double low) {
        if (x == 0) {
            return x; // also the zero that is negative
        }
        double z = x * x;
        return x + (x * z * series(SINE, z) + low * (1 - z / 2));
    }

    /// The same for the cosine; what is lost when the second term is taken from 1 is put back.
    @Hot
    private static double cosNearZero(double x, double low) {
        double z = x * x;
        double half = z / 2;
        double most = 1 - half;
        return most + (((1 - most) - half) + (z * z * series(COSINE, z) - x * low));
    }

    @Hot
    private static double series(double[] terms, double z) {
        double sum = 0;
        for (int i = terms.length - 1; i >= 0; i--) {
            sum = sum * z + terms[i];
        }
        return sum;
    }
}
