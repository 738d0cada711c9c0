// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import dev.millrace.memory.Hot;

/// Chooses how many rows a batch may have so that 99 of 100 rows are answered within a bound, from what a run of b rows
/// is known to cost, t(b) = a + b·c, and from how fast rows arrive.
///
/// A row waits at most for the run in progress and then for its own, so the batch is bounded by 2·t(b) <= bound. That
/// gives way where it would let rows pile up: a batch is at least as large as the arrival rate needs, and up to t(b) <=
/// bound once more waits than two batches. Rows are never held back for company: what
/// waits while a run is in progress is the next batch (docs/adr/0006-an-objective-instead-of-knobs.md has why).
///
/// Threads: one at a time, under the lane's token.
public final class Objective {
    /// The part of the bound that is planned with; the rest is for what a mean cost does not tell.
    private static final double HEADROOM = 0.8;
    /// Spare capacity over the arrival rate that a batch size must have.
    private static final double SPARE = 1.2;
    /// Rates are measured over at least this time, and forgotten over some of them.
    private static final long WINDOW_NANOS = 5_000_000;

    private static final double WINDOWS_KEPT = 4;

    private final double budgetNanos;
    private final int mostRows;
    private final int instances;
    /// Negative while it is unknown.
    private double rowsPerNano = -1;
    private long windowStart;
    private long windowFirst;
    private boolean started;

    /// @param boundNanos what 99 of 100 rows should keep
    /// @param mostRows the most rows in one run
    /// @param instances runs at the same time
    public Objective(long boundNanos, int mostRows, int instances) {
        this.budgetNanos = HEADROOM * boundNanos;
        this.mostRows = mostRows;
        this.instances = instances;
    }

    /// The most rows that the next batch may have.
    ///
    /// @param now the time
    /// @param claimed rows that have come in so far
    /// @param waiting rows that wait
    @Hot
    public int rows(long now, long claimed, int waiting, CostModel cost) {
        measure(now, claimed);
        double fixed = cost.estimate(0);
        if (rowsPerNano < 0 || !(fixed < Double.POSITIVE_INFINITY)) {
            return mostRows;
        }
        double perRow = cost.estimate(1) - fixed;
        double most = longest(fixed, perRow);
        double rows = Math.max(affordable(budgetNanos / 2, fixed, perRow), stable(fixed, perRow, SPARE));
        return (int) Math.clamp(waiting > 2 * rows ? most : rows, 1, most);
    }

    /// The rows beyond which a run alone takes too long; all that are allowed if arrivals, and some to spare, need
    /// more.
    @Hot
    private double longest(double fixed, double perRow) {
        double rows = affordable(budgetNanos, fixed, perRow);
        return rows < 1 || rows < stable(fixed, perRow, SPARE) ? mostRows : Math.min(rows, mostRows);
    }

    @Hot
    private double affordable(double nanos, double fixed, double perRow) {
        if (perRow > 0) {
            return (nanos - fixed) / perRow;
        }
        return fixed <= nanos ? mostRows : 0;
    }

    /// The rows with which runs keep up with arrivals and have some to spare: b / t(b) times the instances is the rate.
    @Hot
    private double stable(double fixed, double perRow, double spare) {
        double rate = spare * rowsPerNano / instances;
        double left = 1 - rate * perRow;
        return left <= 0 ? mostRows : Math.ceil(rate * fixed / left);
    }

    @Hot
    private void measure(long now, long claimed) {
        if (!started) {
            started = true;
            windowStart = now;
            windowFirst = claimed;
            return;
        }
        long elapsed = now - windowStart;
        if (elapsed < WINDOW_NANOS) {
            return;
        }
        double share = rowsPerNano < 0 ? 1 : elapsed / (elapsed + WINDOWS_KEPT * WINDOW_NANOS);
        rowsPerNano += share * ((claimed - windowFirst) / (double) elapsed - rowsPerNano);
        windowStart = now;
        windowFirst = claimed;
    }
}
