// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.model.Signature;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/// A model by its name: every use resolves the version that is live then.
///
/// Threads: any, platform or virtual. It owns nothing and need not be closed.
public final class Model {
    private final String name;
    private final Supplier<LoadedVersion> live;
    /// Where new calls begin.
    private final Supplier<LoadedVersion> first;

    Model(String name, Supplier<LoadedVersion> live) {
        this(name, live, live);
    }

    private Model(String name, Supplier<LoadedVersion> live, Supplier<LoadedVersion> first) {
        this.name = name;
        this.live = live;
        this.first = first;
    }

    static Model bound(LoadedVersion instance, Supplier<LoadedVersion> live) {
        return new Model(instance.lane().spec().model(), live, () -> instance);
    }

    /// This model as the loaded instance that answers now: what it tells is of that instance, whatever is loaded
    /// meanwhile. Calls begin there, and go on with what answers by this handle when it is replaced.
    public Model bound() {
        return bound(first.get(), live);
    }

    /// The name.
    public String name() {
        return name;
    }

    /// The version that answers now.
    public long version() {
        return first.get().number();
    }

    /// What the model takes and gives.
    public Signature signature() {
        return first.get().signature();
    }

    /// The names of the classes of `output`, the first for its first element; empty if its configuration has none.
    public List<String> labels(String output) {
        return first.get().labels(output);
    }

    /// The number of the loaded instance that answers now: a version that was loaded anew is another one.
    public long instance() {
        return first.get().instance();
    }

    /// A new call: reusable, for one thread, without garbage. The caller closes it. It goes on with the version that
    /// answers by this handle when its own is replaced.
    public Call call() {
        return first.get().newCall().follow(live);
    }

    /// A new request: convenient, for one prediction or many, at the cost of some garbage.
    public Request request() {
        return new Request(name, signature());
    }

    /// Answers a request on the calling thread's time.
    ///
    /// @throws InferenceException if it is not answered
    public Prediction predict(Request request) {
        Call call = first.get().borrow().follow(live);
        boolean reusable = false;
        try {
            request.fill(call);
            Outcome outcome = call.run();
            reusable = true;
            return answer(call, outcome);
        } finally {
            finish(call, reusable);
        }
    }

    /// Submits a request and returns at once. The future ends with the prediction or an [InferenceException]; what
    /// depends on it runs on the common pool, not on the threads that run models. Cancelling the future cancels the
    /// request.
    public CompletableFuture<Prediction> predictAsync(Request request) {
        Call call = first.get().borrow().follow(live);
        PredictionFuture future = new PredictionFuture(call);
        try {
            request.fill(call);
            if (call.isRemote()) {
                call.fetch().whenCompleteAsync((_, _) -> submit(call, future));
                return future;
            }
        } catch (RuntimeException e) {
            finish(call, false);
            throw e;
        }
        submit(call, future);
        return future;
    }

    private static void submit(Call call, PredictionFuture future) {
        if (future.isCancelled()) {
            // What was fetched for it is still there.
            future.detach();
            finish(call, false);
            return;
        }
        Outcome admission;
        try {
            admission = call.submit((ended, outcome) -> complete(ended, outcome, future));
        } catch (RuntimeException e) {
            future.detach();
            future.completeExceptionally(e);
            finish(call, false);
            return;
        }
        if (admission != Outcome.OK) {
            future.detach();
            future.completeExceptionally(new InferenceException(admission, call.message()));
            finish(call, true);
        }
    }

    /// Runs on whichever thread ended the call: copies the answer and leaves the rest to the pool.
    private static void complete(Call call, Outcome outcome, PredictionFuture future) {
        Prediction prediction = null;
        Throwable problem = null;
        try {
            prediction = answer(call, outcome);
        } catch (RuntimeException | Error e) {
            problem = e;
        }
        future.detach();
        finish(call, true);
        tell(future, prediction, problem);
    }

    private static Prediction answer(Call call, Outcome outcome) {
        if (outcome != Outcome.OK) {
            throw new InferenceException(outcome, call.message());
        }
        return Prediction.of(call);
    }

    private static void tell(PredictionFuture future, Prediction prediction, Throwable problem) {
        ForkJoinPool.commonPool().execute(() -> {
            if (problem == null) {
                future.complete(prediction);
            } else {
                future.completeExceptionally(problem);
            }
        });
    }

    private static void finish(Call call, boolean reusable) {
        call.timeout(null).priority(0);
        if (reusable) {
            call.home().giveBack(call);
        } else {
            call.close();
        }
    }

    /// A future whose cancellation reaches the request, as long as the call belongs to it.
    private static final class PredictionFuture extends CompletableFuture<Prediction> {
        private Call call;

        PredictionFuture(Call call) {
            this.call = call;
        }

        synchronized void detach() {
            call = null;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            cancelCall();
            return cancelled;
        }

        private synchronized void cancelCall() {
            if (call != null) {
                call.cancel();
            }
        }
    }
}
