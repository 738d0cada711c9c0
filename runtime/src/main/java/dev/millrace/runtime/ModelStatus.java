// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import java.util.Map;
import java.util.Optional;

/// One model version of the repositories, as it stands.
///
/// @param model the model's name
/// @param version the version, 0 where the model has none
/// @param ready whether it answers requests
/// @param reason why it does not; empty when it does
/// @param signature what it takes and gives, if it is loaded
/// @param batching how its requests share runs, if it is loaded
/// @param config how it is served: the values in force, if it is loaded
/// @param metadata the entries that the model's maker stored in the file
public record ModelStatus(
        String model,
        long version,
        boolean ready,
        String reason,
        Optional<Signature> signature,
        Optional<Batching> batching,
        Optional<ModelConfig> config,
        Map<String, String> metadata) {
    /// Makes the metadata immutable.
    public ModelStatus {
        metadata = Map.copyOf(metadata);
    }

    /// The same while it answers no requests.
    ModelStatus failing(String why) {
        return new ModelStatus(model, version, false, why, signature, batching, config, metadata);
    }

    static ModelStatus broken(String model, long version, String reason) {
        return new ModelStatus(
                model, version, false, reason, Optional.empty(), Optional.empty(), Optional.empty(), Map.of());
    }
}
