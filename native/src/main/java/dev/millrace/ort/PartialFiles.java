// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Files that are written beside where they belong and renamed when they are whole, so that nobody sees them in part.
/// Their names tell which process writes them: what one left that was killed is removed by another.
///
/// Where processes do not see each other, as in containers that share a volume, one may take the file of another for
/// abandoned. So whoever writes one has to expect that it is gone.
///
/// Threads: any.
public final class PartialFiles {
    private static final Logger LOG = LoggerFactory.getLogger(PartialFiles.class);
    private static final String ENDING = ".partial";
    private static final Pattern NAME = Pattern.compile(".*\\.(\\d{1,18})-\\d+\\" + ENDING);
    private static final long PID = ProcessHandle.current().pid();
    /// No file is written for so long; its process's number is another's by now.
    private static final long LONGEST_MILLIS = 3_600_000;

    private static final Set<Path> OWN = new HashSet<>();

    private PartialFiles() {}

    /// Makes an empty file, which nobody else may read; [#delete(Path)] ends that, whatever became of it.
    ///
    /// @param name what it will be called, about
    public static Path create(Path folder, String name) throws IOException {
        synchronized (OWN) {
            Path file = Files.createTempFile(folder, name + "." + PID + "-", ENDING);
            OWN.add(key(file));
            return file;
        }
    }

    /// Deletes it, if it is still called so.
    ///
    /// @param file may be null
    public static void delete(Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.debug("{} stays", file, e);
        }
        synchronized (OWN) {
            OWN.remove(key(file));
        }
    }

    /// The same however the folder was written.
    private static Path key(Path file) {
        return file.toAbsolutePath().normalize();
    }

    /// Deletes what processes left in a folder that have ended. There need not be such a folder.
    public static void removeAbandoned(Path folder) {
        removeAbandoned(folder, "");
    }

    /// The same in a folder that is not Millrace's alone.
    ///
    /// @param name what the files were to be called that are deleted; others stay
    public static void removeAbandoned(Path folder, String name) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> isCalled(file.getFileName().toString(), name))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("{} is not looked through: {}", folder, e.toString());
            return;
        }
        for (Path file : files) {
            try {
                if (isAbandoned(file)) {
                    LOG.info("removing {}, which a process left that has ended", file);
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                LOG.debug("{} stays: {}", file, e.toString());
            }
        }
    }

    private static boolean isCalled(String file, String name) {
        return file.endsWith(ENDING) && (name.isEmpty() || file.startsWith(name + "."));
    }

    private static boolean isAbandoned(Path file) throws IOException {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (!name.matches()) {
            return false;
        }
        long process = Long.parseLong(name.group(1));
        if (process == PID) {
            synchronized (OWN) {
                return !OWN.contains(key(file));
            }
        }
        return ProcessHandle.of(process).isEmpty()
                || System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() > LONGEST_MILLIS;
    }
}
