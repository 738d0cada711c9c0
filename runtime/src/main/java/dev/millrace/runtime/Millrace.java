// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.ConfigFile;
import dev.millrace.model.ConfiguredModel;
import dev.millrace.model.ModelConfig;
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
import org.slf4j.event.Level;

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
    private final MemoryBudgets memory;
    private final AgentPool agents;
    private final Sweeper sweeper;
    private final Map<String, LoadedVersion> live = new TreeMap<>();
    private final List<ModelStatus> broken = new ArrayList<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread exitHook = new Thread(this::halt, "millrace-exit");
    private volatile boolean loading = true;
    private volatile boolean exiting;
    private volatile boolean freed;

    private Millrace(RuntimeConfig config, int agents) {
        this.config = config;
        this.memory = memory(MemoryPlan.of(config.memoryBytes()));
        this.agents = new AgentPool(agents);
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
        List<ModelStatus> broken = new ArrayList<>();
        List<ConfiguredModel> found = find(List.of(repositories), config, broken);
        Millrace millrace = new Millrace(config, agents(found, config));
        broken.forEach(millrace::broken);
        Runtime.getRuntime().addShutdownHook(millrace.exitHook);
        try {
            millrace.load(found);
        } catch (RuntimeException | Error e) {
            millrace.loading = false;
            millrace.close();
            throw e;
        }
        return millrace;
    }

    /// Says how the memory is divided.
    private static MemoryBudgets memory(MemoryPlan plan) {
        // Whoever asked for so much knows why.
        LOG.atLevel(plan.given() ? Level.DEBUG : Level.INFO).log(plan.describe());
        if (plan.isOvercommitted() && !plan.given()) {
            LOG.warn("together this may be more memory than there is: give the heap less, by -Xmx");
        }
        return MemoryBudgets.of(plan);
    }

    /// The models of the repositories and how each is to be served; those that cannot be go to `broken`.
    private static List<ConfiguredModel> find(List<Path> repositories, RuntimeConfig config, List<ModelStatus> broken) {
        List<ConfiguredModel> found = new ArrayList<>();
        try {
            for (ModelRepository.Entry entry : ModelRepository.scan(repositories)) {
                if (entry.problem().isPresent()) {
                    broken.add(
                            ModelStatus.broken(entry.name(), 0, entry.problem().get()));
                    continue;
                }
                try {
                    found.add(
                            ConfiguredModel.of(entry, config.models().getOrDefault(entry.name(), ModelConfig.DEFAULT)));
                } catch (ConfigFile.Invalid | IllegalArgumentException e) {
                    long latest = entry.versions().getLast().number();
                    broken.add(ModelStatus.broken(entry.name(), latest, e.getMessage()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read model repository: " + e, e);
        }
        for (String name : config.models().keySet()) {
            boolean known = found.stream().anyMatch(model -> model.name().equals(name))
                    || broken.stream().anyMatch(status -> status.model().equals(name));
            if (!known) {
                LOG.warn("model {} is configured but in no repository", name);
            }
        }
        return found;
    }

    private static int agents(List<ConfiguredModel> found, RuntimeConfig config) {
        int processors = Runtime.getRuntime().availableProcessors();
        List<Integer> intraOp =
                found.stream().map(model -> intraOpThreads(model, config)).toList();
        int agents =
                config.agents() == RuntimeConfig.AUTO_AGENTS ? AgentPool.fitting(processors, intraOp) : config.agents();
        long total = agents + AgentPool.kept(intraOp);
        if (total > processors) {
            LOG.warn(
                    "{} agents and the threads that sessions keep are {} together, more than the {} processors",
                    agents,
                    total,
                    processors);
        }
        return agents;
    }

    private static int intraOpThreads(ConfiguredModel model, RuntimeConfig config) {
        return model.config().intraOpThreads().orElse(config.intraOpThreads());
    }

    private void load(List<ConfiguredModel> found) {
        for (ConfiguredModel model : found) {
            if (exiting) {
                break;
            }
            load(model);
        }
        agents.start();
        sweeper.start();
        loading = false;
    }

    private void load(ConfiguredModel model) {
        try {
            LoadedVersion loaded = LoadedVersion.load(model, config, memory, agents, sweeper, System::nanoTime);
            live.put(model.name(), loaded);
            agents.add(loaded.lane());
            sweeper.add(loaded.lane());
        } catch (RuntimeException | OutOfMemoryError e) {
            // Whatever is wrong with one model, the others are served.
            String reason = "cannot load " + model.version().file() + ": " + e.getMessage();
            broken(ModelStatus.broken(model.name(), model.version().number(), reason));
        }
    }

    private void broken(ModelStatus status) {
        LOG.error("model {} version {} is not served: {}", status.model(), status.version(), status.reason());
        broken.add(status);
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

    /// What may be used of the memory, and what is.
    public MemoryBudgets memory() {
        return memory;
    }

    /// What every served model version uses of it.
    public List<VersionMemory> memoryOfModels() {
        return live.values().stream().map(LoadedVersion::memory).toList();
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
