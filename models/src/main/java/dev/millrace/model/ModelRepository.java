// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Reads folders in Triton's layout: `ROOT/<model>/<version>/model.onnx`, versions being positive integers, and beside
/// them perhaps `ROOT/<model>/config.pbtxt`, which [ConfigFile] reads.
///
/// Threads: stateless. It only looks at the file system; nothing is loaded.
public final class ModelRepository {
    private static final String MODEL_FILE = "model.onnx";

    private ModelRepository() {}

    /// A model folder.
    ///
    /// @param name the folder's name, which is the model's
    /// @param versions what was found, ascending by version; empty where there is a problem
    /// @param config the model's `config.pbtxt`, if there is one
    /// @param problem why the model cannot be served at all, if so
    public record Entry(String name, List<Version> versions, Optional<Path> config, Optional<String> problem) {}

    /// One version of a model.
    ///
    /// @param number the version
    /// @param file its model file
    public record Version(long number, Path file) {}

    /// Lists the models of all `roots`, ordered by name. A name in two roots is a problem, not a choice.
    ///
    /// @throws IOException if a root is not a readable folder
    public static List<Entry> scan(List<Path> roots) throws IOException {
        TreeMap<String, Entry> entries = new TreeMap<>();
        for (Path root : roots) {
            for (Path folder : folders(root)) {
                Entry entry = entry(folder);
                entries.merge(entry.name(), entry, (first, second) -> conflict(first.name(), roots));
            }
        }
        return List.copyOf(entries.values());
    }

    private static Entry conflict(String name, List<Path> roots) {
        return new Entry(
                name,
                List.of(),
                Optional.empty(),
                Optional.of("the model is in more than one of the repositories " + roots));
    }

    private static Entry entry(Path folder) throws IOException {
        String name = folder.getFileName().toString();
        List<Version> versions = new ArrayList<>();
        for (Path candidate : folders(folder)) {
            Optional<Long> number = number(candidate.getFileName().toString());
            if (number.isPresent()) {
                versions.add(new Version(number.get(), modelFile(candidate)));
            }
        }
        versions.sort(Comparator.comparingLong(Version::number));
        Optional<String> problem = versions.isEmpty()
                ? Optional.of("no version folder (a positive integer) in " + folder)
                : Optional.empty();
        Optional<Path> config = Optional.of(folder.resolve(ConfigFile.NAME)).filter(Files::isRegularFile);
        return new Entry(name, List.copyOf(versions), config, problem);
    }

    /// `model.onnx`, or the file of that name in a folder of that name, where external data lies beside it.
    private static Path modelFile(Path version) {
        Path file = version.resolve(MODEL_FILE);
        return Files.isDirectory(file) ? file.resolve(MODEL_FILE) : file;
    }

    private static Optional<Long> number(String name) {
        return name.matches("[1-9][0-9]{0,17}") ? Optional.of(Long.parseLong(name)) : Optional.empty();
    }

    private static List<Path> folders(Path root) throws IOException {
        try (Stream<Path> children = Files.list(root)) {
            return children.filter(Files::isDirectory)
                    .filter(path -> !path.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
    }
}
