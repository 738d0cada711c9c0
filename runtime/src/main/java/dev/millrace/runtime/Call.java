// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A reusable request to one version of a model. In steady state using it allocates nothing.
///
/// The owner fills the input tensors, runs or submits the call, and reads the output tensors:
///
/// ```
/// try (Call call = model.call()) {
///     call.input(0).putFloats(row);
///     if (call.run() == Outcome.OK) {
///         use(call.output(0).getFloat(0));
///     }
/// }
/// ```
///
/// Tensors are valid until the next run. After an end other than OK they may be other objects than before: ask for them
/// again. For a model whose rows are independent the inputs start as one row and `rows(n)` makes them more; for other
/// models inputs of variable shape must be reshaped before the first run.
///
/// Threads: one owner at a time. Between [#submit(Completion)] and its completion only [#cancel()] may be called, from
/// any thread. Ownership: whoever made it closes it; the call owns its tensors.
public final class Call extends Ticket implements AutoCloseable {
    /// The timeout of runs that may take as long as they need.
    public static final long NO_TIMEOUT = Ticket.NO_DEADLINE;

    private static final Logger LOG = LoggerFactory.getLogger(Call.class);
    /// Looks at the wheel before parking: about as long as a light batch takes.
    private static final int LOOKS = 100;
    /// 2^64 by the golden ratio: adding it again and again spreads draws as evenly as can be over any stretch
    /// of them.
    private static final long EVEN_STEP = 0x9E3779B97F4A7C15L;

    private final Lane lane;
    private final long inlineBudgetNanos;
    private final long[][] inputShapes;
    private final long[][] outputShapes;
    private TensorSet tensors;
    private long timeoutNanos = NO_TIMEOUT;
    private int priority;
    /// When it was submitted, if it has a deadline.
    private long submittedNanos;
    /// How long after that its answer was expected, or [Gate#UNKNOWN].
    private long predictedNanos;
    private String problem = "";
    /// What the request asked more memory of than there is now, or null.
    private String shortage;
    private Completion completion;
    private long draw = ThreadLocalRandom.current().nextLong();
    /// Whether the owner began the next request by [#begin(boolean)].
    private boolean begun;
    /// Whether this request is timed. Here, and not in what is timed, so that one who need not look there does
    /// not.
    private boolean timed;

    private final Timing timing;
    private volatile Thread waiter;

    Call(Lane lane, long inlineBudgetNanos) {
        this.lane = lane;
        this.inlineBudgetNanos = inlineBudgetNanos;
        this.timing = new Timing(lane.recorder(), lane.clock());
        this.inputShapes = shapes(signature().inputs());
        this.outputShapes = shapes(signature().outputs());
        this.tensors = freshTensors();
    }

    private static long[][] shapes(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> spec.shape().stream().mapToLong(Long::longValue).toArray())
                .toArray(long[][]::new);
    }

    private TensorSet freshTensors() {
        TensorSet spare = lane.spareTensors();
        TensorSet set = spare == null ? new TensorSet(signature()) : spare;
        return set.preset(signature(), lane.spec().hasRows());
    }

    /// What the model takes and gives.
    @Hot
    public Signature signature() {
        return lane.spec().signature();
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
        return tensors().inputs()[index];
    }

    /// The input called `name`.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is none
    public Tensor input(String name) {
        return input(index(signature().inputIndex(name), "input", name));
    }

    /// Output `index`, in the order of the signature, as the last run left it.
    @Hot
    public Tensor output(int index) {
        return tensors().outputs()[index];
    }

    /// The output called `name`, as the last run left it.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is none
    public Tensor output(String name) {
        return output(index(signature().outputIndex(name), "output", name));
    }

    private int index(int index, String what, String name) {
        if (index < 0) {
            throw new InferenceException(Outcome.INVALID, "model '" + model() + "' has no " + what + " '" + name + "'");
        }
        return index;
    }

    /// Gives every input `rows` rows. Only for models whose rows are independent.
    public Call rows(int rows) {
        for (Tensor input : tensors().inputs()) {
            input.rows(rows);
        }
        return this;
    }

    /// Sets how long each of the following runs may take, counted from its submission; null for no limit. Of zero or
    /// less nothing is left: such a run is refused as expired.
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
        time(wanted, true);
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
    public void refuse(Outcome why) {
        noteRefusal(why);
    }

    @Hot
    private void noteRefusal(Outcome why) {
        lane.counters().refused(why);
        lane.recorder().refused(why);
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

    @Hot
    private void time(boolean wanted, boolean byOwner) {
        draw += EVEN_STEP;
        int weight = lane.recorder().weight(draw);
        timed = weight > 0 || wanted;
        if (timed) {
            timing.begin(weight, byOwner);
        }
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
            turn();
        } else {
            lane.handOver();
        }
        if (!isDelivered()) {
            await();
        }
        return outcome();
    }

    /// Turns the wheel until the own answer is there, but not for long: then agents go on.
    @Hot
    private void turn() {
        lane.turn(this, inlineBudgetNanos, LOOKS);
        if (isDelivered()) {
            lane.handOver();
            return;
        }
        lane.attend();
        for (int look = 0; look < LOOKS && !isDelivered(); look++) {
            Thread.onSpinWait();
            lane.turn(this, inlineBudgetNanos, LOOKS);
        }
        lane.leave();
    }

    private void await() {
        int generation = generation();
        boolean interrupted = false;
        waiter = Thread.currentThread();
        while (!isDelivered()) {
            if (deadlineNanos() == NO_DEADLINE) {
                LockSupport.park(this);
            } else {
                long left = deadlineNanos() - lane.clock().getAsLong();
                if (left <= 0) {
                    end(generation, Outcome.EXPIRED);
                }
                LockSupport.parkNanos(this, Math.max(1000, left));
            }
            if (Thread.interrupted()) {
                interrupted = true;
                end(generation, Outcome.CANCELLED);
            }
        }
        waiter = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
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
                shortage == null ? lane.gate().overload(deadlineNanos(), submittedNanos, predictedNanos) : shortage;
            case CANCELLED -> "the request was cancelled";
            case EXPIRED -> "the deadline of the request to " + model + " passed";
            case UNAVAILABLE -> lane.unavailability();
            case NOT_FOUND -> model + " was not found";
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
    }

    /// Checks the inputs and gets slots; OK if the request is in flight now.
    @Hot
    Outcome open(Completion whenDone) {
        requireDelivered();
        if (!begun) {
            time(false, false);
        }
        begun = false;
        if (timed) {
            timing.opened();
        }
        shortage = null;
        int rows = check();
        if (rows < 1) {
            return reject(shortage != null ? Outcome.OVERLOADED : rows == 0 ? Outcome.TOO_LARGE : Outcome.INVALID);
        }
        if (timeoutNanos <= 0) {
            return reject(Outcome.EXPIRED);
        }
        long timeout = Math.min(timeoutNanos, lane.spec().defaultTimeoutNanos());
        long deadline = Ticket.NO_DEADLINE;
        predictedNanos = Gate.UNKNOWN;
        if (timeout != NO_TIMEOUT) {
            submittedNanos = lane.clock().getAsLong();
            deadline = submittedNanos + timeout;
        }
        int generation = prepare(rows, deadline);
        completion = whenDone;
        Outcome outcome = lane.commit(this, generation, rows);
        if (outcome != Outcome.OK) {
            reject(generation, outcome);
            noteRefusal(outcome);
        }
        return outcome;
    }

    private Outcome reject(Outcome outcome) {
        reject(prepare(0, Ticket.NO_DEADLINE), outcome);
        noteRefusal(outcome);
        return outcome;
    }

    /// As [#checkInputs()]; 0 if there is not enough memory for the answer.
    @Hot
    private int check() {
        try {
            return checkInputs();
        } catch (MemoryExceededException e) {
            return outOfMemory(e);
        }
    }

    private int outOfMemory(MemoryExceededException e) {
        problem = e.getMessage();
        shortage = e.isHopeless(heldBytes()) ? null : problem;
        return 0;
    }

    /// The bytes that its tensors hold, which may be more than their shapes need.
    public long heldBytes() {
        return tensors == null ? 0 : tensors.heldBytes();
    }

    /// Whether it should be closed rather than kept for another request, because memory is short.
    @Hot
    public boolean isTight() {
        return tensors != null && tensors.isTight();
    }

    /// The slots that the inputs need; 0 if they are too many and -1 if an input is wrong.
    @Hot
    private int checkInputs() {
        List<TensorSpec> specs = signature().inputs();
        Tensor[] inputs = tensors().inputs();
        for (int i = 0; i < inputs.length; i++) {
            if (!inputs[i].fits(inputShapes[i])) {
                return wrongShape(specs.get(i), inputs[i]);
            }
        }
        return lane.spec().hasRows() ? checkRows(inputs) : 1;
    }

    @Hot
    private int checkRows(Tensor[] inputs) {
        long rows = inputs[0].dim(0);
        for (int i = 1; i < inputs.length; i++) {
            if (inputs[i].dim(0) != rows) {
                return differentRows(i, inputs[i].dim(0), rows);
            }
        }
        if (rows < 1 || rows > lane.spec().capacity()) {
            return wrongRows(rows);
        }
        List<TensorSpec> specs = signature().outputs();
        Tensor[] outputs = tensors.outputs();
        for (int i = 0; i < outputs.length; i++) {
            if (!outputs[i].fits(outputShapes[i])) {
                TensorSet.preset(specs.get(i), outputs[i], true);
            }
            outputs[i].rows(rows);
        }
        return (int) rows;
    }

    private int wrongShape(TensorSpec spec, Tensor tensor) {
        problem = tensor.hasShape()
                ? "input '" + spec.name() + "' has shape " + Arrays.toString(tensor.shape()) + ", expected "
                        + spec.shape()
                : "input '" + spec.name() + "' is missing, expected " + spec.datatype() + " of shape " + spec.shape();
        return -1;
    }

    private int differentRows(int input, long came, long expected) {
        List<TensorSpec> specs = signature().inputs();
        problem = "input '" + specs.get(input).name() + "' has " + came + " rows, expected " + expected + " as input '"
                + specs.getFirst().name() + "' has";
        return -1;
    }

    private int wrongRows(long rows) {
        if (rows < 1) {
            problem = "input '" + signature().inputs().getFirst().name() + "' has 0 rows, expected at least 1";
            return -1;
        }
        problem = rows + " rows in one request, at most " + lane.spec().capacity() + " fit into the queue of "
                + lane.spec().describe();
        return 0;
    }

    @Hot
    Lane lane() {
        return lane;
    }

    /// The queue that its rows wait in: 0 for the highest priority.
    @Hot
    int level() {
        int levels = lane.spec().levels();
        return priority < 1 || priority > levels ? lane.spec().defaultLevel() : priority - 1;
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
            tensors = freshTensors();
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
        shortage = outcome == Outcome.OVERLOADED ? why : null;
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
        if (deadlineNanos() != NO_DEADLINE) {
            lane.deadlineEnded();
            if (outcome == Outcome.OK || outcome == Outcome.EXPIRED) {
                lane.gate().ended(submittedNanos, predictedNanos);
            }
        }
        if (timed && outcome == Outcome.OK) {
            timing.delivered();
        }
        if (told == null) {
            deliver(generation, outcome);
            Thread thread = waiter;
            if (thread != null) {
                LockSupport.unpark(thread);
            }
        } else {
            deliverQuietly(generation, outcome);
            tell(told, outcome);
        }
    }

    @Hot
    private void tell(Completion told, Outcome outcome) {
        try {
            told.completed(this, outcome);
        } catch (RuntimeException | Error e) {
            complain(e);
        }
    }

    private void complain(Throwable e) {
        LOG.error("a completion of a call to {} threw", lane.spec().describe(), e);
    }
}
