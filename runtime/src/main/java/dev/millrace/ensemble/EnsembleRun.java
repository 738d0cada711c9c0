// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Tensor;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/// One request at a time on its way through the steps of an ensemble. Nobody waits: the end of a step submits those
/// that follow it, on whichever thread that was, and the last end completes the request.
///
/// One word holds the number of the request and its pins. Whoever submits steps, every step that is on its way, and
/// whoever terminates it has a pin; whoever gives back the last one completes it. So nothing of it is touched when it
/// has ended.
///
/// Tensors are not copied where that can be helped: a step that only reads its inputs is lent those of others, one that
/// takes them along gets their memory for as long, unless others want them, too. The outputs' memory is exchanged.
///
/// Threads: any.
final class EnsembleRun implements AutoCloseable {
    private static final int NUMBER_SHIFT = 32;
    private static final long PINS = 0xFFFF_FFFFL;

    private final EnsembleGraph graph;
    private final EnsembleHost host;
    private final int instance;
    private final StepRun[] steps;
    private final AtomicLong word = new AtomicLong();
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
    private TensorSet tensors;
    private long deadlineNanos;
    private int priority;

    EnsembleRun(EnsembleGraph graph, List<StepModel> models, EnsembleHost host, int instance) {
        this.graph = graph;
        this.host = host;
        this.instance = instance;
        this.steps = new StepRun[models.size()];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = new StepRun(graph.steps().get(i), models.get(i));
        }
    }

    /// Starts a request. Its end may come before this returns.
    void start(TensorSet request, long deadline, int level) {
        tensors = request;
        deadlineNanos = deadline;
        priority = level;
        failure.set(null);
        for (StepRun step : steps) {
            step.missing.set(step.plan.awaited());
        }
        long number = (word.get() >>> NUMBER_SHIFT) + 1;
        word.set(((number & Integer.MAX_VALUE) << NUMBER_SHIFT) | 1);
        for (StepRun step : steps) {
            if (step.plan.awaited() == 0) {
                step.submit();
            }
        }
        unpin();
    }

    /// The number of the request that is on its way, or -1.
    long running() {
        long now = word.get();
        return (now & PINS) == 0 ? -1 : now >>> NUMBER_SHIFT;
    }

    /// Ends a request soon, if it is still on its way.
    boolean terminate(long number) {
        long now = word.get();
        while ((now & PINS) != 0 && now >>> NUMBER_SHIFT == number) {
            if (word.compareAndSet(now, now + 1)) {
                fail(host.terminated());
                unpin();
                return true;
            }
            now = word.get();
        }
        return false;
    }

    private void unpin() {
        if ((word.decrementAndGet() & PINS) == 0) {
            end();
        }
    }

    /// The first failure ends the request: what is on its way is cancelled, and no step follows.
    private void fail(RuntimeException why) {
        if (failure.compareAndSet(null, why)) {
            for (StepRun step : steps) {
                StepCall call = step.call;
                if (call != null) {
                    call.cancel();
                }
            }
        }
    }

    private void end() {
        RuntimeException problem = failure.get();
        for (int i = 0; problem == null && i < tensors.outputs().length; i++) {
            tensors.outputs()[i].swap(tensor(graph.outputs().get(i)));
        }
        tensors = null;
        host.completed(instance, problem);
    }

    private Tensor tensor(EnsembleGraph.Source source) {
        if (source.step() == EnsembleGraph.REQUEST) {
            return tensors.inputs()[source.index()];
        }
        StepRun from = steps[source.step()];
        return from.call.outputs()[from.outputAt[source.index()]];
    }

    @Override
    public void close() {
        for (StepRun step : steps) {
            if (step.call != null) {
                step.call.close();
            }
        }
    }

    /// A step of the request.
    private final class StepRun implements StepCall.Ended {
        private final EnsembleGraph.Step plan;
        private final StepModel model;
        /// Steps whose tensors it still waits for.
        private final AtomicInteger missing = new AtomicInteger();
        /// Of the inputs, what the call had before it was lent others.
        private final Tensor[] own;

        private int[] inputAt = {};
        private int[] outputAt = {};
        private volatile StepCall call;

        StepRun(EnsembleGraph.Step plan, StepModel model) {
            this.plan = plan;
            this.model = model;
            this.own = new Tensor[plan.inputs().size()];
        }

        /// By whoever has a pin, when all its tensors are there.
        void submit() {
            if (failure.get() != null) {
                return;
            }
            word.getAndIncrement();
            proceed();
        }

        @Override
        public void again() {
            takeBack(true);
            proceed();
        }

        /// Under the pin that this step has.
        private void proceed() {
            try {
                while (!isSubmitted()) {
                    takeBack(true);
                }
            } catch (RuntimeException | Error e) {
                // A request that was refused has left its tensors where they were.
                takeBack(true);
                fail(e instanceof RuntimeException problem ? problem : new IllegalStateException(plan.label(), e));
                unpin();
                return;
            }
            // Whoever has failed before this did not see the request, but is seen here.
            VarHandle.fullFence();
            if (failure.get() != null) {
                call.cancel();
            }
        }

        /// Submits its tensors to the version that is live; false if another one is by now.
        private boolean isSubmitted() {
            bind();
            give();
            return call.submit(deadlineNanos, priority, this);
        }

        @SuppressWarnings("ReferenceEquality") // a call is what it is, not what it says
        private void bind() {
            StepCall before = call;
            call = model.call(before);
            if (call == before) {
                return;
            }
            inputAt = new int[own.length];
            for (int i = 0; i < own.length; i++) {
                inputAt[i] = call.signature().inputIndex(plan.inputs().get(i));
                require(inputAt[i], "input", plan.inputs().get(i));
            }
            outputAt = new int[plan.outputs().size()];
            for (int i = 0; i < outputAt.length; i++) {
                outputAt[i] = call.signature().outputIndex(plan.outputs().get(i));
                require(outputAt[i], "output", plan.outputs().get(i));
            }
        }

        private void require(int index, String kind, String name) {
            if (index < 0) {
                throw new IllegalStateException(plan.label() + " has no " + kind + " '" + name + "' any more");
            }
        }

        private void give() {
            Tensor[] inputs = call.inputs();
            for (int i = 0; i < own.length; i++) {
                Tensor source = tensor(plan.sources().get(i));
                Tensor target = inputs[inputAt[i]];
                if (target.isNullable()) {
                    // Raw values are laid out otherwise.
                    target.copyFrom(source);
                } else if (!call.takesTensors()) {
                    own[i] = target;
                    inputs[inputAt[i]] = source;
                } else if (plan.shared().get(i)) {
                    target.copyFrom(source);
                } else {
                    target.swap(source);
                    own[i] = target;
                }
            }
        }

        /// Ends what was lent.
        ///
        /// @param answered whether a request that takes tensors along has brought them back
        private void takeBack(boolean answered) {
            for (int i = 0; i < own.length; i++) {
                Tensor mine = own[i];
                own[i] = null;
                if (mine == null) {
                    continue;
                }
                if (!call.takesTensors()) {
                    call.inputs()[inputAt[i]] = mine;
                } else if (answered) {
                    call.inputs()[inputAt[i]].swap(tensor(plan.sources().get(i)));
                }
            }
        }

        @Override
        public void ended(RuntimeException problem) {
            takeBack(problem == null);
            if (problem != null) {
                fail(problem);
            } else {
                for (int follower : plan.followers()) {
                    if (steps[follower].missing.decrementAndGet() == 0) {
                        steps[follower].submit();
                    }
                }
            }
            unpin();
        }
    }
}
