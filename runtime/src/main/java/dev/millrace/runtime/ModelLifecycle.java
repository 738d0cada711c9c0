// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.lifecycle.ChangeCounters;
import dev.millrace.lifecycle.ChangeStatistics;
import dev.millrace.lifecycle.Contract;
import dev.millrace.lifecycle.ContractBreach;
import dev.millrace.lifecycle.FolderStamp;
import dev.millrace.lifecycle.LoadOptions;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.ModelLoadException.Problem;
import dev.millrace.lifecycle.RepositoryLook;
import dev.millrace.lifecycle.RepositoryLook.Found;
import dev.millrace.lifecycle.RepositoryWatch;
import dev.millrace.lifecycle.StartOrder;
import dev.millrace.lifecycle.VersionSource;
import dev.millrace.lifecycle.VersionState;
import dev.millrace.memory.ProcessLimits;
import dev.millrace.model.ModelConfig;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Loads, replaces and unloads models while they serve.
///
/// A version is loaded beside the one that it is to replace, checked and warmed up. Then what is served is replaced in
/// one step, and the old version takes no more requests: it answers those that it has, and is freed. If anything fails
/// before that step, what was served goes on, and the model's status says why.
///
/// Threads: any. Changes of one model come one after the other, those of other models at the same time. Ownership: it
/// owns every version from its load until it is closed.
public final class ModelLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLifecycle.class);

    private final ChangeCounters changes = new ChangeCounters();
    private final RepositoryLook look;
    private final RepositoryWatch watch = new RepositoryWatch();
    private final LoadedVersion.Host host;
    private final Loader loader;
    private final Catalog catalog;
    private final Map<String, Managed> models = new ConcurrentHashMap<>();
    /// Every version that holds anything, be it served, kept or on its way out.
    private final Set<LoadedVersion> instances = ConcurrentHashMap.newKeySet();

    /// Those on their way out.
    private final Set<LoadedVersion> leaving = ConcurrentHashMap.newKeySet();
    /// Where their last requests are waited for.
    private final Executor ender;

    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger changing = new AtomicInteger();
    private volatile boolean started;
    private volatile boolean stopping;
    /// When all has to be ended, on the clock of [System#nanoTime()]; null before it is closed.
    private volatile Long end;

    /// What is remembered of a model besides what is served of it. Under its lock.
    private static final class Managed {
        private final String name;
        private final ReentrantLock lock = new ReentrantLock();
        /// What was served before the last change.
        private List<VersionSource> before = List.of();

        Managed(String name) {
            this.name = name;
        }
    }

    /// Brings a version into memory, warm, for whoever serves it.
    interface Loader {
        LoadedVersion load(VersionSource source);
    }

    ModelLifecycle(RepositoryLook look, LoadedVersion.Host host, Catalog catalog) {
        this(
                look,
                host,
                catalog,
                source -> source.model().ensemble().isPresent()
                        ? EnsembleLane.load(source, host, catalog)
                        : LoadedVersion.load(source, host),
                Executors.newThreadPerTaskExecutor(ProcessLimits.lowered(
                        Thread.ofPlatform().daemon().name("millrace-unload-", 0).factory())));
    }

    /// @param loader brings versions into memory
    /// @param ender waits for the last requests of versions
    ModelLifecycle(RepositoryLook look, LoadedVersion.Host host, Catalog catalog, Loader loader, Executor ender) {
        this.look = look;
        this.host = host;
        this.catalog = catalog;
        this.loader = loader;
        this.ender = ender;
    }

    /// As [#load(String, LoadOptions)], from the repository's folder.
    public void load(String model) {
        load(model, LoadOptions.DEFAULT);
    }

    /// Loads a model, or loads it anew, and returns when its versions are served. Versions whose files and
    /// configuration are as they were go on as they are, unless that is so for all: then all are loaded anew. The
    /// models of an ensemble's steps are loaded first, where they are not.
    ///
    /// @throws ModelLoadException if it is not there or cannot be served; what was served goes on
    public void load(String model, LoadOptions options) {
        load(model, options, true, new HashSet<>(Set.of(model)));
    }

    /// @param again whether to load it also if it is served by then
    private void load(String model, LoadOptions options, boolean again, Set<String> visited) {
        for (String part : find(model, options).parts()) {
            if (catalog.isAbsent(part) && look.has(part) && visited.add(part)) {
                load(part, LoadOptions.DEFAULT, false, visited);
            }
        }
        change(model, managed -> {
            if (again || catalog.isAbsent(model)) {
                // What was there before others had their turn may be older than what they serve.
                Found found = find(model, options);
                if (options.folder() == null) {
                    watch.loaded(model, found.stamp());
                }
                swap(managed, found, options.contractChange());
            }
        });
    }

    private Found find(String model, LoadOptions options) {
        try {
            return look.one(model, options)
                    .orElseThrow(() -> new ModelLoadException(
                            Problem.NOT_FOUND,
                            "model '" + model + "' is not in "
                                    + (options.folder() == null
                                            ? "the repositories " + look.roots()
                                            : options.folder())));
        } catch (UncheckedIOException e) {
            throw new ModelLoadException(Problem.FAILED, e.getMessage());
        }
    }

    private void change(String model, Consumer<Managed> change) {
        Managed managed = models.computeIfAbsent(model, Managed::new);
        managed.lock.lock();
        try {
            changing.incrementAndGet();
            if (stopping) {
                throw ModelLoadException.closing(model);
            }
            change.accept(managed);
        } finally {
            changing.decrementAndGet();
            managed.lock.unlock();
        }
    }

    /// Loads what is wanted and serves it instead of what is.
    private void swap(Managed managed, Found found, boolean contractChange) {
        String model = managed.name;
        List<ModelStatus> faults = found.faults().stream()
                .map(fault -> ModelStatus.broken(model, fault.version(), fault.reason()))
                .toList();
        faults.forEach(ModelLifecycle::report);
        changes.misconfigured(model, faults.size());
        found.model()
                .ifPresent(configured ->
                        configured.warnings().forEach(warning -> LOG.warn("model {}: {}", model, warning)));
        swap(managed, found.sources(), faults, contractChange);
    }

    private void swap(Managed managed, List<VersionSource> wanted, List<ModelStatus> faults, boolean contractChange) {
        String model = managed.name;
        // Swaps that follow one another do not pile up in memory.
        leaving.stream()
                .filter(version -> version.lane().spec().model().equals(model))
                .forEach(this::free);
        List<LoadedVersion> before = catalog.entry(model).live();
        List<LoadedVersion> next = new ArrayList<>(unchanged(before, wanted));
        List<LoadedVersion> fresh = new ArrayList<>();
        List<ModelStatus> failures = new ArrayList<>();
        announce(model, wanted);
        for (VersionSource source : wanted) {
            if (next.stream().noneMatch(version -> version.number() == source.number())) {
                try {
                    LoadedVersion version = load(source, relied(before, wanted, source, contractChange));
                    fresh.add(version);
                    next.add(version);
                } catch (RuntimeException | OutOfMemoryError e) {
                    // Whatever is wrong with one version, the others are served.
                    failures.add(ModelStatus.broken(model, source.number(), changes.failed(source, e)));
                }
            }
        }
        failures.forEach(ModelLifecycle::report);
        List<ModelStatus> problems =
                Stream.concat(faults.stream(), failures.stream()).toList();
        if (next.isEmpty() || (!failures.isEmpty() && !before.isEmpty())) {
            fresh.forEach(this::free);
            catalog.change(model, entry -> entry.settled().with(problems));
            throw failed(model, problems);
        }
        if (stopping) {
            fresh.forEach(this::free);
            throw ModelLoadException.closing(model);
        }
        fresh.forEach(version -> {
            catalog.count(version.lane());
            host.agents().add(version.lane());
            host.sweeper().add(version.lane());
        });
        publish(managed, next, wanted.stream().anyMatch(VersionSource::keepsPrevious) ? before : List.of(), problems);
        warnOfThreads();
        if (!failures.isEmpty()) {
            throw failed(model, failures).serving(model);
        }
    }

    /// Says so if what was loaded later wants more threads than the start left room for: there are as many agents as
    /// there were.
    private void warnOfThreads() {
        if (started) {
            AgentPool.warnIfMoreThan(
                    Runtime.getRuntime().availableProcessors(),
                    host.agents().size(),
                    instances.stream().map(LoadedVersion::threads).toList());
        }
    }

    /// The versions that are wanted as they are served; none if all are.
    private static List<LoadedVersion> unchanged(List<LoadedVersion> before, List<VersionSource> wanted) {
        List<LoadedVersion> same = before.stream()
                .filter(version -> wanted.stream().anyMatch(source -> source.isSame(version.source())))
                .toList();
        return same.size() == wanted.size() && same.size() == before.size() ? List.of() : same;
    }

    private void announce(String model, List<VersionSource> wanted) {
        catalog.change(
                model,
                entry -> entry.with(wanted.stream()
                        .filter(source -> entry.find(source.number()).isEmpty())
                        .map(source ->
                                ModelStatus.absent(model, source.number(), VersionState.LOADING, "it is being loaded"))
                        .toList()));
    }

    /// The version whose inputs and outputs those who use a new one go by; null if that is none, or is not to count.
    private static LoadedVersion relied(
            List<LoadedVersion> before, List<VersionSource> wanted, VersionSource source, boolean contractChange) {
        if (contractChange || before.isEmpty()) {
            return null;
        }
        boolean highest = wanted.stream().allMatch(other -> other.number() <= source.number());
        return before.stream()
                .filter(version -> version.number() == source.number())
                .findFirst()
                .orElse(highest ? before.getLast() : null);
    }

    private LoadedVersion load(VersionSource source, LoadedVersion relied) {
        long start = System.nanoTime();
        LoadedVersion loaded = loader.load(source);
        instances.add(loaded);
        long nanos = System.nanoTime() - start;
        loaded.lane().counters().loaded(nanos);
        changes.loaded(source.model().name(), nanos);
        if (relied != null) {
            String breach = Contract.breach(relied.signature(), loaded.signature());
            if (!breach.isEmpty()) {
                free(loaded);
                throw new ContractBreach(breach + " by version " + relied.number()
                        + "; a load has to say that another contract is meant");
            }
        }
        return loaded;
    }

    private static void report(ModelStatus broken) {
        LOG.error("model {} version {} is not served: {}", broken.model(), broken.version(), broken.reason());
    }

    private static ModelLoadException failed(String model, List<ModelStatus> problems) {
        return new ModelLoadException(Problem.FAILED, "model '" + model + "' " + ModelStatus.reasons(problems));
    }

    /// Serves `next` from now on, in one step. What is neither served nor kept then is on its way out.
    private void publish(
            Managed managed, List<LoadedVersion> next, List<LoadedVersion> kept, List<ModelStatus> problems) {
        Catalog.Entry before = catalog.entry(managed.name);
        List<LoadedVersion> replaced = Stream.concat(before.live().stream(), before.previous().stream())
                .distinct()
                .filter(version -> !next.contains(version))
                .toList();
        List<ModelStatus> unloading = replaced.stream()
                .filter(version -> !kept.contains(version))
                .map(version -> ModelStatus.absent(
                        managed.name, version.number(), VersionState.UNLOADING, "it answers its last requests"))
                .toList();
        catalog.change(
                managed.name,
                entry -> entry.with(next, kept)
                        .with(unloading)
                        .settled()
                        .with(problems)
                        .withAliasesOf(next));
        managed.before = before.live().stream().map(LoadedVersion::source).toList();
        replaced.forEach(LoadedVersion::retire);
        listeners.forEach(Runnable::run);
        replaced.stream().filter(version -> !kept.contains(version)).forEach(this::end);
        if (!next.isEmpty()) {
            changes.swapped(managed.name);
            LOG.info(
                    "model {} is served by {}",
                    managed.name,
                    next.stream().map(LoadedVersion::number).sorted().toList());
        }
    }

    /// Has a version answer what it has, and frees it.
    private void end(LoadedVersion version) {
        leaving.add(version);
        ender.execute(() -> free(version));
    }

    /// As [#end(LoadedVersion)], now; whoever comes second waits for the first.
    private void free(LoadedVersion version) {
        try {
            version.close(patience());
        } catch (RuntimeException | Error e) {
            LOG.error("{} could not be freed", version.lane().spec().describe(), e);
        }
        host.agents().remove(version.lane());
        host.sweeper().remove(version.lane());
        instances.remove(version);
        if (leaving.contains(version)) {
            // Whoever finds that it has left is to see that, too.
            catalog.change(version.lane().spec().model(), entry -> entry.unloaded(version.number()));
        }
        if (leaving.remove(version)) {
            LOG.info("{} is unloaded", version.lane().spec().describe());
        }
    }

    /// Waits until everything that is on its way out is freed.
    void settle() {
        leaving.forEach(this::free);
    }

    /// Takes a model out of service. Its requests in flight are answered; it is unloaded when they are.
    ///
    /// @param dependents whether to unload also the models of an ensemble's steps that no other ensemble uses
    /// @throws ModelLoadException if nothing of it is served
    public void unload(String model, boolean dependents) {
        Set<String> parts = new TreeSet<>();
        change(model, managed -> {
            Catalog.Entry entry = catalog.entry(model);
            if (entry.live().isEmpty() && entry.previous().isEmpty()) {
                throw new ModelLoadException(Problem.NOT_FOUND, "model '" + model + "' is not loaded");
            }
            entry.live().forEach(version -> parts.addAll(version.parts()));
            publish(managed, List.of(), List.of(), List.of());
        });
        if (dependents) {
            parts.stream()
                    .filter(part -> !catalog.isAbsent(part))
                    .filter(part -> catalog.loaded().stream()
                            .noneMatch(version -> version.parts().contains(part)))
                    .forEach(part -> unload(part, true));
        }
    }

    /// Serves again what was served before the last change of a model: at once if that is kept warm (`keep_previous`),
    /// and then what was served until now is kept. Otherwise it is loaded again, if its files are still there.
    ///
    /// @throws ModelLoadException if there is nothing to go back to, or it cannot be loaded
    public void rollback(String model) {
        change(model, managed -> {
            Catalog.Entry entry = catalog.entry(model);
            if (!entry.previous().isEmpty()) {
                entry.previous().stream()
                        .filter(version -> !entry.live().contains(version))
                        .forEach(LoadedVersion::resume);
                publish(managed, entry.previous(), entry.live(), List.of());
                return;
            }
            if (managed.before.isEmpty()) {
                throw new ModelLoadException(
                        Problem.NOT_FOUND, "model '" + model + "' was served by nothing else before");
            }
            for (VersionSource source : managed.before) {
                if (!source.isUnchanged()) {
                    throw new ModelLoadException(
                            Problem.FAILED,
                            "model '" + model + "' version " + source.number() + " is not what it was in "
                                    + source.version().folder() + " any more, and was not kept (keep_previous)");
                }
            }
            swap(managed, managed.before, List.of(), true);
        });
    }

    /// Has a name stand for a version, and no longer for another.
    ///
    /// @param alias letters, digits, `_`, `-` and `.`, beginning with a letter
    /// @throws ModelLoadException if the version is not served, or the name is none
    public void alias(String model, String alias, long version) {
        if (!Objects.requireNonNull(alias, "alias").matches(ModelConfig.ALIAS)) {
            throw new ModelLoadException(
                    Problem.FAILED,
                    "alias is '" + alias + "', expected letters, digits, '_', '-' and '.', beginning with a letter");
        }
        change(model, _ -> {
            if (catalog.entry(model).find(version).isEmpty()) {
                throw new ModelLoadException(
                        Problem.NOT_FOUND, "model '" + model + "' has no version " + version + " that is served");
            }
            changeAliases(model, names -> names.put(alias, version));
        });
    }

    /// Has a name stand for no version any more.
    ///
    /// @throws ModelLoadException if it did not
    public void removeAlias(String model, String alias) {
        change(model, _ -> {
            if (!catalog.entry(model).aliases().containsKey(alias)) {
                throw new ModelLoadException(Problem.NOT_FOUND, "model '" + model + "' has no alias '" + alias + "'");
            }
            changeAliases(model, names -> names.remove(alias));
        });
    }

    private void changeAliases(String model, Consumer<Map<String, Long>> change) {
        catalog.change(model, entry -> {
            Map<String, Long> names = new TreeMap<>(entry.aliases());
            change.accept(names);
            return entry.withAliases(names);
        });
    }

    /// Looks at the repositories once: loads what is new or has changed, and unloads what is gone. What changed since
    /// the last look is perhaps being written: it is left for the next one.
    ///
    /// It does not throw: a model that cannot be loaded says why in its status.
    public void poll() {
        Map<String, FolderStamp> now;
        try {
            now = look.stamps();
        } catch (UncheckedIOException e) {
            LOG.warn("nothing is loaded or unloaded: {}", e.getMessage());
            return;
        }
        Map<String, RepositoryWatch.Step> steps = watch.look(now);
        steps.forEach(this::follow);
        if (steps.containsValue(RepositoryWatch.Step.LOAD)) {
            now.keySet().stream()
                    .filter(this::waitsForParts)
                    .forEach(model -> follow(model, RepositoryWatch.Step.LOAD));
        }
    }

    /// Whether a model is an ensemble that could not be loaded for want of models that are there by now.
    private boolean waitsForParts(String model) {
        Catalog.Entry entry = catalog.entry(model);
        if (!entry.live().isEmpty() || entry.others().isEmpty() || entry.isUnloaded()) {
            return false;
        }
        List<String> parts = look.parts(model);
        return !parts.isEmpty() && parts.stream().noneMatch(catalog::isAbsent);
    }

    private void follow(String model, RepositoryWatch.Step step) {
        try {
            if (step == RepositoryWatch.Step.LOAD) {
                load(model);
            } else if (!catalog.isAbsent(model)) {
                unload(model, false);
            }
        } catch (ModelLoadException e) {
            LOG.debug("the repository's change had no effect: {}", e.getMessage());
        }
    }

    /// What was done to change models so far.
    public List<ChangeStatistics> changes() {
        return changes.statistics();
    }

    /// Told after every change of the versions that are served, on the thread that made it. It must be short.
    ///
    /// @return ends that
    public Runnable whenChanged(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /// Loads what the start is to bring, several models at a time.
    void start(Map<String, Found> found) {
        StartOrder order = StartOrder.of(found.values());
        int threads = Math.min(
                Math.max(1, order.models().size()), Runtime.getRuntime().availableProcessors());
        try (ExecutorService loaders = Executors.newFixedThreadPool(
                threads,
                Thread.ofPlatform().daemon().name("millrace-loader-", 0).factory())) {
            order.models().forEach(model -> loaders.execute(() -> start(model)));
        }
        order.ensembles().forEach(this::start);
        started = true;
        Set<String> names = new TreeSet<>();
        order.circles().forEach(model -> names.add(model.name()));
        order.circles().forEach(model -> model.sources().forEach(source -> inCircles(source, names)));
    }

    private void start(Found found) {
        try {
            change(found.name(), managed -> {
                watch.loaded(found.name(), found.stamp());
                swap(managed, found, false);
            });
        } catch (ModelLoadException e) {
            LOG.debug("a model is not served: {}", e.getMessage());
        }
    }

    private void inCircles(VersionSource source, Set<String> left) {
        ModelStatus status = ModelStatus.broken(
                source.model().name(),
                source.number(),
                "ensembles are made of one another, expected none to be: " + left);
        report(status);
        catalog.broken(status);
    }

    /// Whether a change is in progress. A load that does not end may be in progress also after all was closed.
    public boolean isChanging() {
        return changing.get() > 0;
    }

    /// Lets no change begin.
    void stop() {
        stopping = true;
    }

    /// Every version that holds anything: ensembles first, each before those that it is made of.
    List<LoadedVersion> instances() {
        return instances.stream()
                .sorted(Comparator.comparingInt(LoadedVersion::depth).reversed())
                .toList();
    }

    /// Ends everything. Changes in progress are waited for, but not for ever: what a load brings later is freed by it.
    ///
    /// @param patience how long changes and requests in progress may take, together; changes half of it at most
    void close(Duration patience) {
        long start = System.nanoTime();
        end = start + patience.toNanos();
        stop();
        while (isChanging() && System.nanoTime() - start < patience.toNanos() / 2) {
            LockSupport.parkNanos(1_000_000);
        }
        if (isChanging()) {
            LOG.warn("a change of models did not end within half of {} and is left alone", patience);
        }
        List<LoadedVersion> all = instances();
        // Requests that are on their way through an ensemble still need the models of its steps.
        all.stream().filter(version -> version.depth() > 0).forEach(this::free);
        all.forEach(LoadedVersion::retire);
        all.forEach(this::free);
        settle();
    }

    /// How long requests in progress may take.
    private Duration patience() {
        Long until = end;
        return until == null ? host.config().drainTimeout() : Duration.ofNanos(Math.max(0, until - System.nanoTime()));
    }
}
