// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import java.nio.file.Path;

/// What is special about one load of a model.
///
/// @param folder a model folder to load it from instead of the repository's, or null
/// @param config a whole configuration in JSON, with the names of Triton's `ModelConfig`, instead of the folder's file;
///     or null
/// @param contractChange whether inputs and outputs may be others than those that are served
public record LoadOptions(Path folder, String config, boolean contractChange) {
    /// The repository's folder as it is.
    public static final LoadOptions DEFAULT = new LoadOptions(null, null, false);

    /// These options, with inputs and outputs that may be others than those that are served.
    public LoadOptions withContractChange() {
        return new LoadOptions(folder, config, true);
    }
}
