// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The folder of a store: `MANIFEST`, `LOCK`, a `.log` for each generation that is needed, and a
/// `.rows` for each view that has a snapshot. Threads: any.
final class StoreFiles {
    /// Which files are the store.
    static final String MANIFEST = "MANIFEST";

    private static final String LOCK = "LOCK";
    private static final String LOG = ".log";
    private static final String ROWS = ".rows";
    private static final String UNFINISHED = ".tmp";

    private final Path folder;

    StoreFiles(Path folder) {
        this.folder = folder;
    }

    Path manifest() {
        return folder.resolve(MANIFEST);
    }

    Path unfinishedManifest() {
        return folder.resolve(MANIFEST + UNFINISHED);
    }

    Path log(long generation) {
        return folder.resolve(String.format(Locale.ROOT, "%012d" + LOG, generation));
    }

    /// The snapshot of a view.
    Path rows(int view, long generation) {
        return folder.resolve(String.format(Locale.ROOT, "%d-%012d" + ROWS, view, generation));
    }

    Path resolve(String name) {
        return folder.resolve(name);
    }

    /// Whether there is nothing that a store would have to be careful with.
    boolean isEmpty() throws IOException {
        if (!Files.exists(folder)) {
            return true;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .allMatch(name -> name.equals(LOCK) || name.equals(MANIFEST + UNFINISHED) || name.endsWith(LOG));
        }
    }

    /// The logs from a generation on, in order.
    ///
    /// @throws CorruptStoreException if one in between is missing
    List<Path> logs(long from) throws IOException {
        TreeMap<Long, Path> logs = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.matches("\\d{12}\\" + LOG) && Long.parseLong(name.substring(0, 12)) >= from) {
                    logs.put(Long.parseLong(name.substring(0, 12)), file);
                }
            }
        }
        long expected = from;
        for (long generation : logs.keySet()) {
            if (generation != expected) {
                throw new CorruptStoreException(log(expected), "it is missing, but there are later logs");
            }
            expected++;
        }
        if (logs.isEmpty()) {
            throw new CorruptStoreException(log(from), "it is missing");
        }
        return List.copyOf(logs.values());
    }

    /// Deletes what the store has no use for any more.
    ///
    /// @param generation the oldest log that is needed
    /// @param rows snapshots that are needed
    void clean(long generation, Set<String> rows) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean old = name.endsWith(UNFINISHED)
                        || (name.endsWith(ROWS) && !rows.contains(name))
                        || (name.endsWith(LOG) && file.compareTo(log(generation)) < 0);
                if (old) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /// The bytes of all its files.
    long bytes() throws IOException {
        long sum = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                sum += size(file);
            }
        }
        return sum;
    }

    /// A checkpoint may delete files while they are counted.
    private static long size(Path file) throws IOException {
        try {
            return Files.size(file);
        } catch (NoSuchFileException _) {
            return 0;
        }
    }

    /// Makes names that were added or changed outlast a loss of power.
    void force() throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Takes the store for this process, until the channel is closed or the process ends.
    ///
    /// @throws FileSystemException if another process, or another place in this one, has it
    FileChannel lock() throws IOException {
        FileChannel channel =
                FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException _) {
            // The same to the caller.
        }
        channel.close();
        throw new FileSystemException(
                folder.toString(),
                null,
                "another process, or another place in this one, writes to the store; it can be opened to be read");
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /// @return false if the file ends before
    static boolean readFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            int read = channel.read(bytes, at);
            if (read < 0) {
                return false;
            }
            at += read;
        }
        return true;
    }
}
