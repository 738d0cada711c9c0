// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.inspect.ModelReport.Obstacle;
import java.util.Optional;

/// What is known of how requests to a model may share runs.
///
/// @param kind a name of [dev.millrace.model.Batching.Kind], or [#UNKNOWN]
/// @param reason why it is so
record Batchability(String kind, String reason) {
    static final String UNKNOWN = "UNKNOWN";

    /// What the file alone tells.
    static Batchability declared(Optional<Obstacle> obstacle) {
        return obstacle.map(found -> new Batchability(found.kind().name(), found.reason()))
                .orElseGet(() -> new Batchability(
                        UNKNOWN, "the declared shapes allow rows to run together, but it was not run"));
    }
}
