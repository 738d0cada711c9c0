// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Optional;

/// Holds that what is in a repository really lies there: whoever may write to a repository could otherwise have the
/// server read any file that it may read, by a link. The repository itself may be a link, and links within it may lead
/// anywhere in it, as the mounts of Kubernetes' ConfigMaps do.
///
/// Threads: any.
final class Confinement {
    /// Deeper folders are nobody's model.
    private static final int MAX_DEPTH = 8;

    private final Path root;

    private Confinement(Path root) {
        this.root = root;
    }

    /// @param repository where everything has to lie
    /// @throws IOException if it is not there
    static Confinement to(Path repository) throws IOException {
        return new Confinement(repository.toRealPath());
    }

    /// Why a file or folder must not be read, if so.
    Optional<String> problem(Path path) throws IOException {
        Path real = path.toRealPath();
        return real.startsWith(root)
                ? Optional.empty()
                : Optional.of(path + " is a link that leads out of the repository, to " + real
                        + "; expected one to something within " + root);
    }

    /// Why a folder must not be read, if anything in it must not.
    Optional<String> problemWithin(Path folder) throws IOException {
        Search search = new Search();
        Files.walkFileTree(folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), MAX_DEPTH, search);
        return search.found;
    }

    private final class Search extends SimpleFileVisitor<Path> {
        private Optional<String> found = Optional.empty();

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
            return visit(folder);
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            // A link that leads nowhere is visited as what it is itself.
            return attributes.isSymbolicLink() ? FileVisitResult.CONTINUE : visit(file);
        }

        /// A link to nothing, a loop of links or what may not be read: whoever needs it will say so.
        @Override
        public FileVisitResult visitFileFailed(Path file, IOException problem) {
            return FileVisitResult.CONTINUE;
        }

        private FileVisitResult visit(Path path) throws IOException {
            try {
                found = problem(path);
            } catch (NoSuchFileException _) {
                // It was there a moment ago.
                return FileVisitResult.CONTINUE;
            }
            return found.isPresent() ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
        }
    }
}
