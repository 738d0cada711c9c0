// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;

/// What a model has done since a moment. Threads: one.
public final class LaneProgress {
    private final Millrace runtime;
    private final String model;
    private LaneStatistics start;

    public LaneProgress(Millrace runtime, String model) {
        this.runtime = runtime;
        this.model = model;
        restart();
    }

    /// Counts from now on.
    public void restart() {
        start = now();
    }

    public long rows() {
        return now().rows() - start.rows();
    }

    public long batches() {
        return now().batches() - start.batches();
    }

    /// Mean rows per run; 0 if there was none.
    public double meanBatch() {
        LaneStatistics now = now();
        long batches = now.batches() - start.batches();
        return batches == 0 ? 0 : (double) (now.rows() - start.rows()) / batches;
    }

    private LaneStatistics now() {
        return runtime.statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("model '" + model + "' is not served"));
    }
}
