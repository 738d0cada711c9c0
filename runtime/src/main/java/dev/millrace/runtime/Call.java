// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.plan.CallInputs;
import dev.millrace.plan.InputCheck;
import dev.millrace.raw.RawRows;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// A reusable request to one version of a model. In steady state using it allocates nothing.
///
/// The owner fills the input tensors, runs or submits the call, and reads the output tensors:
/// ```
/// try (Call call = model.call()) {
///     call.input(0).putFloats(row);
///     if (call.run() == Outcome.OK) {
///         use(call.output(0).getFloat(0));
///     }
/// }
/// ```
///
/// Tensors are valid until the next run. After it they may be other objects than before: ask for them again. For a
/// model whose rows are independent the inputs start as one row and `rows(n)` makes them more; for other models inputs
/// of variable shape must be reshaped before the first run.
///
/// When its version is replaced, the next run moves to the one that is served then, with the inputs as they are.
///
/// Threads: one owner at a time. Between [#submit(Completion)] and its completion only [#cancel()] may be called, from
/// any thread. Ownership: whoever made it closes it; the call owns its tensors.
public final class Call extends Ticket implements AutoCloseable {
    /// The timeout of runs that may take as long as they need.
    public static final long NO_TIMEOUT = Ticket.NO_DEADLINE;

    private final long inlineBudgetNanos;
    // Of the version that it is made for: changed by its owner, while no request is open.
    private Lane lane;
    private CallInputs inputs;
    /// Null if the model's answers are not kept.
    private Recall recall;
    /// Null for a lane alone.
    private LoadedVersion home;
    /// What is served now, or null if the call stays with its version.
    private Supplier<LoadedVersion> live;
    private TensorSet tensors;
    private long timeoutNanos = NO_TIMEOUT;
    private int priority;
    /// When it was submitted, if it has a deadline, and how long after that its answer was expected.
    private long submittedNanos;
    private long predictedNanos;
    private String problem = "";
    /// What the request was refused for that is no fault of its own; or null.
    private String shortage;
    private Completion completion;
    /// Whether the owner began the next request by [#begin(boolean)].
    private boolean begun;
    /// Whether this request is timed. Here, so that one that is not need not look at its timing.
    private boolean timed;

    private final Timing timing;

    Call(Lane lane, long inlineBudgetNanos) {
        this(lane, null, inlineBudgetNanos);
    }

    Call(LoadedVersion home, long inlineBudgetNanos) {
        this(home.lane(), home.openRaw(), inlineBudgetNanos);
        this.home = home;
    }

    private Call(Lane lane, RawRows raw, long inlineBudgetNanos) {
        this.inlineBudgetNanos = inlineBudgetNanos;
        this.timing = new Timing(lane.recorder(), lane.clock());
        bind(lane, new CallInputs(lane.spec(), raw));
        // Raw values hold something that nobody would free if there was no memory for these.
        this.tensors = raw == null ? freshTensors(lane) : null;
    }

    private void bind(Lane to, CallInputs filled) {
        lane = to;
        recall = to.recall();
        inputs = filled;
    }

    /// Tensors for a request to a lane.
    static TensorSet freshTensors(Lane lane) {
        TensorSet spare = lane.spareTensors();
        TensorSet set = spare == null ? new TensorSet(lane.spec().signature()) : spare;
        return set.preset(lane.spec().signature(), lane.spec().hasRows());
    }

    /// Has requests go where `now` says when the call's version takes none any more.
    Call follow(Supplier<LoadedVersion> now) {
        live = now;
        return this;
    }

    /// The version that it is made for.
    LoadedVersion home() {
        return home;
    }

    /// Which loaded instance gave its last answer; a version that was loaded anew is another one.
    @Hot
    public long instance() {
        return home == null ? 0 : home.instance();
    }

    /// The model as the loaded instance that it is made for.
    public Model bound() {
        return Model.bound(home, live);
    }

    /// What the model takes and gives.
    @Hot
    public Signature signature() {
        return inputs.raw() == null ? lane.spec().signature() : inputs.raw().signature();
    }

    /// The raw values that its inputs are; null if the model takes tensors as they come.
    @Hot
    public RawRows raw() {
        return inputs.raw();
    }

    /// The model's name.
    public String model() {
        return lane.spec().model();
    }

    /// The version of the model that answers this call.
    public long version() {
        return lane.spec().version();
    }

    /// Input `index`, in the order of the signature.
    @Hot
    public Tensor input(int index) {
        return inputTensors()[index];
    }

    @Hot
    Tensor[] inputTensors() {
        return inputs.tensors(tensors());
    }

    /// The input called `name`.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is none
    public Tensor input(String name) {
        return input(index(signature().inputIndex(name), "input", name));
    }

    /// Output `index`, in the order of the signature, as the last run left it; behind the outputs come the reports,
    /// which [RawRows#reporting(boolean)] asks for.
    @Hot
    public Tensor output(int index) {
        Tensor[] outputs = tensors().outputs();
        return index < outputs.length ? outputs[index] : inputs.report(index - outputs.length);
    }

    /// The output or report called `name`, as the last run left it.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is none
    public Tensor output(String name) {
        return output(index(signature().answerIndex(name), "output", name));
    }

    private int index(int index, String what, String name) {
        if (index < 0) {
            throw new InferenceException(Outcome.INVALID, "model '" + model() + "' has no " + what + " '" + name + "'");
        }
        return index;
    }

    /// Gives every input `rows` rows; raw values are null then. Only for models whose rows are independent.
    public Call rows(int rows) {
        inputs.rows(tensors(), rows);
        return this;
    }

    /// Whether its model needs stored values that are far away: running and submitting waits for them, unless
    /// [#fetch()] was called and has ended.
    @Hot
    public boolean isRemote() {
        return inputs.isRemote();
    }

    /// Fetches the stored values of the next request, whose inputs are filled, and whose time limit counts from here.
    /// It ends in time and normally, on any thread; until then nothing else may be called.
    public CompletionStage<?> fetch() {
        requireDelivered();
        return inputs.fetch(level(), timeLimit(), lane.clock().getAsLong());
    }

    /// As [#timeoutNanos(long)]; null for no limit.
    public Call timeout(Duration timeout) {
        return timeoutNanos(timeout == null ? NO_TIMEOUT : TimeUnit.NANOSECONDS.convert(timeout));
    }

    /// Sets how long each of the following runs may take in nanoseconds, counted from its submission; [#NO_TIMEOUT] for
    /// no limit. Of zero or less nothing is left: such a run is refused as expired.
    @Hot
    public Call timeoutNanos(long nanos) {
        timeoutNanos = nanos;
        return this;
    }

    /// Sets the priority of each of the following runs: 1 is the highest of those that the model is configured with, 0
    /// or one that it does not have means its default. A model without priorities takes any for its only one.
    @Hot
    public Call priority(int level) {
        priority = level;
        return this;
    }

    /// Begins the next request before its inputs are filled, so that decoding and encoding are seen, too: the
    /// owner then calls [#decoded()] when they are filled, and after an answer [#encoding()] and [#encoded()].
    /// Without it a request begins when it is run or submitted, and ends when it is answered.
    ///
    /// @param wanted whether [#timing()] should tell about this request; otherwise that is left to chance
    @Hot
    public Call begin(boolean wanted) {
        requireDelivered();
        timed = timing.begin(wanted, true);
        begun = true;
        return this;
    }

    /// The inputs are filled; after [#begin(boolean)].
    @Hot
    public void decoded() {
        if (timed) {
            timing.decoded();
        }
    }

    /// The owner begins to read the answer; after [#begin(boolean)] and an answer, otherwise it changes nothing.
    @Hot
    public void encoding() {
        if (timed && isAnswered()) {
            timing.encoding();
        }
    }

    /// The owner has read the answer: what was begun by [#begin(boolean)] ends here and is recorded.
    @Hot
    public void encoded() {
        if (timed && isAnswered()) {
            timing.encoded();
        }
    }

    /// Whether what was begun last is answered.
    @Hot
    private boolean isAnswered() {
        return !begun && isDelivered() && outcome() == Outcome.OK;
    }

    /// The owner refuses a request before it is submitted: it counts among the model's refusals.
    @Hot
    public void refuse(Outcome why) {
        lane.counters().refused(why);
        lane.recorder().refused(why);
        timing.refused(timed);
    }

    /// Where the time of the last request went, if it was timed.
    @Hot
    public Timing timing() {
        return timing;
    }

    /// Whether the present or last request is timed.
    @Hot
    public boolean isTimed() {
        return timed;
    }

    /// Runs the model and waits for the end. If the calling thread is interrupted the request is cancelled and the
    /// thread's interrupt status is set.
    ///
    /// @return [Outcome#OK] when the outputs can be read, or else how it ended; [#message()] says more
    @Hot
    public Outcome run() {
        Outcome admission = open(null);
        if (admission != Outcome.OK) {
            return admission;
        }
        if (lane.isLight(inlineBudgetNanos)) {
            Turner.turnFor(this, inlineBudgetNanos);
        } else {
            lane.handOver();
        }
        if (!isDelivered()) {
            await(lane.clock());
        }
        return outcome();
    }

    /// Submits the call and returns at once.
    ///
    /// @param whenDone told exactly once if the call was accepted; it may be told before this method returns
    /// @return [Outcome#OK] if it was accepted; otherwise why not, and `whenDone` is not told
    @Hot
    public Outcome submit(Completion whenDone) {
        Outcome admission = open(Objects.requireNonNull(whenDone, "whenDone"));
        if (admission == Outcome.OK) {
            lane.handOver();
        }
        return admission;
    }

    /// Ends the submitted call as cancelled unless it has ended already. Rows that wait are not run; a run in progress
    /// goes on without it.
    ///
    /// @return whether this ended it
    public boolean cancel() {
        return end(generation(), Outcome.CANCELLED);
    }

    /// Why the last run did not end OK; empty if it did.
    public String message() {
        if (!isDelivered()) {
            return "";
        }
        String model = lane.spec().describe();
        return switch (outcome()) {
            case OK -> "";
            case INVALID, TOO_LARGE, FAILED -> problem;
            case OVERLOADED ->
                shortage == null
                        ? lane.gate().overload(level(), deadlineNanos(), submittedNanos, predictedNanos)
                        : shortage;
            case CANCELLED -> "the request was cancelled";
            case EXPIRED -> "the deadline of the request to " + model + " passed";
            case UNAVAILABLE -> shortage == null ? lane.unavailability() : shortage;
            case NOT_FOUND -> shortage;
        };
    }

    /// When a run that was refused because too much waits, or because the model keeps failing, may be tried again, in
    /// nanoseconds from now; 0 if nothing is known.
    public long retryAfterNanos() {
        return lane.retryAfterNanos(level());
    }

    /// Frees the tensors. A request in flight is cancelled first.
    @Override
    public void close() {
        cancel();
        while (!isDelivered()) {
            Thread.onSpinWait();
        }
        if (tensors != null) {
            tensors.close();
            tensors = null;
        }
        inputs.close();
    }

    /// Checks the inputs and gets slots; OK if the request is in flight now.
    @Hot
    Outcome open(Completion whenDone) {
        requireDelivered();
        timed = begun ? timed : timing.begin(false, false);
        begun = false;
        if (timed) {
            timing.opened();
        }
        shortage = null;
        Outcome outcome = enter(whenDone);
        if (outcome == Outcome.NOT_FOUND) {
            outcome = enterElsewhere(whenDone);
        }
        inputs.ended();
        if (outcome != Outcome.OK) {
            refuse(outcome);
        }
        return outcome;
    }

    /// As [#open(Completion)], in the lane as it is; NOT_FOUND if that takes no requests any more.
    @Hot
    private Outcome enter(Completion whenDone) {
        if (inputs.isRemote() && !inputs.takeFetched(level(), timeLimit(), lane.clock())) {
            shortage = inputs.storeProblem();
            return reject(shortage == null ? Outcome.EXPIRED : Outcome.UNAVAILABLE);
        }
        int rows = check();
        if (rows < 1) {
            return reject(
                    shortage != null
                            ? Outcome.OVERLOADED
                            : rows == InputCheck.TOO_MANY ? Outcome.TOO_LARGE : Outcome.INVALID);
        }
        if (timeoutNanos <= 0) {
            return reject(Outcome.EXPIRED);
        }
        long timeout = timeLimit();
        long deadline = Ticket.NO_DEADLINE;
        predictedNanos = Gate.UNKNOWN;
        if (timeout != NO_TIMEOUT) {
            submittedNanos = lane.clock().getAsLong();
            deadline = inputs.begunNanos(submittedNanos) + timeout;
        }
        if (recall != null) {
            Outcome found = recall.find(this, deadline);
            if (found != Outcome.NOT_FOUND) {
                return found == Outcome.OK ? recalled(rows, whenDone) : reject(found);
            }
        }
        int generation = prepare(rows, deadline);
        completion = whenDone;
        Outcome outcome = lane.commit(this, generation, rows);
        if (outcome != Outcome.OK) {
            reject(generation, outcome);
        }
        return outcome;
    }

    @Hot
    private long timeLimit() {
        return Math.min(timeoutNanos, lane.spec().defaultTimeoutNanos(level()));
    }

    /// The lane takes no requests any more: the call moves to the version that is served instead, and enters there.
    private Outcome enterElsewhere(Completion whenDone) {
        Outcome outcome = Outcome.NOT_FOUND;
        while (outcome == Outcome.NOT_FOUND) {
            try {
                LoadedVersion next = LoadedVersion.successor(live, lane);
                tensors = next.adopt(signature(), tensors(), inputs.raw() != null);
                bind(next.lane(), next.adopt(inputs));
                home = next;
            } catch (InferenceException e) {
                problem = e.getMessage();
                shortage = problem;
                return reject(e.outcome());
            }
            timing.record(lane.recorder());
            outcome = enter(whenDone);
        }
        return outcome;
    }

    /// Ends the request with the answer that was kept for its inputs, and that its outputs have: without a slot.
    private Outcome recalled(int rows, Completion whenDone) {
        if (timed) {
            timing.recalled();
        }
        int generation = prepare(rows, Ticket.NO_DEADLINE);
        completion = whenDone;
        lane.counters().accepted();
        accept(generation);
        recall.end(this, generation, whenDone != null);
        return Outcome.OK;
    }

    private Outcome reject(Outcome outcome) {
        reject(prepare(0, Ticket.NO_DEADLINE), outcome);
        return outcome;
    }

    /// As [InputCheck#slots]; 0 if there is not enough memory for the answer.
    @Hot
    private int check() {
        try {
            int slots = inputs.slots(tensors(), level());
            if (slots < 1) {
                problem = inputs.problem(tensors(), level());
            }
            return slots;
        } catch (MemoryExceededException e) {
            return outOfMemory(e);
        }
    }

    /// Says what there is no memory for; 0.
    int outOfMemory(MemoryExceededException e) {
        problem = e.getMessage();
        shortage = e.isHopeless(heldBytes()) ? null : problem;
        return 0;
    }

    /// The bytes that its tensors hold, which may be more than their shapes need.
    public long heldBytes() {
        return inputs.heldBytes() + (tensors == null ? 0 : tensors.heldBytes());
    }

    /// Whether it should be closed rather than kept for another request, because memory is short.
    @Hot
    public boolean isTight() {
        return tensors != null && tensors.isTight();
    }

    /// Whether it was refused because its lane takes no requests any more and there was nothing to move to.
    boolean isTurnedAway() {
        return outcome() == Outcome.UNAVAILABLE && shortage != null && inputs.storeProblem() == null;
    }

    int priority() {
        return priority;
    }

    @Hot
    Lane lane() {
        return lane;
    }

    /// The queue that its rows wait in: 0 for the highest priority.
    @Hot
    int level() {
        return lane.spec().level(priority);
    }

    /// When it was submitted; if it has a deadline.
    @Hot
    long submittedNanos() {
        return submittedNanos;
    }

    /// How long after that its answer is expected; infinite if that is not known.
    @Hot
    void predicted(double nanos) {
        predictedNanos = nanos < Gate.UNKNOWN ? (long) nanos : Gate.UNKNOWN;
    }

    @Hot
    TensorSet tensors() {
        if (tensors == null) {
            tensors = freshTensors(lane);
        }
        return tensors;
    }

    /// The tensors that it has, or null if the lane has them.
    @Hot
    TensorSet ownTensors() {
        return tensors;
    }

    /// What the lane leaves it, or gives it back with an answer: the tensors, or null. By its owner, or while pinned.
    @Hot
    void tensors(TensorSet set) {
        tensors = set;
    }

    /// Says why the request fails. While pinned, or before it is settled.
    void problem(Outcome outcome, String why) {
        problem = why;
        shortage = outcome == Outcome.OVERLOADED || outcome == Outcome.UNAVAILABLE ? why : null;
    }

    @Override
    @Hot
    void settle(int generation, Outcome outcome) {
        lane.ended(outcome);
        if (outcome == Outcome.CANCELLED) {
            lane.cancelled();
        }
        settleCounted(generation, outcome);
    }

    /// As [#settle(int, Outcome)], for an end that the lane has counted.
    @Hot
    void settleCounted(int generation, Outcome outcome) {
        Completion told = completion;
        if (recall != null && outcome == Outcome.OK) {
            recall.answered(tensors);
        }
        if (deadlineNanos() != NO_DEADLINE) {
            lane.deadlineEnded();
            if (outcome == Outcome.OK || outcome == Outcome.EXPIRED) {
                lane.gate().ended(submittedNanos, predictedNanos);
            }
        }
        if (timed) {
            timing.ended(outcome);
        }
        if (told == null) {
            deliver(generation, outcome);
            unparkWaiter();
        } else {
            deliverQuietly(generation, outcome);
            try {
                told.completed(this, outcome);
            } catch (RuntimeException | Error e) {
                lane.complain(e);
            }
        }
    }
}
