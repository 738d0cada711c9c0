// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import dev.millrace.memory.Hot;

/// Learns what a run costs: t(b) = a + b·c nanoseconds for b rows, by least squares with exponential forgetting.
///
/// Threads: any. Concurrent updates may lose one another, which an estimate can bear.
public final class CostModel {
    private static final double KEEP = 0.98;
    /// Runs that took this many times the estimate are taken for interruptions and counted as this much.
    private static final double OUTLIER = 4;

    /// Runs before the estimate counts: the first ones are slow for reasons that do not come again.
    private static final int COLD_RUNS = 2;

    private int runs;
    private double weight;
    private double sumRows;
    private double sumNanos;
    private double sumRowsRows;
    private double sumRowsNanos;
    /// Not known to be affordable before it was observed.
    private volatile double fixed = Double.POSITIVE_INFINITY;

    private volatile double perRow;

    /// Takes note of a run.
    @Hot
    public void observe(int rows, long nanos) {
        if (++runs <= COLD_RUNS) {
            return;
        }
        double cost = nanos;
        if (weight > 8) {
            cost = Math.min(cost, OUTLIER * estimate(rows) + 1000);
        }
        weight = weight * KEEP + 1;
        sumRows = sumRows * KEEP + rows;
        sumNanos = sumNanos * KEEP + cost;
        sumRowsRows = sumRowsRows * KEEP + (double) rows * rows;
        sumRowsNanos = sumRowsNanos * KEEP + rows * cost;
        solve();
    }

    @Hot
    private void solve() {
        double variance = sumRowsRows - sumRows * sumRows / weight;
        double slope = perRow;
        if (variance > 0.01 * sumRowsRows) {
            slope = (sumRowsNanos - sumRows * sumNanos / weight) / variance;
        }
        double mean = sumNanos / weight;
        double meanRows = sumRows / weight;
        slope = Math.clamp(slope, 0, mean / meanRows);
        perRow = slope;
        fixed = mean - slope * meanRows;
    }

    /// The expected nanoseconds for `rows` rows; infinite before enough was observed.
    @Hot
    public double estimate(int rows) {
        return fixed + rows * perRow;
    }

    /// The most rows whose expected cost is within `budgetNanos`; may be 0. `Long.MAX_VALUE` affords any number.
    @Hot
    public int affordable(long budgetNanos) {
        if (budgetNanos == Long.MAX_VALUE) {
            return Integer.MAX_VALUE;
        }
        double left = budgetNanos - fixed;
        if (left < 0) {
            return 0;
        }
        return perRow <= 0 ? Integer.MAX_VALUE : (int) Math.min(Integer.MAX_VALUE, left / perRow);
    }

    /// The fewest rows, 1 at least, that cost at most twice as much per row as `most` rows do; 1 while nothing is
    /// known.
    @Hot
    public int efficientRows(int most) {
        double bearable = 2 * estimate(most) / most - perRow;
        return bearable > 0 && bearable < Double.POSITIVE_INFINITY ? (int) Math.max(1, Math.ceil(fixed / bearable)) : 1;
    }
}
