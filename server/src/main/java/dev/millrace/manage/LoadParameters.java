// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import java.util.Map;
import java.util.Optional;

/// What may come with a load.
///
/// @param config the model's configuration as JSON, instead of the repository's
/// @param files a model's files by `<version>/<path>`, instead of the repository's; they are not copied
/// @param contractChange whether the model may take and give other tensors than the one that is served
public record LoadParameters(Optional<String> config, Map<String, byte[]> files, boolean contractChange) {
    /// The model as it is in the repository.
    public static final LoadParameters NONE = new LoadParameters(Optional.empty(), Map.of(), false);

    /// Makes the map immutable.
    public LoadParameters {
        files = Map.copyOf(files);
    }
}
