// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/// The names of an output's classes: one per line of a file in the model's folder, the first for the first element.
///
/// Threads: stateless.
final class LabelFile {
    /// A file of labels is read into memory; one that is larger is no such file.
    private static final long MAX_BYTES = 16L << 20;

    /// What is wrong with a file.
    static final class Wrong extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        Wrong(String problem) {
            super(problem);
        }
    }

    private LabelFile() {}

    /// Reads a file.
    ///
    /// @param folder the model's folder
    /// @param name the file's path from there
    /// @param classes how many labels there may be, or -1 if that is open
    /// @throws Wrong saying what was expected, if it is not in the folder, is no text, or has too many lines
    static List<String> read(Path folder, String name, long classes) throws Wrong {
        List<String> labels = lines(inside(folder, name));
        if (classes >= 0 && labels.size() > classes) {
            throw new Wrong(
                    "which has " + labels.size() + " labels, expected at most " + classes + ", one for each class");
        }
        return labels;
    }

    /// The file itself, which no link may lead out of the folder.
    private static Path inside(Path folder, String name) throws Wrong {
        try {
            Path file = folder.resolve(name).toRealPath();
            if (!file.startsWith(folder.toRealPath()) || !Files.isRegularFile(file)) {
                throw new Wrong("expected a file in the model's folder");
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new Wrong("which has " + Files.size(file) + " bytes, expected at most " + MAX_BYTES);
            }
            return file;
        } catch (InvalidPathException | IOException e) {
            throw new Wrong("expected a file in the model's folder that can be read: " + e);
        }
    }

    private static List<String> lines(Path file) throws Wrong {
        try {
            return List.copyOf(Files.readAllLines(file));
        } catch (MalformedInputException _) {
            throw new Wrong("which is no UTF-8 text");
        } catch (IOException e) {
            throw new Wrong("which cannot be read: " + e);
        }
    }
}
