// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.RowBackend;
import dev.millrace.backend.TensorBackend;
import dev.millrace.backend.TensorSet;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.ConfiguredModel;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A model version in memory: its session, the lane that serves it, and calls kept for reuse.
///
/// Threads: any. Ownership: it closes calls, lane and session, in this order, once the lane is drained.
final class LoadedVersion {
    private static final Logger LOG = LoggerFactory.getLogger(LoadedVersion.class);
    private static final int WARM_UP_ROUNDS = 3;
    private static final long WARM_UP_NANOS = 1_000_000_000L;
    private static final int MAX_POOLED_CALLS = 64;
    /// What huge requests left behind is freed beyond this.
    private static final long MAX_POOLED_BYTES = 16L << 20;

    private final OnnxModel model;
    private final VersionMemory memory;
    private final ModelStatus status;
    private final Lane lane;
    private final long inlineBudgetNanos;
    private final ConcurrentLinkedQueue<Call> pool = new ConcurrentLinkedQueue<>();
    private final AtomicLong pooledBytes = new AtomicLong();
    private volatile boolean closed;

    private LoadedVersion(OnnxModel model, VersionMemory memory, LanePlan plan, Lane lane, long inlineBudgetNanos) {
        this.model = model;
        this.memory = memory;
        this.lane = lane;
        this.status = status(model, plan);
        this.inlineBudgetNanos = inlineBudgetNanos;
    }

    /// Loads a version for a pool of agents.
    ///
    /// @param budgets what its memory is booked in
    /// @throws IllegalArgumentException if it cannot be served as was asked for
    /// @throws MemoryExceededException if there is not enough memory for it
    static LoadedVersion load(
            ConfiguredModel configured,
            RuntimeConfig config,
            MemoryBudgets budgets,
            AgentPool agents,
            Sweeper sweeper,
            LongSupplier clock) {
        long limit = configured.config().memoryLimit().orElse(Long.MAX_VALUE);
        VersionMemory expected =
                VersionMemory.of(configured.name(), configured.version().number(), budgets, limit);
        int threads = configured.config().intraOpThreads().orElse(config.intraOpThreads());
        SessionSettings settings = new SessionSettings(threads, true);
        OnnxModel model = OnnxModel.load(configured.version().file(), settings, expected.weights());
        VersionMemory memory = expected.loaded(budgets);
        Backend backend = null;
        try {
            configured.check(model);
            LanePlan plan = LanePlan.of(
                    configured.name(),
                    configured.version().number(),
                    model.signature(),
                    model.batching(),
                    configured.config(),
                    config.withQueueBytes(queueBytes(config, budgets, memory)),
                    agents.size());
            LaneSpec spec = plan.spec();
            Supplier<TensorSet> tensors = () -> new TensorSet(spec.signature(), memory.tensors(), budgets.heap());
            backend = spec.hasRows()
                    ? RowBackend.open(
                            model.session(),
                            spec.signature(),
                            spec.slots(),
                            spec.instances(),
                            memory.tensors(),
                            tensors)
                    : new TensorBackend(model.session(), spec.slots(), spec.instances(), tensors);
            Lane lane = new Lane(spec, plan::policy, config.recording(), backend, agents, sweeper, clock);
            if (spec.hasRows()) {
                warmUp(lane, backend);
            }
            report(plan, configured, memory);
            return new LoadedVersion(
                    model, memory, plan, lane, config.inlineBudget().toNanos());
        } catch (RuntimeException | Error e) {
            if (backend != null) {
                backend.close();
            }
            model.close();
            throw e;
        }
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

    /// Runs every batch size that is a power of two a few times on whatever the slots hold, so that first runs are
    /// behind and the cost is known. Before the lane gets requests.
    private static void warmUp(Lane lane, Backend backend) {
        long end = System.nanoTime() + WARM_UP_NANOS;
        try {
            for (int round = 0; round < WARM_UP_ROUNDS && System.nanoTime() - end < 0; round++) {
                for (int rows = 1; rows <= lane.spec().maxBatch() && System.nanoTime() - end < 0; rows *= 2) {
                    long start = System.nanoTime();
                    backend.start(0, 0, rows);
                    if (round > 0) {
                        lane.cost().observe(rows, System.nanoTime() - start);
                    }
                }
            }
        } catch (OrtFailure e) {
            LOG.warn("{} cannot be warmed up with zeros: {}", lane.spec().describe(), e.getMessage());
        }
    }

    private static void report(LanePlan plan, ConfiguredModel configured, VersionMemory memory) {
        String version = plan.spec().describe();
        configured.warnings().forEach(warning -> LOG.warn("{}: {}", version, warning));
        plan.warnings().forEach(warning -> LOG.warn("{}: {}", version, warning));
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

    VersionMemory memory() {
        return memory;
    }

    /// How it stands now: a model that keeps failing is not ready until it is to be tried again.
    ModelStatus status() {
        return lane.gate().isShut() ? status.failing(lane.gate().brokenness()) : status;
    }

    private static ModelStatus status(OnnxModel model, LanePlan plan) {
        LaneSpec spec = plan.spec();
        return new ModelStatus(
                spec.model(),
                spec.version(),
                true,
                "",
                Optional.of(spec.signature()),
                Optional.of(plan.batching()),
                Optional.of(plan.config()),
                model.session().metadata());
    }

    /// A new call.
    ///
    /// @throws InferenceException if there is not enough memory for its tensors
    Call newCall() {
        try {
            return new Call(lane, inlineBudgetNanos);
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
        if (closed || pool.size() >= MAX_POOLED_CALLS || call.isTight()) {
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
        if (closed) {
            closePool();
        }
    }

    private void closePool() {
        for (Call call = poll(); call != null; call = poll()) {
            call.close();
        }
    }

    /// Answers what is in flight, or fails it after the timeout, and frees everything.
    void close(Duration drainTimeout) {
        lane.refuse();
        if (!lane.drain(drainTimeout.toNanos())) {
            LOG.warn(
                    "{} did not drain within {}: its runs are terminated",
                    lane.spec().describe(),
                    drainTimeout);
        }
        lane.abandon();
        closed = true;
        closePool();
        lane.close();
        model.close();
    }
}
