// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import java.util.Arrays;
import java.util.SplittableRandom;

/// When requests are due, made before the first is sent: gaps are exponential, so that requests know nothing of one
/// another nor of the answers. Times are nanoseconds from the start, ascending.
///
/// @param due of each request
/// @param ends of each phase
public record Schedule(long[] due, long[] ends) {
    /// Poisson arrivals; the same seed gives the same times.
    public static Schedule poisson(long seed, Phase... phases) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] due = new long[1024];
        long[] ends = new long[phases.length];
        int count = 0;
        double begin = 0;
        for (int phase = 0; phase < phases.length; phase++) {
            double meanGap = 1e9 / phases[phase].rate();
            double end = begin + phases[phase].nanos();
            // An exponential gap has no memory: a phase may begin with a new one.
            for (double at = begin + gap(random, meanGap); at < end; at += gap(random, meanGap)) {
                if (count == due.length) {
                    due = Arrays.copyOf(due, 2 * count);
                }
                due[count++] = (long) at;
            }
            ends[phase] = (long) end;
            begin = end;
        }
        return new Schedule(Arrays.copyOf(due, count), ends);
    }

    private static double gap(SplittableRandom random, double mean) {
        return -Math.log(1 - random.nextDouble()) * mean;
    }

    public int count() {
        return due.length;
    }

    /// When phase `index` begins.
    public long begin(int index) {
        return index == 0 ? 0 : ends[index - 1];
    }

    /// When phase `index` ends.
    public long end(int index) {
        return ends[index];
    }
}
