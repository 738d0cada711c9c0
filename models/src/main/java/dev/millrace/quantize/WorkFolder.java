// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A folder for models that are only run. It is gone when it is closed, and also when the process is told to end
/// before.
///
/// Threads: one, and the one that ends the process.
final class WorkFolder implements AutoCloseable {
    /// The thread that works may still write when the process ends.
    private static final int ATTEMPTS = 10;

    private final Path folder;
    private final Thread atExit;

    private WorkFolder(Path folder) {
        this.folder = folder;
        this.atExit = new Thread(this::deleteAtExit, "millrace-quantize-exit");
    }

    static WorkFolder open() throws IOException {
        WorkFolder made = new WorkFolder(Files.createTempDirectory("millrace-quantize"));
        try {
            Runtime.getRuntime().addShutdownHook(made.atExit);
        } catch (IllegalStateException e) {
            made.delete();
            throw new IOException("the process is about to end", e);
        }
        return made;
    }

    Path path() {
        return folder;
    }

    private void deleteAtExit() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                delete();
                return;
            } catch (IOException _) {
                // Something was added meanwhile.
            }
        }
    }

    private void delete() throws IOException {
        if (Files.exists(folder)) {
            List<Path> deepestFirst;
            try (Stream<Path> files = Files.walk(folder)) {
                deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            }
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // It is at work.
        }
        delete();
    }
}
