// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.ramp;

import dev.millrace.model.ModelConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// One way to batch.
///
/// @param title what a report calls it
/// @param config what the model is served with
record Setting(String title, ModelConfig config) {
    private static final int[] BATCHES = {1, 16, 128};
    private static final int[] DELAY_PARTS = {0, 20, 5};

    /// What the fixed settings are compared with; the last of [#all(Duration)].
    static final String OBJECTIVE = "objective";

    /// A grid of fixed settings, delays as parts of the bound, and the objective.
    static List<Setting> all(Duration bound) {
        List<Setting> settings = new ArrayList<>();
        for (int batch : BATCHES) {
            for (int part : DELAY_PARTS) {
                Duration delay = part == 0 ? Duration.ZERO : bound.dividedBy(part);
                if (batch > 1 || part == 0) {
                    settings.add(new Setting(
                            "batch %d, delay %d µs".formatted(batch, delay.toNanos() / 1000),
                            base().withMaxBatchSize(batch).withMaxQueueDelay(delay)));
                }
            }
        }
        settings.add(new Setting(OBJECTIVE, base().withMaxBatchSize(128).withObjectiveP99(bound)));
        return settings;
    }

    private static ModelConfig base() {
        return ModelConfig.DEFAULT.withMaxQueueSize(1024);
    }

    boolean isObjective() {
        return title.equals(OBJECTIVE);
    }
}
