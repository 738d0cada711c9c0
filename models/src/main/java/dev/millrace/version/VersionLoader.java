// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.spec.FeatureSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/// Loads versions with all that becomes of them before they serve: their content is named, they are tried in a process
/// of their own, opened, by their optimised graph perhaps, and answer their goldens.
///
/// Once others are served, loads yield to them: they are on a thread that gets what processor time nobody else wants,
/// and so are the processes of trials. Only a session that keeps threads of its own is opened by the thread that waits,
/// because they would be of the opener's priority for good.
///
/// Threads: any. Ownership: a loaded model is the caller's.
public final class VersionLoader {
    private final Optional<TrialLimits> trial;
    private final TrialRecord record;
    private final Semaphore trials;
    private final Optional<GraphCache> graphs;
    private final boolean goldens;

    private volatile boolean serving;

    /// A model that is loaded.
    ///
    /// @param model the model
    /// @param sha256 its [ModelDigest]
    public record Loaded(OnnxModel model, String sha256) {}

    /// A loader for the models of a runtime, which is not serving yet.
    ///
    /// @param trial what a model may take while it is tried; empty: it is not
    /// @param record what passed its trial and is not tried again
    /// @param trials how many may go on at the same time, each in a process of its own
    /// @param graphs where optimised graphs are; empty: nowhere
    /// @param goldens whether versions have to answer theirs
    public VersionLoader(
            Optional<TrialLimits> trial, TrialRecord record, int trials, Optional<GraphCache> graphs, boolean goldens) {
        this.trial = trial;
        this.record = record;
        this.trials = new Semaphore(trials);
        this.graphs = graphs;
        this.goldens = goldens;
    }

    /// From now on there is somebody to be disturbed: loads yield.
    public void serving() {
        serving = true;
    }

    /// Has a version brought into memory and warmed up so that those who are served do not notice, once there are any:
    /// by a thread of the lowest priority. The caller waits.
    ///
    /// @param work calls [#load]
    public <T> T aside(Supplier<T> work) {
        return serving ? Aside.run(work) : work.get();
    }

    /// Has a part of what is done [#aside] done by the thread that waits for it, which is of the priority that it ever
    /// had.
    public <T> T byWhoWaits(Supplier<T> part) {
        return Aside.byWhoWaits(part);
    }

    /// Whether a version's goldens are to be checked by who knows how the model's inputs are made: they are requests of
    /// raw values, because there is a specification of features in its folder.
    public boolean checksRawGoldens(Path folder) {
        return goldens && isRaw(folder);
    }

    private static boolean isRaw(Path folder) {
        return Files.exists(folder.resolve(FeatureSpec.FILE_NAME));
    }

    /// Loads a version; [#aside] is for all of it and what follows.
    ///
    /// @param file its model
    /// @param folder the version's, with its goldens, which are not for here if they are of raw values
    /// @param weights what the model is booked in
    /// @param tensors what its goldens are booked in
    /// @throws TrialFailed if it does not pass its trial
    /// @throws GoldenMismatch if it does not answer as it should
    /// @throws UncheckedIOException if a file of it cannot be read, or changes while it is tried
    /// @throws dev.millrace.ort.OrtFailure if the file is no model that can be served
    /// @throws dev.millrace.memory.MemoryExceededException if there is not enough memory for it
    public Loaded load(Path file, Path folder, SessionSettings settings, MemoryBudget weights, MemoryBudget tensors) {
        String sha256 = digest(file);
        Path examples = goldens && !isRaw(folder) ? folder : null;
        if (!sha256.isEmpty()) {
            trial.ifPresent(limits -> attempt(sha256, file, examples, settings, limits));
        }
        return new Loaded(checked(file, examples, sha256, settings, weights, tensors), sha256);
    }

    /// Threads of a session's own are of its opener's priority.
    private static BiFunction<Path, SessionSettings, OnnxSession> openedByWhoWaits(
            BiFunction<Path, SessionSettings, OnnxSession> open) {
        return (path, how) -> Aside.byWhoWaits(() -> open.apply(path, how));
    }

    private static String digest(Path file) {
        try {
            // Who opens it says that it is not there.
            return Files.isRegularFile(file) ? ModelDigest.of(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private void attempt(String sha256, Path file, Path folder, SessionSettings settings, TrialLimits limits) {
        String subject = subject(sha256, folder, settings, limits);
        if (record.has(subject)) {
            return;
        }
        trials.acquireUninterruptibly();
        try {
            ModelTrial.run(file, folder, settings, limits);
        } finally {
            trials.release();
        }
        // The process read the files for itself: what it tried has to be what is recorded and loaded.
        if (!subject.equals(subject(digest(file), folder, settings, limits))) {
            throw new UncheckedIOException(new IOException("its files changed while it was tried; load it again"));
        }
        record.add(subject);
    }

    private static String subject(String sha256, Path folder, SessionSettings settings, TrialLimits limits) {
        try {
            return TrialRecord.subject(sha256, folder, settings, limits);
        } catch (IOException e) {
            throw new UncheckedIOException("its goldens cannot be read: " + e, e);
        }
    }

    private OnnxModel checked(
            Path file,
            Path folder,
            String sha256,
            SessionSettings settings,
            MemoryBudget weights,
            MemoryBudget tensors) {
        BiFunction<Path, SessionSettings, OnnxSession> open = graphs.isPresent() && !sha256.isEmpty()
                ? (path, how) -> graphs.get().open(path, sha256, how)
                : OnnxSession::open;
        OnnxModel model =
                OnnxModel.load(file, settings, weights, settings.threads() == 1 ? open : openedByWhoWaits(open));
        try {
            if (folder != null) {
                Goldens.of(folder).check(model.session(), tensors);
            }
            return model;
        } catch (IOException e) {
            model.close();
            throw new UncheckedIOException("its goldens cannot be read: " + e, e);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }
}
