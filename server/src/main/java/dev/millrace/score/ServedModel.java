// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// A model in a runtime of its own, as a server would have it.
///
/// Threads: one. Ownership: whoever made it closes it.
final class ServedModel implements AutoCloseable {
    private static final String ONLY_VERSION = "1";

    private final Millrace millrace;
    private final Model model;
    private final Path temporary;

    private ServedModel(Millrace millrace, Model model, Path temporary) {
        this.millrace = millrace;
        this.model = model;
        this.temporary = temporary;
    }

    /// Opens a model of repositories.
    ///
    /// @param version a number or an alias; null for what answers those who do not say
    /// @throws dev.millrace.runtime.InferenceException if it is not served
    static ServedModel named(String name, String version, List<Path> repositories, RuntimeConfig config) {
        return open(name, version, repositories, config, null);
    }

    /// Opens a model file, which is put into a repository of its own.
    ///
    /// @throws IOException if it cannot be read
    /// @throws dev.millrace.runtime.InferenceException if it is not served
    static ServedModel file(Path file, RuntimeConfig config) throws IOException {
        Path temporary = Files.createTempDirectory("millrace-score");
        try {
            String name = file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
            Path folder = Files.createDirectories(temporary.resolve(name).resolve(ONLY_VERSION));
            put(file.toRealPath(), folder);
            return open(name, null, List.of(temporary), config, temporary);
        } catch (IOException | RuntimeException e) {
            delete(temporary);
            throw e;
        }
    }

    private static ServedModel open(
            String name, String version, List<Path> repositories, RuntimeConfig config, Path temporary) {
        Millrace millrace = Millrace.open(config.withStartUpModels(Set.of(name)), repositories.toArray(Path[]::new));
        try {
            Model model = version == null ? millrace.model(name) : millrace.model(name, version);
            return new ServedModel(millrace, model, temporary);
        } catch (RuntimeException e) {
            millrace.close();
            throw e;
        }
    }

    /// Puts a model into a folder, with the files beside it that it has tensors in. Nothing is
    /// copied where the file system has hard links.
    private static void put(Path model, Path folder) throws IOException {
        List<String> locations;
        try (OnnxFile onnx = OnnxFile.open(model)) {
            locations = new ArrayList<>(onnx.externalFiles());
        }
        for (String location : locations) {
            Path target = folder.resolve(location).normalize();
            if (!target.startsWith(folder)) {
                throw new IOException(model + ": it has tensors outside of its folder, in " + location);
            }
            Files.createDirectories(target.getParent());
            link(target, model.resolveSibling(location));
        }
        link(folder.resolve("model.onnx"), model);
    }

    private static void link(Path target, Path source) throws IOException {
        if (!Files.exists(source)) {
            throw new NoSuchFileException(source.toString());
        }
        try {
            Files.createLink(target, source);
        } catch (IOException | UnsupportedOperationException _) {
            Files.copy(source, target);
        }
    }

    Model model() {
        return model;
    }

    /// What is known of the version that answers.
    ModelStatus status() {
        long version = model.version();
        return millrace.status().stream()
                .filter(status -> status.model().equals(model.name()) && status.version() == version)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() throws IOException {
        try {
            millrace.close();
        } finally {
            if (temporary != null) {
                delete(temporary);
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : all) {
            Files.deleteIfExists(each);
        }
    }
}
