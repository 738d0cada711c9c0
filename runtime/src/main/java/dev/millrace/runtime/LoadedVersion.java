// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.RowBackend;
import dev.millrace.backend.TensorBackend;
import dev.millrace.backend.TensorSet;
import dev.millrace.cache.ResponseCache;
import dev.millrace.features.FeaturePlan;
import dev.millrace.lifecycle.Contract;
import dev.millrace.lifecycle.VersionSource;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.ProcessMemory;
import dev.millrace.memory.ProcessTime;
import dev.millrace.memory.Tensor;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.ConfiguredModel;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.plan.CallInputs;
import dev.millrace.plan.LanePlan;
import dev.millrace.plan.LaneSpec;
import dev.millrace.plan.WarmUpSizes;
import dev.millrace.raw.RawRows;
import dev.millrace.raw.ServedPlan;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.version.Goldens;
import dev.millrace.version.VersionLoader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A model version in memory: its session, the lane that serves it, and calls kept for reuse.
///
/// It takes requests, or is retired: then it answers those that it has and is closed, or is kept warm until it is
/// resumed.
///
/// Threads: any. Ownership: it closes calls, lane and session, in this order, once the lane is drained. Calls that
/// users hold keep their own tensors, and nothing else of it.
final class LoadedVersion {
    private static final Logger LOG = LoggerFactory.getLogger(LoadedVersion.class);
    private static final AtomicLong INSTANCES = new AtomicLong();
    private static final int WARM_UP_ROUNDS = 3;
    /// What a first round over the main sizes may take, and all that follows it.
    private static final long FIRST_WARM_UP_NANOS = 10_000_000_000L;

    private static final long WARM_UP_NANOS = 1_000_000_000L;
    private static final int MAX_POOLED_CALLS = 64;
    /// What huge requests left behind is freed beyond this.
    private static final long MAX_POOLED_BYTES = 16L << 20;

    /// What versions share that are served together.
    ///
    /// @param budgets what their memory is booked in
    /// @param cache where answers are kept, of those that want it
    /// @param loader by which their models come
    record Host(
            RuntimeConfig config,
            MemoryBudgets budgets,
            ResponseCache cache,
            VersionLoader loader,
            AgentPool agents,
            Sweeper sweeper,
            LongSupplier clock) {}

    private final long instance = INSTANCES.incrementAndGet();
    private final VersionSource source;
    /// The model itself, or nothing for an ensemble.
    private final Runnable unload;

    private final VersionMemory memory;
    private ModelStatus status;
    private final Lane lane;
    /// What its inputs are made of; null if requests bring them as they are.
    private ServedPlan features;

    /// Of an ensemble.
    private final List<EnsembleLane.Step> steps;

    private final RuntimeConfig config;
    private final long inlineBudgetNanos;
    private final ConcurrentLinkedQueue<Call> pool = new ConcurrentLinkedQueue<>();
    private final AtomicLong pooledBytes = new AtomicLong();
    private volatile boolean retired;
    /// How often it was resumed.
    private final AtomicInteger resumptions = new AtomicInteger();

    private boolean closed;

    LoadedVersion(
            VersionSource source,
            Runnable unload,
            VersionMemory memory,
            ModelStatus status,
            Lane lane,
            List<EnsembleLane.Step> steps,
            RuntimeConfig config) {
        this.source = source;
        this.unload = unload;
        this.memory = memory;
        this.lane = lane;
        this.status = status;
        this.steps = steps;
        this.config = config;
        this.inlineBudgetNanos = config.inlineBudget().toNanos();
    }

    /// Loads a version for a pool of agents.
    ///
    /// @param host where it is to be served
    /// @throws IllegalArgumentException if it cannot be served as was asked for
    /// @throws MemoryExceededException if there is not enough memory for it
    static LoadedVersion load(VersionSource source, Host host) {
        return host.loader().aside(() -> loadHere(source, host));
    }

    private static LoadedVersion loadHere(VersionSource source, Host host) {
        ConfiguredModel configured = source.model();
        RuntimeConfig config = host.config();
        MemoryBudgets budgets = host.budgets();
        Path file = configured.file(source.version());
        long limit = configured.config().memoryLimit().orElse(Long.MAX_VALUE);
        VersionMemory expected = VersionMemory.of(configured.name(), source.number(), budgets, limit);
        SessionSettings settings = configured.settings(config.intraOpThreads());
        VersionLoader.Loaded loaded =
                host.loader().load(file, source.version().folder(), settings, expected.weights(), expected.tensors());
        OnnxModel model = loaded.model();
        VersionMemory memory = expected.loaded(budgets);
        Backend backend = null;
        try {
            ServedPlan features = features(source, model, memory, host);
            List<String> warnings = new ArrayList<>(configured.check(model));
            Map<String, List<String>> labels = configured.labels(model);
            LanePlan plan = LanePlan.of(
                    configured.name(),
                    source.number(),
                    model.signature(),
                    model.batching(),
                    configured.config(),
                    config.withQueueBytes(queueBytes(config, budgets, memory)).defaults(),
                    host.agents().size());
            warnings.addAll(plan.warnings());
            backend = backend(model, plan.spec(), memory, budgets);
            Lane lane = new Lane(
                    plan.spec(),
                    () -> BatchPolicy.of(plan),
                    config.recording(),
                    backend,
                    host.agents(),
                    host.sweeper(),
                    host.clock());
            if (plan.spec().hasRows()) {
                warmUp(lane, backend, plan.config().preferredBatchSizes(), settings, host.loader());
            }
            configured.warmUp(model, memory.tensors());
            if (configured.config().responseCache().orElse(false)) {
                lane.cached(host.cache().share());
            }
            ModelStatus status =
                    ModelStatus.loaded(plan, ModelStatus.ONNX, model.session().metadata(), labels, loaded.sha256());
            report(plan, warnings, memory);
            LoadedVersion version = new LoadedVersion(source, model::close, memory, status, lane, List.of(), config);
            return features == null ? version : version.askedBy(features);
        } catch (RuntimeException | Error e) {
            if (backend != null) {
                backend.close();
            }
            model.close();
            throw e;
        }
    }

    /// What its inputs are made of, if a specification says so; its goldens are answered then.
    private static ServedPlan features(VersionSource source, OnnxModel model, VersionMemory memory, Host host) {
        Path folder = source.version().folder();
        Path file = folder.resolve(FeatureSpec.FILE_NAME);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            ServedPlan features = ServedPlan.of(
                    FeaturePlan.compile(FeatureSpec.read(file)),
                    host.config().features(),
                    model.signature(),
                    memory.tensors(),
                    host.budgets().heap());
            if (host.loader().checksRawGoldens(folder)) {
                Goldens.of(folder).check(model.session(), features.goldens(), memory.tensors());
            }
            return features;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(FeatureSpec.FILE_NAME + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(FeatureSpec.FILE_NAME + " or its goldens cannot be read: " + e, e);
        }
    }

    private static Backend backend(OnnxModel model, LaneSpec spec, VersionMemory memory, MemoryBudgets budgets) {
        Supplier<TensorSet> tensors = () -> new TensorSet(spec.signature(), memory.tensors(), budgets.heap());
        return spec.hasRows()
                ? RowBackend.open(
                        model.session(), spec.signature(), spec.slots(), spec.instances(), memory.tensors(), tensors)
                : new TensorBackend(model.session(), spec.slots(), spec.instances(), tensors);
    }

    /// The most that its queue may take: no more than half of what a limit of its own leaves it, for the other half is
    /// that of calls.
    private static long queueBytes(RuntimeConfig config, MemoryBudgets budgets, VersionMemory memory) {
        return Math.max(
                1,
                Math.min(
                        Math.min(config.queueBytes(), budgets.queueBytes()),
                        memory.tensors().limit() / 2));
    }

    /// Runs the batch sizes that are to come on whatever the slots hold, so that first runs are behind and the cost is
    /// known. Before the lane gets requests.
    private static void warmUp(
            Lane lane, Backend backend, List<Integer> preferred, SessionSettings settings, VersionLoader loader) {
        if (settings.threads() == 1) {
            // What others took of the processor meanwhile is not what a run costs.
            warmUp(lane, backend, preferred, ProcessTime::ofThread);
        } else {
            // The session's own threads are as important as ever, and do most of it.
            loader.byWhoWaits(() -> {
                warmUp(lane, backend, preferred, System::nanoTime);
                return null;
            });
        }
    }

    private static void warmUp(Lane lane, Backend backend, List<Integer> preferred, LongSupplier cost) {
        WarmUpSizes sizes = WarmUpSizes.of(lane.spec().maxBatch(), preferred);
        try {
            long end = System.nanoTime() + FIRST_WARM_UP_NANOS;
            for (int round = 0; round < WARM_UP_ROUNDS; round++) {
                for (int rows : sizes.main()) {
                    if (System.nanoTime() - end >= 0) {
                        return;
                    }
                    long start = cost.getAsLong();
                    backend.start(0, 0, rows);
                    if (round > 0) {
                        lane.cost().observe(rows, cost.getAsLong() - start);
                    }
                }
                end = round == 0 ? System.nanoTime() + WARM_UP_NANOS : end;
            }
            for (int rows : sizes.others()) {
                if (System.nanoTime() - end >= 0) {
                    return;
                }
                backend.start(0, 0, rows);
            }
        } catch (OrtFailure e) {
            LOG.warn("{} cannot be warmed up with zeros: {}", lane.spec().describe(), e.getMessage());
        }
    }

    /// One model at a time, so that the lines of each are together.
    private static synchronized void report(LanePlan plan, List<String> warnings, VersionMemory memory) {
        String version = plan.spec().describe();
        warnings.forEach(warning -> LOG.warn("{}: {}", version, warning));
        LOG.info("{}: {}, {}", version, plan.batching().kind(), plan.batching().reason());
        LOG.info("{}: {}", version, plan.describe());
        LOG.info(
                "{}: memory {} bytes for the model, {} for its queue",
                version,
                memory.weights().used(),
                memory.tensors().used(MemoryTag.RING));
    }

    Lane lane() {
        return lane;
    }

    /// Has its inputs be made of raw values; before it is served.
    private LoadedVersion askedBy(ServedPlan plan) {
        features = plan;
        status = status.of(plan);
        return this;
    }

    /// What requests bring and answers have.
    Signature signature() {
        return features == null ? lane.spec().signature() : features.signature();
    }

    /// What its inputs are made of, if not of what requests bring.
    Optional<ServedPlan> features() {
        return Optional.ofNullable(features);
    }

    /// Room for a request's raw values; null if requests bring the inputs.
    RawRows openRaw() {
        return features == null ? null : features.open();
    }

    VersionMemory memory() {
        return memory;
    }

    VersionSource source() {
        return source;
    }

    /// The threads that its session runs with.
    int threads() {
        return source.model().settings(config.intraOpThreads()).threads();
    }

    /// A number that no other instance has, be it of the same version.
    long instance() {
        return instance;
    }

    long number() {
        return lane.spec().version();
    }

    /// How it stands now: a model that keeps failing is not ready until it is to be tried again, nor is an ensemble
    /// with such a model, or with one that is served no more.
    ModelStatus status() {
        for (EnsembleLane.Step step : steps) {
            String problem = step.problem();
            if (!problem.isEmpty()) {
                return status.failing(problem);
            }
        }
        return lane.gate().isShut() ? status.failing(lane.gate().brokenness()) : status;
    }

    /// How many ensembles deep it is: 0 for a model. Those that are deeper end first.
    int depth() {
        return steps.stream().mapToInt(step -> step.depth() + 1).max().orElse(0);
    }

    /// The models of an ensemble's steps.
    List<String> parts() {
        return steps.stream().map(EnsembleLane.Step::model).distinct().toList();
    }

    /// Whether it is a model, or an ensemble that is made of it.
    boolean isMadeOf(String model) {
        return lane.spec().model().equals(model) || steps.stream().anyMatch(step -> step.isMadeOf(model));
    }

    /// What takes requests instead of a lane that takes none any more.
    ///
    /// @param live what is served now, or null if there is to be nothing else
    /// @throws InferenceException if nothing is
    @SuppressWarnings("ReferenceEquality") // a version is what it is, not what it says
    static LoadedVersion successor(Supplier<LoadedVersion> live, Lane lane) {
        if (live == null) {
            throw new InferenceException(Outcome.UNAVAILABLE, lane.closedness());
        }
        LoadedVersion next = live.get();
        int resumed = next.resumptions.get();
        while (!next.lane.isOpen()) {
            // What replaces a version is there before it is retired: one that is closed and still there is the last,
            // unless it was there again in between.
            LoadedVersion again = live.get();
            if (again == next && next.resumptions.get() == resumed) {
                throw new InferenceException(Outcome.UNAVAILABLE, next.lane.closedness());
            }
            next = again;
            resumed = next.resumptions.get();
        }
        return next;
    }

    /// Tensors for a request that was made for another version: the inputs are the same, `from` is closed.
    ///
    /// @param relied what the request's owner goes by
    /// @param raw whether its inputs are raw values, which are not in its tensors
    /// @throws InferenceException if this version takes or gives something else, or there is no memory for it; then
    ///     nothing has changed
    TensorSet adopt(Signature relied, TensorSet from, boolean raw) {
        String breach = Contract.breach(relied, signature());
        if (breach.isEmpty() && raw == (features == null)) {
            breach = "its inputs are " + (raw ? "the model's" : "raw values") + ", expected those as before";
        }
        if (!breach.isEmpty()) {
            throw new InferenceException(
                    Outcome.UNAVAILABLE,
                    "the version that the request was made for was replaced by "
                            + lane.spec().describe() + ": " + breach);
        }
        try {
            TensorSet fresh = Call.freshTensors(lane);
            if (!raw) {
                copy(from.inputs(), fresh);
            }
            from.close();
            return fresh;
        } catch (MemoryExceededException e) {
            throw InferenceException.of(e, from.heldBytes());
        }
    }

    /// The same inputs for this version, whose contract was looked at.
    ///
    /// @throws InferenceException if there is no memory for them; then they are as they were
    CallInputs adopt(CallInputs from) {
        try {
            return from.movedTo(lane.spec(), openRaw());
        } catch (MemoryExceededException e) {
            throw InferenceException.of(e, from.heldBytes());
        }
    }

    private static void copy(Tensor[] from, TensorSet to) {
        try {
            for (int i = 0; i < from.length; i++) {
                if (from[i].hasShape()) {
                    to.inputs()[i].copyFrom(from[i]);
                }
            }
        } catch (MemoryExceededException e) {
            to.close();
            throw e;
        }
    }

    /// The names of an output's classes; empty where it has none.
    List<String> labels(String output) {
        return status.labels().getOrDefault(output, List.of());
    }

    /// A new call.
    ///
    /// @throws InferenceException if there is not enough memory for its tensors
    Call newCall() {
        try {
            return new Call(this, inlineBudgetNanos);
        } catch (MemoryExceededException e) {
            throw InferenceException.of(e, 0);
        }
    }

    /// A call from the pool, or a new one; give it back with [#giveBack(Call)].
    Call borrow() {
        Call call = poll();
        return call == null ? newCall() : call;
    }

    private Call poll() {
        Call call = pool.poll();
        if (call != null) {
            pooledBytes.addAndGet(-call.heldBytes());
        }
        return call;
    }

    void giveBack(Call call) {
        if (retired || pool.size() >= MAX_POOLED_CALLS || call.isTight()) {
            call.close();
            return;
        }
        long bytes = call.heldBytes();
        if (pooledBytes.addAndGet(bytes) > MAX_POOLED_BYTES) {
            pooledBytes.addAndGet(-bytes);
            call.close();
            return;
        }
        pool.add(call);
        if (retired) {
            closePool();
        }
    }

    private void closePool() {
        for (Call call = poll(); call != null; call = poll()) {
            call.close();
        }
    }

    /// Takes no new requests; those that it has are answered.
    void retire() {
        lane.refuse();
        retired = true;
        closePool();
    }

    /// Takes requests again.
    void resume() {
        retired = false;
        lane.admit();
        // After that: who has seen this count and then a closed lane has not seen it resumed.
        resumptions.getAndIncrement();
    }

    /// Answers what is in flight, or fails it after the timeout, and frees everything. Once: whoever comes second waits
    /// for the first.
    synchronized void close(Duration drainTimeout) {
        if (closed) {
            return;
        }
        closed = true;
        retire();
        if (!lane.drain(drainTimeout.toNanos())) {
            LOG.warn(
                    "{} did not drain within {}: its runs are terminated",
                    lane.spec().describe(),
                    drainTimeout);
        }
        lane.abandon();
        closePool();
        lane.close();
        unload.run();
        ProcessMemory.trim();
    }
}
