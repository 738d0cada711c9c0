// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeaturePlan;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A specification as commands are given it. Stateless.
final class SpecFile {
    private SpecFile() {}

    /// Reads and compiles a specification.
    ///
    /// @param path `features.yaml`, by whatever name, or the folder that it is in
    /// @throws dev.millrace.spec.FeatureSpecException if anything is wrong with it
    static FeaturePlan plan(Path path) throws IOException {
        return FeaturePlan.compile(read(path));
    }

    /// Reads a specification.
    ///
    /// @param path `features.yaml`, by whatever name, or the folder that it is in
    /// @throws dev.millrace.spec.FeatureSpecException if anything is wrong with it
    static FeatureSpec read(Path path) throws IOException {
        Path file = Files.isDirectory(path) ? path.resolve(FeatureSpec.FILE_NAME) : path;
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        return FeatureSpec.read(file);
    }

    /// Whether the columns depend on the time of the request: a feature reads it, or stored values
    /// may be too old.
    static boolean needsTime(FeatureSpec spec) {
        for (Feature feature : spec.features()) {
            for (Input input : feature.inputs()) {
                if (input.origin() == Input.Origin.REQUEST_TIME || mayBeStale(spec, input)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean mayBeStale(FeatureSpec spec, Input input) {
        return input.origin() == Input.Origin.VIEW
                && spec.views().stream()
                        .anyMatch(view -> view.name().equals(input.view())
                                && view.kind() == FeatureView.Kind.STORE
                                && view.ttl() != null);
    }
}
