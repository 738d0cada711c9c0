// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.cache.ResponseCache;
import dev.millrace.lifecycle.RepositoryLook;
import dev.millrace.lifecycle.RepositoryLook.Found;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.memory.VersionMemory;
import dev.millrace.monitor.Recording;
import dev.millrace.raw.ModelFeatures;
import dev.millrace.raw.ServedPlan;
import dev.millrace.version.GraphCache;
import dev.millrace.version.TrialRecord;
import dev.millrace.version.VersionLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    /// The part of the memory for tensors that the response cache may take at most.
    private static final int CACHE_SHARE = 4;

    private static final long EXIT_WAIT_NANOS = 10_000_000_000L;

    private final RuntimeConfig config;
    private final MemoryBudgets memory;
    private final ResponseCache cache;
    private final AgentPool agents;
    private final Sweeper sweeper;
    private final Catalog catalog = new Catalog();
    private final VersionLoader loader;
    private final ModelLifecycle lifecycle;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread exitHook = new Thread(this::halt, "millrace-exit");
    private volatile boolean loading = true;
    private volatile boolean exiting;
    private volatile boolean freed;

    private Millrace(RuntimeConfig config, RepositoryLook look, int agents) {
        this.config = config;
        this.memory = memory(MemoryPlan.of(config.memoryBytes()));
        this.cache = new ResponseCache(
                memory.tensors(),
                Math.min(config.responseCacheBytes(), memory.tensors().limit() / CACHE_SHARE));
        this.agents = new AgentPool(agents);
        this.sweeper = new Sweeper(System::nanoTime);
        this.loader = new VersionLoader(
                config.trial(),
                new TrialRecord(config.trialRecord()),
                trials(config, memory),
                config.graphCache().map(folder -> new GraphCache(folder, GraphCache.DEFAULT_BYTES)),
                config.goldenCheck());
        LoadedVersion.Host host =
                new LoadedVersion.Host(config, memory, cache, loader, this.agents, sweeper, System::nanoTime);
        this.lifecycle = new ModelLifecycle(look, host, catalog);
    }

    /// Opens the models of `repositories`, folders in Triton's layout, with default settings.
    ///
    /// @throws java.io.UncheckedIOException if a repository is not a readable folder
    public static Millrace open(Path... repositories) {
        return open(RuntimeConfig.DEFAULT, repositories);
    }

    /// Opens the models of `repositories`, folders in Triton's layout.
    ///
    /// @throws java.io.UncheckedIOException if a repository is not a readable folder
    public static Millrace open(RuntimeConfig config, Path... repositories) {
        RepositoryLook look = new RepositoryLook(List.of(repositories), config.models());
        Map<String, Found> found = atStart(look.all(), config);
        Millrace millrace = new Millrace(config, look, agents(found, config));
        Runtime.getRuntime().addShutdownHook(millrace.exitHook);
        try {
            millrace.start(found);
        } catch (RuntimeException | Error e) {
            millrace.loading = false;
            millrace.close();
            throw e;
        }
        return millrace;
    }

    /// How many models are tried at the same time, at the start: each has a thread, and all together what models may
    /// take.
    private static int trials(RuntimeConfig config, MemoryBudgets memory) {
        long fit = config.trial()
                .map(limits -> memory.models().limit() / limits.memoryBytes())
                .orElse(1L);
        return Math.clamp(fit, 1, Runtime.getRuntime().availableProcessors());
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

    /// Those that the start is to bring: what is configured to, and what ensembles among them are made of.
    private static Map<String, Found> atStart(Map<String, Found> found, RuntimeConfig config) {
        Map<String, Found> start = new TreeMap<>();
        found.keySet().stream().filter(config::loadsAtStart).forEach(name -> addWithParts(name, found, start));
        for (String name : config.models().keySet()) {
            if (!found.containsKey(name)) {
                LOG.warn("model {} is configured but in no repository", name);
            }
        }
        return start;
    }

    private static void addWithParts(String name, Map<String, Found> found, Map<String, Found> start) {
        Found model = found.get(name);
        if (model != null && start.put(name, model) == null) {
            model.parts().forEach(part -> addWithParts(part, found, start));
        }
    }

    private static int agents(Map<String, Found> found, RuntimeConfig config) {
        int processors = Runtime.getRuntime().availableProcessors();
        List<Integer> threads = new ArrayList<>();
        for (Found each : found.values()) {
            each.model().ifPresent(model -> {
                int count = model.settings(config.intraOpThreads()).threads();
                threads.addAll(Collections.nCopies(model.versions().size(), count));
            });
        }
        int agents =
                config.agents() == RuntimeConfig.AUTO_AGENTS ? AgentPool.fitting(processors, threads) : config.agents();
        AgentPool.warnIfMoreThan(processors, agents, threads);
        return agents;
    }

    private void start(Map<String, Found> found) {
        lifecycle.start(found);
        for (String name : config.startUpModels().orElse(Set.of())) {
            if (!found.containsKey(name) && !name.equals("*")) {
                ModelStatus status = ModelStatus.broken(name, 0, "the model is in none of the repositories");
                LOG.error("model {} is not served: {}", name, status.reason());
                catalog.broken(status);
            }
        }
        agents.start();
        sweeper.start();
        loader.serving();
        loading = false;
    }

    /// Loads, replaces and unloads models.
    public ModelLifecycle lifecycle() {
        return lifecycle;
    }

    /// The model called `name`: every use of it is answered by the highest version that is served then.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is none, [Outcome#UNAVAILABLE] if none of its
    ///     versions is served
    public Model model(String name) {
        catalog.find(name);
        return new Model(name, () -> catalog.find(name));
    }

    /// The model called `name`, always answered by `version`.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is no such model or version,
    ///     [Outcome#UNAVAILABLE] if it is broken
    public Model model(String name, long version) {
        catalog.find(name, version);
        return new Model(name, () -> catalog.find(name, version));
    }

    /// The model called `name`, always answered by the version that `version` is the number of, or the alias.
    ///
    /// @throws InferenceException as [#model(String, long)]
    public Model model(String name, String version) {
        if (version.matches("[0-9]{1,18}")) {
            return model(name, Long.parseLong(version));
        }
        catalog.findAlias(name, version);
        return new Model(name, () -> catalog.findAlias(name, version));
    }

    /// Every model version that was asked for, served or not, ordered by name and version.
    public List<ModelStatus> status() {
        return catalog.status();
    }

    /// What every served model version has done so far.
    public List<LaneStatistics> statistics() {
        return catalog.loaded().stream()
                .map(loaded -> loaded.lane().statistics())
                .toList();
    }

    /// The features of every served model version whose inputs are raw values.
    public List<ModelFeatures> features() {
        return catalog.loaded().stream()
                .filter(loaded -> loaded.features().isPresent())
                .map(Millrace::features)
                .toList();
    }

    private static ModelFeatures features(LoadedVersion loaded) {
        ServedPlan features = loaded.features().orElseThrow();
        return new ModelFeatures(
                loaded.lane().spec().model(), loaded.number(), features.plan().spec(), features.counts());
    }

    /// What every model has done since the runtime was opened, by all its versions, those that are gone among them.
    public List<LaneStatistics.Totals> totals() {
        return catalog.totals();
    }

    /// Where the time of every served model version's requests went so far, and how large its batches were.
    /// Empty distributions if [RuntimeConfig#recording()] is off.
    public List<Recording> recordings() {
        return catalog.loaded().stream()
                .map(loaded -> loaded.lane().recorder().snapshot())
                .toList();
    }

    /// The threads that run models.
    int agents() {
        return agents.size();
    }

    /// What may be used of the memory, and what is.
    public MemoryBudgets memory() {
        return memory;
    }

    /// The answers that are kept for models which want that.
    public ResponseCache responseCache() {
        return cache;
    }

    /// What every served model version uses of it.
    public List<VersionMemory> memoryOfModels() {
        return catalog.loaded().stream().map(LoadedVersion::memory).toList();
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
        close(config.drainTimeout());
    }

    /// As [#close()], with another time for what is in progress. A load that takes longer is left alone, and frees what
    /// it brings when it ends; should the JVM exit before that, the exit waits for it for a while.
    public void close(Duration patience) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        lifecycle.close(patience);
        agents.close();
        sweeper.close();
        cache.close();
        freed = true;
        // A load that was left alone runs in native code: an exit still has to wait for it.
        if (!lifecycle.isChanging()) {
            removeHook();
        }
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
        lifecycle.stop();
        long end = System.nanoTime() + EXIT_WAIT_NANOS;
        if (!await(() -> !loading && !lifecycle.isChanging(), end)) {
            return;
        }
        if (closed.get() && await(() -> freed, end)) {
            return;
        }
        // No step waits in native code, so that they need not be waited for.
        List<LoadedVersion> all = lifecycle.instances();
        all.stream()
                .filter(loaded -> loaded.depth() > 0)
                .forEach(loaded -> loaded.lane().abandon());
        all.forEach(loaded -> loaded.lane().halt());
        for (LoadedVersion loaded : all) {
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
