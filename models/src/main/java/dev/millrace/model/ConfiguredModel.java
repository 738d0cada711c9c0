// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.ort.SessionSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A model found in a repository, the versions of it that are to be served, and how. Threads: one, whoever loads it.
///
/// @param name the model's name
/// @param versions what is to be served, ascending
/// @param missing versions that were asked for and are not in the repository, ascending
/// @param file the model's configuration file, if there is one
/// @param config what was asked for, in the program and in the file
public record ConfiguredModel(
        String name,
        List<ModelRepository.Version> versions,
        List<Long> missing,
        Optional<ConfigFile> file,
        ModelConfig config) {
    /// Reads the model's configuration file, if there is one.
    ///
    /// @param first what the program says, which counts more than the file
    /// @throws ConfigFile.Invalid if the file is wrong
    /// @throws IllegalArgumentException if the file and the program together make no sense
    public static ConfiguredModel of(ModelRepository.Entry entry, ModelConfig first) {
        return of(entry, first, entry.config().map(path -> ConfigFile.read(path, entry.name())));
    }

    /// As [#of(ModelRepository.Entry, ModelConfig)], with a configuration instead of the file's.
    ///
    /// @throws IllegalArgumentException if it and the program together make no sense
    public static ConfiguredModel of(ModelRepository.Entry entry, ModelConfig first, Optional<ConfigFile> file) {
        ModelConfig config = first.orElse(file.map(ConfigFile::config).orElse(ModelConfig.DEFAULT));
        VersionPolicy policy = config.versionPolicy().orElse(VersionPolicy.DEFAULT);
        return new ConfiguredModel(
                entry.name(), policy.choose(entry.versions()), policy.missing(entry.versions()), file, config);
    }

    /// What the model is made of, if it is an ensemble.
    public Optional<EnsembleConfig> ensemble() {
        return file.flatMap(ConfigFile::ensemble);
    }

    /// A version's model file: what the configuration calls it, or what MLflow's `MLmodel` does; `MLmodel` itself,
    /// which [OnnxModel] refuses with the reason, where it names none.
    public Path file(ModelRepository.Version version) {
        if (config.defaultModelFilename().isEmpty() && version.isMlflow()) {
            try {
                return MlflowModel.file(version.folder());
            } catch (ConfigFile.Invalid e) {
                return version.folder().resolve(MlflowModel.NAME);
            }
        }
        return version.file(config.defaultModelFilename().orElse(ModelRepository.MODEL_FILE));
    }

    /// How its sessions are opened.
    ///
    /// @param intraOpThreads threads that one run may use unless the configuration says otherwise
    public SessionSettings settings(int intraOpThreads) {
        return OrtParameters.settings(config, intraOpThreads);
    }

    /// Runs the requests that a version is to answer before it is ready.
    ///
    /// @param budget what their tensors are booked in
    /// @throws ConfigFile.Invalid naming the one that does not fit the model or fails
    public void warmUp(OnnxModel model, MemoryBudget budget) {
        file.ifPresent(read -> read.warmUp(model.session(), budget));
    }

    /// Checks that the file does not contradict a version of the model.
    ///
    /// @return what it says that has no effect for this version
    /// @throws ConfigFile.Invalid if it does
    public List<String> check(OnnxModel model) {
        return file
                .map(read ->
                        read.check(model.session().inputs(), model.session().outputs()))
                .orElse(List.of())
                .stream()
                .map(this::named)
                .toList();
    }

    /// The labels of the model's outputs, by output, as its label files have them.
    ///
    /// @throws ConfigFile.Invalid if a file cannot be read, or has more labels than the output has classes
    public Map<String, List<String>> labels(OnnxModel model) {
        return labels(model.signature(), model.batching().hasRows());
    }

    /// The same of an ensemble.
    ///
    /// @param signature the ensemble's
    public Map<String, List<String>> labels(Signature signature) {
        return labels(signature, config.details().maxBatchSize() > 0);
    }

    private Map<String, List<String>> labels(Signature signature, boolean rows) {
        return file.map(read -> read.labels(name -> classes(signature, name, rows)))
                .orElse(Map.of());
    }

    /// The elements of an output, of one row if it has rows; -1 where that is open.
    private static long classes(Signature signature, String output, boolean rows) {
        TensorSpec spec = signature.outputs().get(signature.outputIndex(output));
        return rows
                ? new TensorSpec(
                                spec.name(),
                                spec.datatype(),
                                spec.shape().subList(1, spec.shape().size()))
                        .elementCount()
                : spec.elementCount();
    }

    /// What the file says that has no effect for any version.
    public List<String> warnings() {
        return Stream.concat(
                        file.map(ConfigFile::warnings).orElse(List.of()).stream()
                                .map(this::named),
                        OrtParameters.withoutEffect(config.parameters()).stream())
                .toList();
    }

    private String named(String warning) {
        return file.orElseThrow().name() + ": " + warning;
    }
}
