// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// What can be seen of a folder's files without reading them. Two looks that see the same are taken for the same files.
///
/// @param files by their paths in the folder
public record FolderStamp(Map<String, Stamp> files) {
    private static final int MAX_DEPTH = 16;

    /// What there is when the folder is not there.
    public static final FolderStamp NONE = new FolderStamp(Map.of());

    /// One file.
    ///
    /// @param size in bytes
    /// @param modifiedNanos since 1970
    /// @param key what the file system knows it by: a file put in another's place is another
    public record Stamp(long size, long modifiedNanos, String key) {}

    /// Makes the map immutable.
    public FolderStamp {
        files = Map.copyOf(files);
    }

    /// Looks at all files of a folder and those below it; links are followed. A file that goes away meanwhile is not
    /// there.
    ///
    /// @throws UncheckedIOException if the folder cannot be read
    public static FolderStamp of(Path folder) {
        if (!Files.isDirectory(folder)) {
            return NONE;
        }
        Map<String, Stamp> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder, MAX_DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                add(files, folder, path);
            }
        } catch (NoSuchFileException _) {
            return NONE;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look at " + folder + ": " + e, e);
        }
        return new FolderStamp(files);
    }

    private static void add(Map<String, Stamp> files, Path folder, Path path) throws IOException {
        try {
            BasicFileAttributes seen = Files.readAttributes(path, BasicFileAttributes.class);
            if (seen.isRegularFile()) {
                long modified = seen.lastModifiedTime().to(TimeUnit.NANOSECONDS);
                files.put(
                        folder.relativize(path).toString(),
                        new Stamp(seen.size(), modified, String.valueOf(seen.fileKey())));
            }
        } catch (NoSuchFileException _) {
            files.remove(folder.relativize(path).toString());
        }
    }

    /// What is in one folder of it, or in it but in none of its version folders.
    ///
    /// @param version a version's folder
    FolderStamp of(String version) {
        Map<String, Stamp> part = new TreeMap<>(files);
        part.keySet().removeIf(path -> {
            String first = Path.of(path).getName(0).toString();
            boolean inVersion = first.matches("[1-9][0-9]*") && Path.of(path).getNameCount() > 1;
            return inVersion && !first.equals(version);
        });
        return new FolderStamp(part);
    }
}
