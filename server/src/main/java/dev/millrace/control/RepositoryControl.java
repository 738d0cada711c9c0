// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.lifecycle.LoadOptions;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.manage.LoadParameters;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.manage.ModelControl;
import dev.millrace.model.ModelRepository;
import dev.millrace.runtime.ModelLifecycle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Changes the models of a server as its mode allows: in mode poll by looking at the repositories, in mode explicit
/// when it is asked for.
///
/// Threads: any; changes are made by threads of its own. Ownership: it owns these, and the files that came with loads.
public final class RepositoryControl implements ModelControl {
    private final ControlConfig config;
    private final List<Path> repositories;
    private final ModelLifecycle lifecycle;
    private final ModelChanges changes = new ModelChanges();
    private final Uploads uploads;
    /// Null unless repositories are polled.
    private final RepositoryWatcher watcher;

    /// @param limited told of what was over a limit
    /// @param repositories where models are loaded from
    public RepositoryControl(
            ControlConfig config,
            Limits limits,
            Consumer<Limit> limited,
            List<Path> repositories,
            ModelLifecycle lifecycle) {
        this.config = config;
        this.repositories = List.copyOf(repositories);
        this.lifecycle = lifecycle;
        this.uploads = new Uploads(config.workDir(), limits, limited);
        this.watcher = config.mode() != ControlMode.POLL
                ? null
                : new RepositoryWatcher(repositories, config.pollInterval(), RepositoryWatcher.QUIET, lifecycle::poll);
    }

    /// Removes what servers left that were killed, and begins to poll, if that is the mode.
    public void start() {
        uploads.removeAbandoned();
        if (watcher != null) {
            watcher.start();
        }
    }

    @Override
    public boolean takesLoads() {
        return config.mode() == ControlMode.EXPLICIT;
    }

    @Override
    public List<String> loadable() {
        if (!takesLoads()) {
            return List.of();
        }
        try {
            return ModelRepository.scan(repositories).stream()
                    .map(ModelRepository.Entry::name)
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw new ManagementException(Problem.UNAVAILABLE, "the model repositories cannot be read: " + e);
        }
    }

    private void requireExplicit(String what, String model) {
        if (!takesLoads()) {
            throw new ManagementException(
                    Problem.UNAVAILABLE,
                    what + " model '" + model + "' is not allowed: the server serves what its repositories "
                            + (config.mode() == ControlMode.POLL
                                    ? "hold (model control mode poll)"
                                    : "held when it started (model control mode none)"));
        }
    }

    @Override
    public CompletionStage<Void> load(String model, Supplier<LoadParameters> parameters) {
        requireExplicit("loading", model);
        return changes.submit(() -> {
            LoadParameters given = parameters.get();
            translated(() -> load(model, given));
            return null;
        });
    }

    private void load(String model, LoadParameters parameters) {
        Uploads.Upload upload = parameters.files().isEmpty() ? null : uploads.write(model, parameters);
        LoadOptions options = new LoadOptions(
                upload == null ? null : upload.model(), parameters.config().orElse(null), parameters.contractChange());
        boolean served = false;
        try {
            lifecycle.load(model, options);
            served = true;
        } catch (ModelLoadException e) {
            // Some versions may be good: they are served from these files.
            served = e.isServing(model);
            throw e;
        } finally {
            if (served) {
                uploads.served(model, upload);
            } else if (upload != null) {
                uploads.drop(upload);
            }
        }
    }

    @Override
    public CompletionStage<Void> unload(String model, boolean dependents) {
        requireExplicit("unloading", model);
        return changes.submit(() -> {
            translated(() -> lifecycle.unload(model, dependents));
            uploads.unloaded(model);
            return null;
        });
    }

    @Override
    public CompletionStage<Void> rollback(String model) {
        return change(() -> {
            lifecycle.rollback(model);
            uploads.rolledBack(model);
        });
    }

    @Override
    public CompletionStage<Void> alias(String model, String alias, long version) {
        return change(() -> lifecycle.alias(model, alias, version));
    }

    @Override
    public CompletionStage<Void> removeAlias(String model, String alias) {
        return change(() -> lifecycle.removeAlias(model, alias));
    }

    private CompletionStage<Void> change(Runnable change) {
        return changes.submit(() -> {
            translated(change);
            return null;
        });
    }

    private static void translated(Runnable change) {
        try {
            change.run();
        } catch (ModelLoadException e) {
            Problem problem = switch (e.problem()) {
                case NOT_FOUND -> Problem.NOT_FOUND;
                case FAILED -> Problem.FAILED;
                case BUSY -> Problem.UNAVAILABLE;
            };
            throw new ManagementException(problem, e.getMessage());
        } catch (IllegalArgumentException e) {
            throw ManagementException.invalid(e.getMessage());
        }
    }

    /// Changes nothing more, and waits for the change in progress.
    ///
    /// @param patience how long it waits at most, all in all
    public void close(Duration patience) {
        long start = System.nanoTime();
        Duration left = patience;
        if (watcher != null) {
            watcher.close(patience);
            left = patience.minusNanos(System.nanoTime() - start);
        }
        changes.close(left.isNegative() ? Duration.ZERO : left);
    }

    /// Deletes what came with loads: the models are closed.
    public void deleteFiles() {
        uploads.close();
    }
}
