// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.util.List;
import java.util.Random;

/// A stream of random draws for one actor; single-threaded.
///
/// Built on [Random], whose algorithm is part of Java's specification, and on [StrictMath], so that every machine draws
/// the same. Each actor has its own stream, so that what one actor does leaves the others' draws alone.
final class Draw {
    private final Random random;

    Draw(long seed, long stream) {
        this.random = new Random(mix(mix(seed) + stream));
    }

    /// Spreads neighbouring seeds over all bits (the finaliser of SplitMix64).
    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    double uniform(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    double gaussian(double mean, double sd) {
        return mean + sd * random.nextGaussian();
    }

    double exponential(double mean) {
        return -mean * StrictMath.log(1.0 - random.nextDouble());
    }

    /// A duration that is at least one millisecond.
    long exponentialMs(double meanMs) {
        return 1 + (long) exponential(meanMs);
    }

    double logNormal(double median, double sigma) {
        return median * StrictMath.exp(sigma * random.nextGaussian());
    }

    /// An element of a list, the early ones more often than the late ones (the first of 100 about one time in ten).
    <T> T popular(List<T> list) {
        double u = random.nextDouble();
        return list.get((int) (list.size() * u * u));
    }

    <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    /// An index, drawn with the given weights.
    int weighted(double[] weights) {
        double total = 0;
        for (double weight : weights) {
            total += weight;
        }
        double left = random.nextDouble() * total;
        for (int i = 0; i < weights.length; i++) {
            left -= weights[i];
            if (left < 0) {
                return i;
            }
        }
        return weights.length - 1;
    }
}
