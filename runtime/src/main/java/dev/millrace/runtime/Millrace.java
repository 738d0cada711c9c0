// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.model.ModelRepository;
import dev.millrace.monitor.Recording;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The runtime: models of one or more repositories, loaded and warm, and the threads that serve them.
///
/// ```
/// try (Millrace millrace = Millrace.open(Path.of("models"))) {
///     Model fraud = millrace.model("fraud");
///     Prediction prediction = fraud.predict(fraud.request().set("features", row));
///     float score = prediction.floats("score")[0];
/// }
/// ```
///
/// A model that cannot be loaded does not keep the others from being served; [#status()] tells why.
///
/// Threads: any. Ownership: it owns sessions, native memory and threads until it is closed. When the JVM exits without
/// closing it, no further run begins and the exit waits for those in progress.
public final class Millrace implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Millrace.class);
    private static final long EXIT_WAIT_NANOS = 10_000_000_000L;

    private final RuntimeConfig config;
    private final AgentPool agents;
    private final Sweeper sweeper;
    private final Map<String, LoadedVersion> live = new TreeMap<>();
    private final List<ModelStatus> broken = new ArrayList<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread exitHook = new Thread(this::halt, "millrace-exit");
    private volatile boolean loading = true;
    private volatile boolean exiting;
    private volatile boolean freed;

    private Millrace(RuntimeConfig config) {
        this.config = config;
        this.agents = new AgentPool(config.agents());
        this.sweeper = new Sweeper(System::nanoTime);
    }

    /// Opens the models of `repositories`, folders in Triton's layout, with default settings.
    ///
    /// @throws UncheckedIOException if a repository is not a readable folder
    public static Millrace open(Path... repositories) {
        return open(RuntimeConfig.DEFAULT, repositories);
    }

    /// Opens the models of `repositories`, folders in Triton's layout.
    ///
    /// @throws UncheckedIOException if a repository is not a readable folder
    public static Millrace open(RuntimeConfig config, Path... repositories) {
        Millrace millrace = new Millrace(config);
        Runtime.getRuntime().addShutdownHook(millrace.exitHook);
        try {
            millrace.load(List.of(repositories));
        } catch (IOException e) {
            millrace.loading = false;
            millrace.close();
            throw new UncheckedIOException("cannot read model repository: " + e, e);
        } catch (RuntimeException | Error e) {
            millrace.loading = false;
            millrace.close();
            throw e;
        }
        return millrace;
    }

    private void load(List<Path> repositories) throws IOException {
        for (ModelRepository.Entry entry : ModelRepository.scan(repositories)) {
            if (exiting) {
                break;
            }
            if (entry.problem().isPresent()) {
                broken(entry.name(), 0, entry.problem().get());
            } else {
                load(entry.name(), entry.versions().getLast());
            }
        }
        agents.start();
        sweeper.start();
        loading = false;
    }

    private void load(String name, ModelRepository.Version version) {
        try {
            LoadedVersion loaded = LoadedVersion.load(
                    name, version.number(), version.file(), config, agents, sweeper, System::nanoTime);
            live.put(name, loaded);
            agents.add(loaded.lane());
            sweeper.add(loaded.lane());
        } catch (RuntimeException | OutOfMemoryError e) {
            // Whatever is wrong with one model, the others are served.
            broken(name, version.number(), "cannot load " + version.file() + ": " + e.getMessage());
        }
    }

    private void broken(String name, long version, String reason) {
        LOG.error("model {} version {} is not served: {}", name, version, reason);
        broken.add(ModelStatus.broken(name, version, reason));
    }

    /// The model called `name`.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is none, [Outcome#UNAVAILABLE] if it is broken
    public Model model(String name) {
        find(name);
        return new Model(name, () -> find(name));
    }

    /// The model called `name`, always answered by `version`.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is no such model or version,
    ///     [Outcome#UNAVAILABLE] if it is broken
    public Model model(String name, long version) {
        find(name, version);
        return new Model(name, () -> find(name, version));
    }

    private LoadedVersion find(String name, long version) {
        for (ModelStatus status : broken) {
            if (status.model().equals(name) && status.version() == version) {
                throw unavailable(status);
            }
        }
        LoadedVersion loaded = live.get(name);
        if (loaded == null || loaded.lane().spec().version() != version) {
            throw new InferenceException(
                    Outcome.NOT_FOUND, "model '" + name + "' has no version " + version + " that is served");
        }
        return loaded;
    }

    private LoadedVersion find(String name) {
        LoadedVersion loaded = live.get(name);
        if (loaded != null) {
            return loaded;
        }
        for (ModelStatus status : broken) {
            if (status.model().equals(name)) {
                throw unavailable(status);
            }
        }
        throw new InferenceException(
                Outcome.NOT_FOUND, "model '" + name + "' is not in the repository; it has " + live.keySet());
    }

    private static InferenceException unavailable(ModelStatus status) {
        return new InferenceException(
                Outcome.UNAVAILABLE, "model '" + status.model() + "' is not served: " + status.reason());
    }

    /// Every model version found, served or not, ordered by name.
    public List<ModelStatus> status() {
        List<ModelStatus> all = new ArrayList<>(broken);
        live.values().forEach(loaded -> all.add(loaded.status()));
        all.sort(java.util.Comparator.comparing(ModelStatus::model));
        return List.copyOf(all);
    }

    /// What every served model version has done so far.
    public List<LaneStatistics> statistics() {
        return live.values().stream().map(loaded -> loaded.lane().statistics()).toList();
    }

    /// Where the time of every served model version's requests went so far, and how large its batches were.
    /// Empty distributions if [RuntimeConfig#recording()] is off.
    public List<Recording> recordings() {
        return live.values().stream()
                .map(loaded -> loaded.lane().recorder().snapshot())
                .toList();
    }

    /// A turner for one event loop.
    public Turner turner() {
        return new Turner(config.inlineBudget().toNanos());
    }

    /// Whether it is neither closed nor closing.
    public boolean isOpen() {
        return !closed.get() && !exiting;
    }

    /// Refuses new requests, answers those in flight, and frees everything. Calls that the user made are the user's to
    /// close.
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        live.values().forEach(loaded -> loaded.lane().refuse());
        live.values().forEach(loaded -> loaded.close(config.drainTimeout()));
        agents.close();
        sweeper.close();
        freed = true;
        removeHook();
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(exitHook);
        } catch (IllegalStateException _) {
            LOG.debug("the JVM is exiting already");
        }
    }

    /// The JVM exits: its native libraries are about to be unloaded under whoever runs in them. Lets no run begin,
    /// waits for those in progress and for a close in progress, and tells who still waits for an answer.
    private void halt() {
        exiting = true;
        long end = System.nanoTime() + EXIT_WAIT_NANOS;
        if (!await(() -> !loading, end)) {
            return;
        }
        if (closed.get() && await(() -> freed, end)) {
            return;
        }
        live.values().forEach(loaded -> loaded.lane().halt());
        for (LoadedVersion loaded : live.values()) {
            if (await(loaded.lane()::isIdle, end)) {
                loaded.lane().abandon();
            }
        }
    }

    private static boolean await(BooleanSupplier condition, long end) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end >= 0) {
                return false;
            }
            LockSupport.parkNanos(1_000_000);
        }
        return true;
    }
}
