// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A model found in a repository, the version of it that is to be served, and how. Threads: one, whoever loads it.
///
/// @param name the model's name
/// @param version what is to be served
/// @param file the model's configuration file, if there is one
/// @param config what was asked for, in the program and in the file
public record ConfiguredModel(
        String name, ModelRepository.Version version, Optional<ConfigFile> file, ModelConfig config) {
    /// Reads the model's configuration file, if there is one.
    ///
    /// @param first what the program says, which counts more than the file
    /// @throws ConfigFile.Invalid if the file is wrong
    /// @throws IllegalArgumentException if the file and the program together make no sense
    public static ConfiguredModel of(ModelRepository.Entry entry, ModelConfig first) {
        Optional<ConfigFile> file = entry.config().map(path -> ConfigFile.read(path, entry.name()));
        ModelRepository.Version version = file.map(read -> read.choose(entry.versions()))
                .orElseGet(() -> entry.versions().getLast());
        ModelConfig config = first.orElse(file.map(ConfigFile::config).orElse(ModelConfig.DEFAULT));
        return new ConfiguredModel(entry.name(), version, file, config);
    }

    /// Checks that the file does not contradict the model.
    ///
    /// @throws ConfigFile.Invalid if it does
    public void check(OnnxModel model) {
        file.ifPresent(
                read -> read.check(model.session().inputs(), model.session().outputs()));
    }

    /// What the file says that has no effect.
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        file.ifPresent(read -> read.warnings().forEach(warning -> warnings.add(ConfigFile.NAME + ": " + warning)));
        return warnings;
    }
}
