// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorBackend;
import dev.millrace.backend.TensorSet;
import dev.millrace.ensemble.EnsembleEngine;
import dev.millrace.ensemble.EnsembleGraph;
import dev.millrace.ensemble.EnsembleHost;
import dev.millrace.ensemble.StepCall;
import dev.millrace.ensemble.StepModel;
import dev.millrace.lifecycle.Contract;
import dev.millrace.lifecycle.VersionSource;
import dev.millrace.memory.Tensor;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.EnsembleConfig;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import dev.millrace.plan.LanePlan;
import dev.millrace.plan.LaneSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What an ensemble's steps see of its lane, and how they get at the lanes of their models.
///
/// Who starts requests to an ensemble runs light steps itself while the inline budget lasts; then agents do.
///
/// Threads: any.
final class EnsembleLane implements EnsembleHost {
    private static final Logger LOG = LoggerFactory.getLogger(EnsembleLane.class);
    private static final ThreadLocal<Relay> RELAY = ThreadLocal.withInitial(Relay::new);

    private final LoadedVersion.Host host;
    private Lane lane;

    EnsembleLane(LoadedVersion.Host host) {
        this.host = host;
    }

    /// Makes an ensemble out of models that are served.
    ///
    /// @throws IllegalArgumentException if they do not go together
    /// @throws InferenceException if one of them is not served
    static LoadedVersion load(VersionSource source, LoadedVersion.Host host, Catalog catalog) {
        String model = source.model().name();
        ModelConfig wanted = source.model().config();
        EnsembleConfig ensemble = source.model().ensemble().orElseThrow();
        List<Step> steps = steps(model, ensemble, catalog);
        EnsembleGraph graph =
                EnsembleGraph.of(ensemble, steps.stream().map(Step::bound).toList());
        VersionMemory memory = VersionMemory.of(
                model, source.number(), host.budgets(), wanted.memoryLimit().orElse(Long.MAX_VALUE));
        LanePlan plan = LanePlan.of(
                model,
                source.number(),
                ensemble.signature(),
                new Batching(Batching.Kind.NONE, "the models of its steps put requests together", true),
                defaults(wanted),
                host.config().defaults(),
                host.agents().size());
        List<String> warnings = new ArrayList<>(plan.warnings());
        warnings.addAll(graph.warnings());
        warnings.forEach(warning -> LOG.warn("{}: {}", plan.spec().describe(), warning));
        LOG.info("{}: an ensemble of {}", plan.spec().describe(), graph);
        ModelStatus status = ModelStatus.loaded(
                plan, ModelStatus.ENSEMBLE, Map.of(), source.model().labels(ensemble.signature()), "");
        Lane lane = lane(plan, graph, List.copyOf(steps), memory, host);
        if (wanted.responseCache().orElse(false)) {
            lane.cached(host.cache().share());
        }
        return new LoadedVersion(source, () -> {}, memory, status, lane, steps, host.config());
    }

    /// The models that the steps are bound to now.
    private static List<Step> steps(String model, EnsembleConfig ensemble, Catalog catalog) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < ensemble.steps().size(); i++) {
            EnsembleConfig.Step step = ensemble.steps().get(i);
            String label = EnsembleGraph.label(ensemble, i);
            Supplier<LoadedVersion> version = step.version() == EnsembleConfig.LIVE
                    ? () -> catalog.find(step.model())
                    : () -> catalog.find(step.model(), step.version());
            LoadedVersion now = live(label, version);
            if (now.isMadeOf(model)) {
                throw new IllegalArgumentException(
                        label + " is made of '" + model + "', expected ensembles not to be made of one another");
            }
            steps.add(new Step(label, step.model(), now.signature(), version));
        }
        return steps;
    }

    private static Lane lane(
            LanePlan plan, EnsembleGraph graph, List<StepModel> models, VersionMemory memory, LoadedVersion.Host host) {
        EnsembleLane requests = new EnsembleLane(host);
        LaneSpec spec = plan.spec();
        Backend backend = new TensorBackend(
                new EnsembleEngine(graph, models, requests, spec.instances()),
                spec.slots(),
                () -> new TensorSet(
                        spec.signature(), memory.tensors(), host.budgets().heap()));
        Lane lane = new Lane(
                spec,
                () -> BatchPolicy.of(plan),
                host.config().recording(),
                backend,
                host.agents(),
                host.sweeper(),
                host.clock());
        requests.lane = lane;
        return lane;
    }

    /// What an ensemble is served with where nothing was asked for: as many requests on their way as can be, since
    /// none holds a thread, and no breaker, since the models of its steps have theirs.
    private static ModelConfig defaults(ModelConfig wanted) {
        ModelConfig config = wanted.withMaxBatchSize(0);
        if (wanted.instanceCount().isEmpty()) {
            config = config.withInstanceCount(ModelConfig.MAX_INSTANCES);
        }
        return wanted.breakerFailures().isEmpty() ? config.withBreakerFailures(0) : config;
    }

    @Override
    public long deadlineNanos(int instance) {
        return call(instance).deadlineNanos();
    }

    @Override
    public int priority(int instance) {
        return call(instance).priority();
    }

    private Call call(int instance) {
        Slice slice = lane.gate().slice(instance);
        return (Call) slice.ring().ticket(slice.first());
    }

    @Override
    public void completed(int instance, Throwable failure) {
        lane.completed(instance, failure);
    }

    @Override
    public RuntimeException terminated() {
        return new InferenceException(Outcome.UNAVAILABLE, lane.spec().describe() + " is closed");
    }

    @Override
    public boolean enter() {
        return RELAY.get().enter();
    }

    @Override
    public void leave() {
        RELAY.get().leave(host);
    }

    /// The lanes that a thread has submitted steps to since it entered. Threads: its own.
    private static final class Relay {
        private final ArrayDeque<Lane> touched = new ArrayDeque<>();
        private boolean open;

        boolean enter() {
            boolean first = !open;
            open = true;
            return first;
        }

        void submitted(Lane lane) {
            if (!open) {
                lane.handOver();
            } else if (!touched.contains(lane)) {
                touched.add(lane);
            }
        }

        void leave(LoadedVersion.Host host) {
            long end = host.clock().getAsLong() + host.config().inlineBudget().toNanos();
            try {
                for (Lane next = touched.poll(); next != null; next = touched.poll()) {
                    long left = end - host.clock().getAsLong();
                    while (next.isLight(left) && next.turn(null, left, 1) > 0) {
                        left = end - host.clock().getAsLong();
                    }
                    next.handOver();
                }
            } finally {
                open = false;
                touched.forEach(Lane::handOver);
                touched.clear();
            }
        }
    }

    private static LoadedVersion live(String label, Supplier<LoadedVersion> version) {
        try {
            return version.get();
        } catch (InferenceException e) {
            throw new InferenceException(Outcome.UNAVAILABLE, label + ": " + e.getMessage());
        }
    }

    /// The model of a step.
    ///
    /// @param label what errors call it
    /// @param bound what it took and gave when the ensemble was made
    /// @param version the one that is live
    record Step(String label, String model, Signature bound, Supplier<LoadedVersion> version) implements StepModel {
        LoadedVersion live() {
            return EnsembleLane.live(label, version);
        }

        /// Why requests cannot be answered by it now; empty if they can.
        String problem() {
            String prefix = "model '" + model + "' of a step is not ready: ";
            try {
                LoadedVersion live = version.get();
                ModelStatus status = live.status();
                String breach = Contract.breach(bound, live.signature());
                String why = status.ready() ? breach : status.reason();
                return why.isEmpty() ? "" : prefix + why;
            } catch (InferenceException e) {
                return prefix + e.getMessage();
            }
        }

        /// How many ensembles deep it is: 0 for a model, or where nothing is served.
        int depth() {
            try {
                return version.get().depth();
            } catch (InferenceException _) {
                return 0;
            }
        }

        /// Whether it is a model, or made of it.
        boolean isMadeOf(String wanted) {
            try {
                return model.equals(wanted) || version.get().isMadeOf(wanted);
            } catch (InferenceException _) {
                return false;
            }
        }

        @Override
        public StepCall call(StepCall before) {
            LoadedVersion live = live();
            if (before instanceof LaneCall last && last.call.lane() == live.lane()) {
                return before;
            }
            if (before != null) {
                before.close();
            }
            return new LaneCall(this, live.newCall());
        }
    }

    /// A call as a step uses it.
    private static final class LaneCall implements StepCall, Completion {
        private final Step step;
        private final Call call;
        private Ended told;
        private volatile boolean cancelled;

        LaneCall(Step step, Call call) {
            this.step = step;
            this.call = call;
        }

        @Override
        public Signature signature() {
            return call.signature();
        }

        @Override
        public Tensor[] inputs() {
            return call.inputTensors();
        }

        @Override
        public Tensor[] outputs() {
            return call.tensors().outputs();
        }

        @Override
        public boolean takesTensors() {
            return !call.lane().spec().hasRows();
        }

        @Override
        public boolean submit(long deadlineNanos, int priority, Ended whenEnded) {
            told = whenEnded;
            cancelled = false;
            boolean limited = deadlineNanos != Ticket.NO_DEADLINE;
            call.timeoutNanos(limited ? deadlineNanos - call.lane().clock().getAsLong() : Call.NO_TIMEOUT);
            call.priority(priority);
            if (call.isRemote()) {
                call.fetch().whenCompleteAsync((_, _) -> openFetched());
                return true;
            }
            Outcome admission = call.open(this);
            if (admission == Outcome.OK) {
                RELAY.get().submitted(call.lane());
                return true;
            }
            if (call.isTurnedAway()) {
                requireSuccessor();
                return false;
            }
            throw failure(admission);
        }

        /// Goes on when stored values are here.
        private void openFetched() {
            RuntimeException problem = null;
            boolean elsewhere = false;
            try {
                Outcome admission = cancelled ? Outcome.CANCELLED : call.open(this);
                if (admission == Outcome.OK) {
                    RELAY.get().submitted(call.lane());
                    return;
                }
                elsewhere = admission == Outcome.UNAVAILABLE && call.isTurnedAway();
                if (elsewhere) {
                    requireSuccessor();
                } else {
                    problem = cancelled
                            ? new InferenceException(Outcome.CANCELLED, step.label() + ": the request was cancelled")
                            : failure(admission);
                }
            } catch (RuntimeException e) {
                elsewhere = false;
                problem = e;
            }
            if (elsewhere) {
                told.again();
            } else {
                told.ended(problem);
            }
        }

        /// Another version is live, or this one again; or else it fails.
        private void requireSuccessor() {
            var _ = EnsembleLane.live(step.label(), () -> LoadedVersion.successor(step.version(), call.lane()));
        }

        @Override
        public void completed(Call ended, Outcome outcome) {
            told.ended(outcome == Outcome.OK ? null : failure(outcome));
        }

        private InferenceException failure(Outcome outcome) {
            return new InferenceException(outcome, step.label() + ": " + call.message());
        }

        @Override
        public void cancel() {
            cancelled = true;
            call.cancel();
        }

        @Override
        public void close() {
            call.close();
        }
    }
}
