// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A model version in memory: its session, the lane that serves it, and calls kept for reuse.
///
/// Threads: any. Ownership: it closes calls, lane and session, in this order, once the lane is drained.
final class LoadedVersion {
    private static final Logger LOG = LoggerFactory.getLogger(LoadedVersion.class);
    private static final long WARM_UP_NANOS = 1_000_000_000L;
    /// Requests that a lane of whole tensors may queue: each may be large, and each takes a run.
    private static final int MAX_TENSOR_SLOTS = 256;
    private static final int MAX_POOLED_CALLS = 64;

    private final OnnxModel model;
    private final ModelStatus status;
    private final Lane lane;
    private final long inlineBudgetNanos;
    private final ConcurrentLinkedQueue<Call> pool = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    private LoadedVersion(OnnxModel model, Lane lane, long inlineBudgetNanos) {
        this.model = model;
        this.lane = lane;
        this.status = status(model, lane.spec());
        this.inlineBudgetNanos = inlineBudgetNanos;
    }

    static LoadedVersion load(
            String name,
            long version,
            Path file,
            RuntimeConfig config,
            AgentPool agents,
            Sweeper sweeper,
            LongSupplier clock) {
        OnnxModel model = OnnxModel.load(file, new SessionSettings(config.intraOpThreads(), true));
        Backend backend = null;
        try {
            LaneSpec spec = laneSpec(name, version, model, config);
            backend = spec.hasRows()
                    ? RowBackend.open(model.session(), spec.signature(), spec.capacity(), spec.instances())
                    : new TensorBackend(model.session(), spec.capacity(), spec.instances());
            Lane lane = new Lane(spec, backend, agents, sweeper, clock, config.recording());
            if (spec.hasRows()) {
                warmUp(lane);
            }
            Batching batching = model.batching();
            LOG.info("{}: {}, {}", spec.describe(), batching.kind(), batching.reason());
            return new LoadedVersion(model, lane, config.inlineBudget().toNanos());
        } catch (RuntimeException | Error e) {
            if (backend != null) {
                backend.close();
            }
            model.close();
            throw e;
        }
    }

    private static void warmUp(Lane lane) {
        try {
            lane.warmUp(WARM_UP_NANOS);
        } catch (OrtFailure e) {
            LOG.warn("{} cannot be warmed up with zeros: {}", lane.spec().describe(), e.getMessage());
        }
    }

    private static LaneSpec laneSpec(String name, long version, OnnxModel model, RuntimeConfig config) {
        Signature signature = model.signature();
        Batching.Kind kind = model.batching().kind();
        long slots = Math.min(config.queueRows(), MAX_TENSOR_SLOTS);
        if (kind != Batching.Kind.NONE) {
            slots = Math.min(config.queueRows(), config.queueBytes() / RowBackend.slotBytes(signature));
        }
        int capacity = Integer.highestOneBit((int) Math.max(2, slots));
        int maxBatch = kind == Batching.Kind.ROWS ? Math.min(config.maxBatch(), capacity) : 1;
        int instances = kind == Batching.Kind.ROWS ? 1 : Math.min(Long.SIZE, config.agents());
        return new LaneSpec(name, version, signature, kind, maxBatch, capacity, instances);
    }

    Lane lane() {
        return lane;
    }

    ModelStatus status() {
        return status;
    }

    private static ModelStatus status(OnnxModel model, LaneSpec spec) {
        return new ModelStatus(
                spec.model(),
                spec.version(),
                true,
                "",
                Optional.of(spec.signature()),
                Optional.of(model.batching()),
                spec.maxBatch(),
                model.session().metadata());
    }

    Call newCall() {
        return new Call(lane, inlineBudgetNanos);
    }

    /// A call from the pool, or a new one; give it back with [#giveBack(Call)].
    Call borrow() {
        Call call = pool.poll();
        return call == null ? newCall() : call;
    }

    void giveBack(Call call) {
        if (closed || pool.size() >= MAX_POOLED_CALLS) {
            call.close();
            return;
        }
        pool.add(call);
        if (closed) {
            closePool();
        }
    }

    private void closePool() {
        for (Call call = pool.poll(); call != null; call = pool.poll()) {
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
