// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.lifecycle.VersionState;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import dev.millrace.plan.LanePlan;
import dev.millrace.raw.ServedPlan;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One model version of the repositories, as it stands.
///
/// @param model the model's name
/// @param version the version, 0 where the model has none
/// @param state whether it answers requests
/// @param reason why it does not; empty when it does
/// @param platform what answers its requests, by Triton's name: `onnxruntime_onnx`, or `ensemble`
/// @param signature what it takes and gives, if it is loaded
/// @param batching how its requests share runs, if it is loaded
/// @param config how it is served: the values in force, if it is loaded
/// @param metadata the entries that the model's maker stored in the file
/// @param labels the names of classes, by output, where its configuration has a label file
/// @param sha256 of the model's file, as hexadecimal digits; empty if it is not loaded, or has no file
/// @param loadedAt since when it is loaded, if it is
/// @param aliases the names that stand for it, sorted
/// @param kept whether an instance of it is kept warm for [ModelLifecycle#rollback(String)]
public record ModelStatus(
        String model,
        long version,
        VersionState state,
        String reason,
        String platform,
        Optional<Signature> signature,
        Optional<Batching> batching,
        Optional<ModelConfig> config,
        Map<String, String> metadata,
        Map<String, List<String>> labels,
        String sha256,
        Optional<Instant> loadedAt,
        List<String> aliases,
        boolean kept) {
    /// One model file, run by ONNX Runtime.
    static final String ONNX = "onnxruntime_onnx";
    /// Steps that are models.
    static final String ENSEMBLE = "ensemble";

    /// Makes the maps and the list immutable.
    public ModelStatus {
        metadata = Map.copyOf(metadata);
        labels = Map.copyOf(labels);
        aliases = List.copyOf(aliases);
    }

    /// Whether it answers requests.
    public boolean ready() {
        return state == VersionState.READY;
    }

    /// The same in another state.
    ModelStatus in(VersionState other, String why) {
        return new ModelStatus(
                model, version, other, why, platform, signature, batching, config, metadata, labels, sha256, loadedAt,
                aliases, kept);
    }

    /// The same while it answers no requests.
    ModelStatus failing(String why) {
        return in(VersionState.UNAVAILABLE, why);
    }

    /// The same by these names.
    ModelStatus known(List<String> names, boolean keptWarm) {
        return new ModelStatus(
                model, version, state, reason, platform, signature, batching, config, metadata, labels, sha256,
                loadedAt, names, keptWarm);
    }

    /// The same with raw values for inputs.
    ModelStatus of(ServedPlan features) {
        Map<String, String> all = new HashMap<>(metadata);
        all.putAll(features.metadata());
        return new ModelStatus(
                model,
                version,
                state,
                reason,
                platform,
                Optional.of(features.signature()),
                batching,
                config,
                all,
                labels,
                sha256,
                loadedAt,
                aliases,
                kept);
    }

    /// Of a version that is loaded, from now on.
    static ModelStatus loaded(
            LanePlan plan,
            String platform,
            Map<String, String> metadata,
            Map<String, List<String>> labels,
            String sha256) {
        return new ModelStatus(
                plan.spec().model(),
                plan.spec().version(),
                VersionState.READY,
                "",
                platform,
                Optional.of(plan.spec().signature()),
                Optional.of(plan.batching()),
                Optional.of(plan.config()),
                metadata,
                labels,
                sha256,
                Optional.of(Instant.now()),
                List.of(),
                false);
    }

    /// Of a version that is not.
    static ModelStatus absent(String model, long version, VersionState state, String reason) {
        return new ModelStatus(
                model,
                version,
                state,
                reason,
                ONNX,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                "",
                Optional.empty(),
                List.of(),
                false);
    }

    /// Why versions are not served, in a line.
    static String reasons(List<ModelStatus> problems) {
        return String.join(
                "; ",
                problems.stream()
                        .map(status -> "version " + status.version() + ": " + status.reason())
                        .toList());
    }

    static ModelStatus broken(String model, long version, String reason) {
        return absent(model, version, VersionState.UNAVAILABLE, reason);
    }
}
