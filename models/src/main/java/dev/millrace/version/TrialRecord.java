// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.PartialFiles;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Remembers what passed its trial, so that the same is not tried again: in memory, and in a folder, if there is one,
/// also from one start to the next.
///
/// What counts as the same is a text: the model's content and that of its goldens, ONNX Runtime's version, how the
/// model is opened, what it may take, the system and the processor. An entry is a file that holds this text; one that
/// holds anything else is none. Whatever is wrong with the folder costs another trial. Who may write there decides what
/// is tried, as who may write models decides what is loaded.
///
/// Threads: any; other processes may use the same folder.
public final class TrialRecord {
    private static final Logger LOG = LoggerFactory.getLogger(TrialRecord.class);
    private static final String FORMAT = "millrace-trial 1";
    private static final String PASSED = ".passed";
    /// In memory and in the folder.
    static final int MOST = 1000;

    private final Optional<Path> folder;
    private final Map<String, Boolean> passed = new LinkedHashMap<>() {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MOST;
        }
    };

    /// A record in a folder, which is made when it is needed; what processes left there that were killed is removed.
    ///
    /// @param folder empty: in memory alone
    public TrialRecord(Optional<Path> folder) {
        this.folder = folder;
        folder.ifPresent(PartialFiles::removeAbandoned);
    }

    /// What is tried, as a text.
    ///
    /// @param sha256 the model's [ModelDigest]
    /// @param versionFolder where its goldens are
    /// @throws IOException if a golden cannot be read
    static String subject(String sha256, Path versionFolder, SessionSettings settings, TrialLimits limits)
            throws IOException {
        return String.join(
                "\n",
                FORMAT,
                sha256,
                versionFolder == null ? "" : Goldens.sha256(versionFolder),
                OrtRuntime.version(),
                settings.optimization() + " " + settings.arena() + " " + settings.memoryPattern(),
                new TreeMap<>(settings.entries()).toString(),
                limits.toString(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                GraphCache.processor());
    }

    /// Whether it passed.
    boolean has(String subject) {
        synchronized (passed) {
            if (passed.containsKey(subject)) {
                return true;
            }
        }
        return folder.isPresent() && isKept(file(subject), subject);
    }

    private Path file(String subject) {
        return folder.orElseThrow().resolve(ModelDigest.sha256(subject) + PASSED);
    }

    private static boolean isKept(Path file, String subject) {
        try {
            return Files.isRegularFile(file)
                    && Files.size(file) < 4L * subject.length() + 1
                    && Files.readString(file).equals(subject);
        } catch (IOException e) {
            LOG.debug("{} counts as none: {}", file, e.toString());
            return false;
        }
    }

    /// It passed.
    void add(String subject) {
        synchronized (passed) {
            passed.put(subject, true);
        }
        if (folder.isPresent()) {
            keep(subject);
        }
    }

    private void keep(String subject) {
        Path partial = null;
        try {
            Files.createDirectories(folder.get());
            partial = PartialFiles.create(folder.get(), "trial");
            Files.writeString(partial, subject);
            Files.move(partial, file(subject), StandardCopyOption.ATOMIC_MOVE);
            makeRoom();
        } catch (IOException e) {
            LOG.warn(
                    "what passed its trial cannot be kept in {}, and is tried again at the next start: {}",
                    folder.get(),
                    e.toString());
        } finally {
            PartialFiles.delete(partial);
        }
    }

    /// Deletes the oldest entries if there are too many.
    private void makeRoom() throws IOException {
        record Entry(Path file, long written) {}
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder.get())) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(PASSED)).toList()) {
                entries.add(new Entry(file, Files.getLastModifiedTime(file).toMillis()));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::written));
        for (Entry entry : entries.subList(0, Math.max(0, entries.size() - MOST))) {
            Files.deleteIfExists(entry.file());
        }
    }
}
