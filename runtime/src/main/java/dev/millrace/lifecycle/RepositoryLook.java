// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import dev.millrace.model.ConfigFile;
import dev.millrace.model.ConfiguredModel;
import dev.millrace.model.EnsembleConfig;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.ModelRepository;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What lies in the repositories, and how it is to be served. Threads: immutable, any; looking reads the file system.
///
/// @param roots the repositories
/// @param configs what the program says about models, by name
public record RepositoryLook(List<Path> roots, Map<String, ModelConfig> configs) {
    /// A version that cannot be served, and why.
    ///
    /// @param version 0 where the model has none
    public record Fault(long version, String reason) {}

    /// A model that was found.
    ///
    /// @param model the versions to be served, and how; or nothing if it cannot be
    /// @param override the configuration that came with the load, or null
    /// @param stamp what was seen of its folder
    /// @param faults what is wrong, beside the versions that can be served
    public record Found(
            String name, Optional<ConfiguredModel> model, String override, FolderStamp stamp, List<Fault> faults) {
        /// The models of its steps, if it is an ensemble.
        public List<String> parts() {
            return model.flatMap(ConfiguredModel::ensemble).map(EnsembleConfig::steps).orElse(List.of()).stream()
                    .map(EnsembleConfig.Step::model)
                    .distinct()
                    .toList();
        }

        /// The versions to be served.
        public List<VersionSource> sources() {
            return model.map(configured -> VersionSource.of(configured, stamp, override))
                    .orElse(List.of());
        }
    }

    /// Every model, by name.
    ///
    /// @throws UncheckedIOException if a repository is not a readable folder
    public Map<String, Found> all() {
        Map<String, Found> all = new TreeMap<>();
        for (ModelRepository.Entry entry : scan()) {
            all.put(entry.name(), found(entry, folder(entry.name()), null));
        }
        return all;
    }

    /// What can be seen of the files of every model, by its name, without reading any.
    ///
    /// @throws UncheckedIOException if a repository is not a readable folder
    public Map<String, FolderStamp> stamps() {
        Map<String, FolderStamp> stamps = new TreeMap<>();
        for (ModelRepository.Entry entry : scan()) {
            stamps.put(entry.name(), FolderStamp.of(folder(entry.name())));
        }
        return stamps;
    }

    /// One model as a load asks for it; empty if it is not there.
    ///
    /// @throws UncheckedIOException if a repository, or the parent of the folder that is asked for, is not readable
    public Optional<Found> one(String model, LoadOptions options) {
        if (options.folder() == null) {
            return find(model).map(entry -> found(entry, folder(model), options.config()));
        }
        Path folder = options.folder().toAbsolutePath().normalize();
        if (folder.getParent() == null) {
            return Optional.empty();
        }
        RepositoryLook beside = new RepositoryLook(List.of(folder.getParent()), configs);
        return beside.find(folder.getFileName().toString())
                .map(entry -> new ModelRepository.Entry(model, entry.versions(), entry.config(), entry.problem()))
                .map(entry -> found(entry, folder, options.config()));
    }

    /// Whether there is such a model; not if that cannot be told now.
    public boolean has(String model) {
        try {
            return find(model).isPresent();
        } catch (UncheckedIOException _) {
            return false;
        }
    }

    /// The models of an ensemble's steps; none of another model, and if that cannot be told now.
    public List<String> parts(String model) {
        try {
            return one(model, LoadOptions.DEFAULT).map(Found::parts).orElse(List.of());
        } catch (UncheckedIOException _) {
            return List.of();
        }
    }

    private List<ModelRepository.Entry> scan() {
        try {
            return ModelRepository.scan(roots);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read model repository: " + e, e);
        }
    }

    private Optional<ModelRepository.Entry> find(String model) {
        try {
            return ModelRepository.find(roots, model);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read model repository: " + e, e);
        }
    }

    private Found found(ModelRepository.Entry entry, Path folder, String override) {
        FolderStamp stamp = FolderStamp.of(folder);
        List<Fault> faults = new ArrayList<>();
        if (entry.problem().isPresent()) {
            faults.add(new Fault(0, entry.problem().get()));
            return new Found(entry.name(), Optional.empty(), override, stamp, faults);
        }
        try {
            ConfiguredModel model = configured(entry, folder, override);
            model.missing().forEach(version -> faults.add(missing(entry, version)));
            model.ensemble();
            return new Found(entry.name(), Optional.of(model), override, stamp, faults);
        } catch (ConfigFile.Invalid | IllegalArgumentException e) {
            faults.add(new Fault(entry.versions().getLast().number(), e.getMessage()));
            return new Found(entry.name(), Optional.empty(), override, stamp, faults);
        }
    }

    private ConfiguredModel configured(ModelRepository.Entry entry, Path folder, String override) {
        ModelConfig first = configs.getOrDefault(entry.name(), ModelConfig.DEFAULT);
        return override == null
                ? ConfiguredModel.of(entry, first)
                : ConfiguredModel.of(entry, first, Optional.of(ConfigFile.json(folder, override, entry.name())));
    }

    /// The folder of that name, wherever it is.
    private Path folder(String model) {
        return roots.stream()
                .map(root -> root.resolve(model))
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(Path.of(model));
    }

    private static Fault missing(ModelRepository.Entry entry, long version) {
        return new Fault(
                version,
                "version_policy.specific names version " + version + ", expected one of those in the folder, "
                        + entry.versions().stream()
                                .map(ModelRepository.Version::number)
                                .toList());
    }
}
