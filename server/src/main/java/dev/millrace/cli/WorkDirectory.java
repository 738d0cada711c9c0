// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.ort.PartialFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The folder that a process may write to, where that is not every folder: all that writes files is sent there.
///
/// Threads: one, before anything is loaded.
final class WorkDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(WorkDirectory.class);
    private static final String TEMPORARY = "java.io.tmpdir";
    private static final String NETTY = "netty";
    /// How the names of its libraries begin.
    private static final String LIBRARY = "libnetty";
    /// What is not said otherwise, by the folders in it.
    private static final Map<String, String> PROPERTIES = Map.of(
            // ONNX Runtime's shared libraries
            "millrace.cache",
            "cache",
            // Netty's
            "io.netty.native.workdir",
            NETTY);

    /// What is written to see whether a folder can be written to.
    private static final String PROBE = ".millrace-probe";

    private static final long LOADING_MILLIS = 60_000;

    private WorkDirectory() {}

    /// Sends everything there.
    ///
    /// @throws IOException saying what is wrong, if it cannot be written to, or temporary files would go elsewhere
    static void use(Path folder) throws IOException {
        Path absolute = folder.toAbsolutePath();
        check(absolute, "--work-dir is");
        for (Map.Entry<String, String> property : PROPERTIES.entrySet()) {
            if (System.getProperty(property.getKey()) == null) {
                Path part = Files.createDirectories(absolute.resolve(property.getValue()));
                System.setProperty(property.getKey(), part.toString());
            }
        }
        removeAbandoned(absolute.resolve(NETTY));
        // The JDK reads this once, at its start.
        check(
                Path.of(System.getProperty(TEMPORARY)),
                "temporary files would go where they cannot: start the JVM with -D" + TEMPORARY + "=" + absolute
                        + ", as ./millrace does with --work-dir;");
    }

    /// Netty deletes its libraries as soon as it has loaded them: what is still there after a while was left by a
    /// process that was killed in between. Whatever else is there stays, and no start ends because of it.
    private static void removeAbandoned(Path folder) {
        List<Path> files;
        try (Stream<Path> children = Files.list(folder)) {
            files = children.filter(WorkDirectory::isLibrary).toList();
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("{} is not looked through: {}", folder, e.toString());
            return;
        }
        for (Path file : files) {
            try {
                if (System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis() > LOADING_MILLIS) {
                    LOG.info("removing {}, which a process left that has ended", file);
                    Files.deleteIfExists(file);
                }
            } catch (IOException e) {
                // Another process that starts may have been faster.
                LOG.debug("{} stays: {}", file, e.toString());
            }
        }
    }

    private static boolean isLibrary(Path file) {
        return file.getFileName().toString().startsWith(LIBRARY)
                && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    }

    /// Where optimised graphs are kept in it.
    static Path graphs(Path folder) {
        return folder.toAbsolutePath().resolve("graphs");
    }

    /// Where it is kept in it what passed its trial.
    static Path trials(Path folder) {
        return folder.toAbsolutePath().resolve("trials");
    }

    private static void check(Path folder, String what) throws IOException {
        try {
            Files.createDirectories(folder);
            PartialFiles.removeAbandoned(folder, PROBE);
            Path probe = PartialFiles.create(folder, PROBE);
            try {
                Files.write(probe, new byte[1], StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            } finally {
                PartialFiles.delete(probe);
            }
        } catch (IOException e) {
            throw new IOException(what + " " + folder + ", expected a folder that can be written to: " + e, e);
        }
    }
}
