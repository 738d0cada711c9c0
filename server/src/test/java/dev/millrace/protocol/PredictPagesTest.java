// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.lifecycle.VersionState;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.server.JsonTree;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PredictPagesTest {
    @Test
    void shouldTellStatesByTensorFlowServingsNames() {
        assertThat(status(1, VersionState.LOADING, "it is being loaded", false))
                .isEqualTo("false 1 LOADING OK it is being loaded");
        assertThat(status(2, VersionState.READY, "", true)).isEqualTo("true 2 AVAILABLE OK ");
        assertThat(status(3, VersionState.UNLOADING, "it answers its last requests", false))
                .isEqualTo("false 3 UNLOADING OK it answers its last requests");
        assertThat(status(4, VersionState.UNAVAILABLE, "kept warm for a rollback", true))
                .isEqualTo("false 4 START UNAVAILABLE kept warm for a rollback");
        assertThat(status(5, VersionState.UNAVAILABLE, "cannot load it", false))
                .isEqualTo("false 5 END UNAVAILABLE cannot load it");
    }

    /// What is told of a model with one version.
    private static String status(long version, VersionState state, String reason, boolean loaded) {
        ModelStatus status = new ModelStatus(
                "m",
                version,
                state,
                reason,
                "onnxruntime_onnx",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                "",
                loaded ? Optional.of(Instant.EPOCH) : Optional.empty(),
                List.of(),
                false);
        JsonTree told = JsonTree.parse(new String(PredictPages.status(List.of(status)), StandardCharsets.UTF_8));
        JsonTree only = told.get("model_version_status").elements().getFirst();
        JsonTree why = only.get("status");
        return told.get("ready").value() + " " + only.get("version").text() + " "
                + only.get("state").text() + " " + why.get("error_code").text() + " "
                + why.get("error_message").text();
    }
}
