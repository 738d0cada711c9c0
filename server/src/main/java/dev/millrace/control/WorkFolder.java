// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.ort.PartialFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A folder of this process alone, for what it has to write. It is made when it is first needed and removed when it is
/// closed. What a process left that was killed is removed by the next one, when it starts: a lock tells whose are still
/// in use.
///
/// Threads: one at a time.
final class WorkFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkFolder.class);
    private static final String PREFIX = "millrace-run-";
    private static final Pattern NAME = Pattern.compile(PREFIX + "\\d+");
    private static final String PROBE = ".millrace-probe";
    private static final String LOCK = "lock";
    /// A folder without a lock is being made, but not for so long.
    private static final long BEING_MADE_MILLIS = 60_000;

    /// The names of folders of this process. Their locks must not be touched: the system takes all locks of a process
    /// on a file away when it closes that file anywhere.
    private static final Set<String> OWN = ConcurrentHashMap.newKeySet();

    private final Path parent;
    private Path folder;
    private FileChannel lock;

    /// @param parent where it is made; without it, where temporary files are
    WorkFolder(Optional<Path> parent) {
        this.parent = parent.orElseGet(() -> Path.of(System.getProperty("java.io.tmpdir")))
                .toAbsolutePath()
                .normalize();
    }

    /// The folder.
    ///
    /// @throws IOException if it cannot be made
    Path path() throws IOException {
        while (folder == null) {
            Files.createDirectories(parent);
            // Nobody else may read or write there.
            Path made = Files.createTempDirectory(parent, PREFIX);
            OWN.add(made.getFileName().toString());
            Path file = made.resolve(LOCK);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            channel.lock();
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                lock = channel;
                folder = made;
            } else {
                // Another process took it for abandoned before it was locked.
                channel.close();
                OWN.remove(made.getFileName().toString());
            }
        }
        return folder;
    }

    /// Deletes what processes of the same user left beside it that have ended.
    void removeAbandoned() {
        List<Path> others;
        try (Stream<Path> children = Files.list(parent)) {
            others = children.filter(WorkFolder::isOfAnother).toList();
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("{} is not looked through: {}", parent, e.toString());
            return;
        }
        if (others.isEmpty()) {
            return;
        }
        UserPrincipal user;
        try {
            user = user();
        } catch (IOException | UnsupportedOperationException e) {
            LOG.debug("nothing in {} is removed, as it cannot be told whose it is: {}", parent, e.toString());
            return;
        }
        for (Path other : others) {
            try {
                removeAbandoned(other, user);
            } catch (IOException | UncheckedIOException e) {
                LOG.debug("{} stays: {}", other, e.toString());
            }
        }
    }

    private static boolean isOfAnother(Path folder) {
        String name = folder.getFileName().toString();
        return NAME.matcher(name).matches()
                && !OWN.contains(name)
                && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS);
    }

    /// Who this process writes as, by what it writes.
    private UserPrincipal user() throws IOException {
        PartialFiles.removeAbandoned(parent, PROBE);
        Path probe = PartialFiles.create(parent, PROBE);
        try {
            return Files.getOwner(probe, LinkOption.NOFOLLOW_LINKS);
        } finally {
            PartialFiles.delete(probe);
        }
    }

    private static void removeAbandoned(Path folder, UserPrincipal user) throws IOException {
        if (!Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(user)) {
            return;
        }
        Path file = folder.resolve(LOCK);
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException _) {
            if (isOld(folder)) {
                // What is in it, if anything is, was not left by such a process.
                Files.delete(folder);
            }
            return;
        }
        // To open something else, like a pipe, could take for ever. It may also have become one of this process just
        // now.
        if (!attributes.isRegularFile() || OWN.contains(folder.getFileName().toString())) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock taken = channel.tryLock()) {
            if (taken == null) {
                return;
            }
            LOG.info("removing {}, which a process left that has ended", folder);
            empty(folder);
        } catch (OverlappingFileLockException _) {
            return;
        }
        Files.deleteIfExists(folder);
    }

    private static boolean isOld(Path folder) throws IOException {
        long millis = System.currentTimeMillis()
                - Files.getLastModifiedTime(folder, LinkOption.NOFOLLOW_LINKS).toMillis();
        return millis > BEING_MADE_MILLIS;
    }

    /// Deletes a folder with all that is in it; links are not followed.
    static void delete(Path folder) throws IOException {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            empty(folder);
            Files.deleteIfExists(folder);
        }
    }

    /// Deletes what is in a folder, its lock last: what is left, should that not come to its end, can be told to be
    /// abandoned.
    private static void empty(Path folder) throws IOException {
        Path last = folder.resolve(LOCK);
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!file.equals(last)) {
                    Files.deleteIfExists(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException problem) throws IOException {
                if (!visited.equals(folder)) {
                    Files.deleteIfExists(visited);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        Files.deleteIfExists(last);
    }

    @Override
    public void close() {
        if (folder == null) {
            return;
        }
        try (FileChannel _ = lock) {
            empty(folder);
        } catch (IOException e) {
            LOG.warn("cannot empty {}: {}", folder, e.toString());
        }
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", folder, e.toString());
        }
        OWN.remove(folder.getFileName().toString());
        folder = null;
    }
}
