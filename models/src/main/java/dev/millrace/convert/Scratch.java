// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A folder for models that are only run. Threads: one. Ownership: whoever opens it closes it, which deletes it.
final class Scratch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Scratch.class);

    private final Path folder;
    private int files;

    private Scratch(Path folder) {
        this.folder = folder;
    }

    static Scratch open() throws IOException {
        return new Scratch(Files.createTempDirectory("millrace-convert"));
    }

    /// A folder in it that nothing is in.
    Path folder() throws IOException {
        return Files.createDirectory(folder.resolve(Integer.toString(++files)));
    }

    /// A file in it that is not there yet, in a folder of its own.
    Path file() throws IOException {
        return folder().resolve("model.onnx");
    }

    @Override
    public void close() {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepest = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepest) {
                Files.delete(path);
            }
        } catch (IOException e) {
            LOG.warn("{} stays: {}", folder, e.toString());
        }
    }
}
