// SPDX-License-Identifier: Apache-2.0
package dev.millrace.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// The batch sizes that a lane is warmed up for: what a run costs the first time no request has to pay.
///
/// @param main those that are run a few times and measured: what batches are mostly cut to, and powers of two between
/// @param others every other size, up to a bound: each is run once
public record WarmUpSizes(List<Integer> main, List<Integer> others) {
    /// Sizes beyond this are warm for their powers of two alone.
    private static final int MOST_OTHERS = 256;

    /// Of a lane.
    ///
    /// @param maxBatch the most rows in one run
    /// @param preferred sizes that batches are cut to
    public static WarmUpSizes of(int maxBatch, List<Integer> preferred) {
        TreeSet<Integer> main = new TreeSet<>(List.of(1, maxBatch));
        preferred.stream().filter(size -> size <= maxBatch).forEach(main::add);
        for (int rows = 1; rows > 0 && rows <= maxBatch; rows *= 2) {
            main.add(rows);
        }
        List<Integer> others = new ArrayList<>();
        for (int rows = 1; rows <= Math.min(maxBatch, MOST_OTHERS); rows++) {
            if (!main.contains(rows)) {
                others.add(rows);
            }
        }
        return new WarmUpSizes(List.copyOf(main), others);
    }

    /// Makes the lists immutable.
    public WarmUpSizes {
        main = List.copyOf(main);
        others = List.copyOf(others);
    }
}
