// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.manage.LoadParameters;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The models that came with a load, in files below one folder. A model keeps the files that it is served from and
/// those that it was served from before, so that a rollback finds them; older ones are deleted.
///
/// Files are written as they came and never opened as archives. Threads: one at a time.
final class Uploads implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Uploads.class);
    /// What a folder may be called, anywhere.
    private static final String MODEL_NAME = "(?!\\.)[A-Za-z0-9._-]{1,128}";
    private final WorkFolder work;
    private final Limits limits;
    private final Consumer<Limit> limited;
    private final Map<String, Kept> uploads = new HashMap<>();
    private long next;

    /// A model's files.
    ///
    /// @param home the folder of this upload alone
    /// @param model the model's folder in it
    /// @param bytes all files together
    record Upload(Path home, Path model, long bytes) {}

    /// The files that a model has here; null stands for those of the repository.
    ///
    /// @param served what it is served from
    /// @param before what it was served from before, which a rollback would load
    private record Kept(Upload served, Upload before) {
        static final Kept NONE = new Kept(null, null);

        Stream<Upload> all() {
            return Stream.of(Optional.ofNullable(served), Optional.ofNullable(before))
                    .flatMap(Optional::stream);
        }
    }

    /// @param limited told of what was over a limit
    Uploads(Optional<Path> workDir, Limits limits, Consumer<Limit> limited) {
        this.work = new WorkFolder(workDir);
        this.limits = limits;
        this.limited = limited;
    }

    /// Deletes what processes left that were killed.
    void removeAbandoned() {
        work.removeAbandoned();
    }

    /// Writes the files that came with a load.
    ///
    /// @throws ManagementException if a name in it is refused, or it is too much, or cannot be written
    Upload write(String model, LoadParameters parameters) {
        if (!model.matches(MODEL_NAME)) {
            throw ManagementException.invalid("files came for a model called '" + model
                    + "', expected a name of letters, digits, '_', '-' and '.'");
        }
        List<UploadPath> paths = new ArrayList<>();
        parameters.files().keySet().forEach(name -> paths.add(UploadPath.of(name)));
        long bytes = parameters.files().values().stream()
                .mapToLong(content -> content.length)
                .sum();
        long used = used();
        if (used + bytes > limits.get(Limit.MAX_UPLOAD_BYTES)) {
            limited.accept(Limit.MAX_UPLOAD_BYTES);
            throw new ManagementException(
                    Problem.TOO_LARGE,
                    limits.over(
                            Limit.MAX_UPLOAD_BYTES,
                            "files of " + bytes + " bytes, beside " + used + " bytes of other models that came so"));
        }
        try {
            Path home = Files.createDirectory(work.path().resolve("upload-" + next++));
            Upload upload = new Upload(home, home.resolve(model), bytes);
            try {
                for (UploadPath path : paths) {
                    write(upload.model(), path, parameters.files().get(path.text()));
                }
            } catch (IOException | RuntimeException e) {
                WorkFolder.delete(home);
                throw e;
            }
            return upload;
        } catch (IOException e) {
            throw new ManagementException(
                    Problem.UNAVAILABLE, "the files of model '" + model + "' cannot be written: " + e);
        }
    }

    private static void write(Path folder, UploadPath path, byte[] content) throws IOException {
        Path file = folder;
        for (String name : path.names()) {
            file = file.resolve(name);
        }
        if (!file.normalize().startsWith(folder)) {
            throw new IllegalStateException(path + " was not refused");
        }
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, content, StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException _) {
            throw ManagementException.invalid(
                    "parameter 'file:" + path.text() + "' of a load is the name of another file or folder in it, too");
        }
    }

    private long used() {
        return uploads.values().stream()
                .flatMap(Kept::all)
                .mapToLong(Upload::bytes)
                .sum();
    }

    /// The model is served from these files now; null: from those of the repository.
    void served(String model, Upload upload) {
        Kept kept = uploads.getOrDefault(model, Kept.NONE);
        uploads.put(model, new Kept(upload, kept.served()));
        if (kept.before() != null) {
            drop(kept.before());
        }
    }

    /// What was served before is served again.
    void rolledBack(String model) {
        uploads.computeIfPresent(model, (_, kept) -> new Kept(kept.before(), kept.served()));
    }

    /// These files are of no use.
    void drop(Upload upload) {
        try {
            WorkFolder.delete(upload.home());
        } catch (IOException e) {
            LOG.warn("cannot delete {}: {}", upload.home(), e.toString());
        }
    }

    /// The model is gone.
    void unloaded(String model) {
        Kept kept = uploads.remove(model);
        if (kept != null) {
            kept.all().forEach(this::drop);
        }
    }

    @Override
    public void close() {
        work.close();
    }
}
