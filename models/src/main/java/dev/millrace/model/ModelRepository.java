// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Reads folders in Triton's layout: `ROOT/<model>/<version>/model.onnx`, or as the file is called by configuration,
/// versions being positive integers, and beside them perhaps `ROOT/<model>/config.pbtxt` or
/// `model.yaml`, which [ConfigFile] reads. A version folder, or the model's if it has one version, may also be as
/// MLflow saves models.
///
/// Threads: stateless. It only looks at the file system; nothing is loaded.
public final class ModelRepository {
    /// What file systems have at their root, and nobody may read.
    private static final String LOST = "lost+found";

    /// What a model's file is called unless the configuration says otherwise.
    static final String MODEL_FILE = "model.onnx";

    private ModelRepository() {}

    /// A model folder.
    ///
    /// @param name the folder's name, which is the model's
    /// @param versions what was found, ascending by version; empty where there is a problem
    /// @param config the model's `config.pbtxt` or `model.yaml`, if there is one
    /// @param problem why the model cannot be served at all, if so
    public record Entry(String name, List<Version> versions, Optional<Path> config, Optional<String> problem) {}

    /// One version of a model.
    ///
    /// @param number the version
    /// @param folder its folder
    public record Version(long number, Path folder) {
        /// Its model file: the one of that name, or in a folder of that name, where external data lies beside it,
        /// `model.onnx`.
        Path file(String name) {
            Path file = folder.resolve(name);
            return Files.isDirectory(file) ? file.resolve(MODEL_FILE) : file;
        }

        /// Whether it is as MLflow saves models.
        boolean isMlflow() {
            return Files.isRegularFile(folder.resolve(MlflowModel.NAME));
        }
    }

    /// Lists the models of all `roots`, ordered by name. A name in two roots is a problem, not a choice, and so is a
    /// link that leads out of its root. What goes away while it is looked at is not there.
    ///
    /// @throws IOException if a root is not a readable folder
    public static List<Entry> scan(List<Path> roots) throws IOException {
        TreeMap<String, Entry> entries = new TreeMap<>();
        for (Path root : roots) {
            Confinement confinement = Confinement.to(root);
            for (Path folder : folders(root)) {
                look(folder, confinement)
                        .ifPresent(entry ->
                                entries.merge(entry.name(), entry, (first, second) -> conflict(first.name(), roots)));
            }
        }
        return List.copyOf(entries.values());
    }

    /// One model of all `roots`, as [#scan(List)] has it, whatever is wrong with others.
    ///
    /// @throws IOException if a root is not a readable folder
    public static Optional<Entry> find(List<Path> roots, String model) throws IOException {
        Optional<Entry> found = Optional.empty();
        for (Path root : roots) {
            Confinement confinement = Confinement.to(root);
            Optional<Path> folder = folders(root).stream()
                    .filter(path -> path.getFileName().toString().equals(model))
                    .findFirst();
            Optional<Entry> entry = folder.isPresent() ? look(folder.get(), confinement) : Optional.empty();
            found = found.isPresent() && entry.isPresent()
                    ? Optional.of(conflict(model, roots))
                    : found.or(() -> entry);
        }
        return found;
    }

    private static Optional<Entry> look(Path folder, Confinement confinement) {
        try {
            return Optional.of(confined(entry(folder), folder, confinement));
        } catch (NoSuchFileException e) {
            // Some of it is gone, not all: whoever loads it will see what.
            return Optional.of(e.getMessage() + " is gone: it changed while it was looked at")
                    .filter(_ -> Files.isDirectory(folder))
                    .map(problem -> unusable(folder, problem));
        } catch (IOException | UncheckedIOException e) {
            return Optional.of(unusable(folder, "it cannot be read: " + e.getMessage()));
        }
    }

    private static Entry unusable(Path folder, String problem) {
        return new Entry(folder.getFileName().toString(), List.of(), Optional.empty(), Optional.of(problem));
    }

    private static Entry conflict(String name, List<Path> roots) {
        return new Entry(
                name,
                List.of(),
                Optional.empty(),
                Optional.of("the model is in more than one of the repositories " + roots));
    }

    /// The same, or a problem if it has something that does not lie in its repository.
    private static Entry confined(Entry entry, Path folder, Confinement confinement) throws IOException {
        List<Path> read = new ArrayList<>(List.of(folder));
        entry.config().ifPresent(read::add);
        Optional<String> problem = Optional.empty();
        for (Path path : read) {
            problem = problem.isPresent() ? problem : confinement.problem(path);
        }
        for (Version version : entry.versions()) {
            problem = problem.isPresent() ? problem : confinement.problemWithin(version.folder());
        }
        return problem.isEmpty() ? entry : new Entry(entry.name(), List.of(), Optional.empty(), problem);
    }

    private static Entry entry(Path folder) throws IOException {
        String name = folder.getFileName().toString();
        List<Version> versions = new ArrayList<>();
        for (Path candidate : folders(folder)) {
            Optional<Long> number = number(candidate.getFileName().toString());
            if (number.isPresent()) {
                versions.add(new Version(number.get(), candidate));
            }
        }
        versions.sort(Comparator.comparingLong(Version::number));
        Optional<String> problem = Optional.empty();
        if (Files.isRegularFile(folder.resolve(MlflowModel.NAME))) {
            if (!versions.isEmpty()) {
                problem = Optional.of("version folders and " + MlflowModel.NAME + " are both in " + folder
                        + ", expected one of them");
            }
            versions.add(new Version(1, folder));
        } else if (versions.isEmpty()) {
            problem = Optional.of("no version folder (a positive integer) in " + folder);
        }
        List<Path> configs = Stream.of(ConfigFile.NAME, ConfigFile.YAML_NAME)
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .toList();
        if (configs.size() > 1) {
            problem = Optional.of(ConfigFile.NAME + " and " + ConfigFile.YAML_NAME + " are both in " + folder
                    + ", expected one of them");
        }
        return new Entry(name, List.copyOf(versions), configs.stream().findFirst(), problem);
    }

    private static Optional<Long> number(String name) {
        return name.matches("[1-9][0-9]{0,17}") ? Optional.of(Long.parseLong(name)) : Optional.empty();
    }

    private static List<Path> folders(Path root) throws IOException {
        try (Stream<Path> children = Files.list(root)) {
            return children.filter(Files::isDirectory)
                    .filter(path -> !path.getFileName().toString().startsWith("."))
                    .filter(path -> !path.getFileName().toString().equals(LOST))
                    .sorted()
                    .toList();
        }
    }
}
