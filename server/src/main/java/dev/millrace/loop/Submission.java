// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.memory.Hot;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Outcome;
import dev.millrace.trace.FrontEnd;
import dev.millrace.trace.Sampling;

/// One inference request of a front end, from its decoding until it is answered.
///
/// Threads: its event loop's, but for [#completed(Call, Outcome)]. Ownership: it holds its call from
/// [#carriedBy(ModelCalls, Call)] until [#release()].
public abstract class Submission implements Completion {
    private final WakeUp wakeUp;
    private ModelCalls calls;
    private Call call;
    private Outcome outcome;
    /// Null if it is not traced.
    private Sampling trace;
    private boolean finished;
    private boolean dropped;
    /// The one that ended before this one; while it is on its way to the loop.
    private Submission next;

    /// @param wakeUp of its event loop
    protected Submission(WakeUp wakeUp) {
        this.wakeUp = wakeUp;
    }

    /// This call carries it from now on.
    ///
    /// @param owner where the call is from
    public final void carriedBy(ModelCalls owner, Call filled) {
        calls = owner;
        call = filled;
    }

    /// Its call begins a request before its inputs are filled.
    ///
    /// @param timed whether somebody wants to know its times, whoever else does
    public final void begin(boolean timed) {
        trace = calls.draw();
        call.begin(timed || trace != null);
    }

    /// Its answer is written: what was begun ends.
    ///
    /// @param id the request's, or null
    @Hot
    public final void encoded(FrontEnd frontEnd, String id) {
        call.encoded();
        if (trace != null) {
            trace.answered(frontEnd, call, id);
        }
    }

    /// Where its call belongs: after its end, to the instance that answered.
    @Hot
    public final ModelCalls calls() {
        return calls;
    }

    /// Its call; null without one.
    @Hot
    public final Call call() {
        return call;
    }

    /// How it ended; null before that.
    @Hot
    public final Outcome outcome() {
        return outcome;
    }

    @Override
    public final void completed(Call ended, Outcome how) {
        outcome = how;
        wakeUp.ended(this);
    }

    /// The call was not accepted.
    @Hot
    final void refused(Outcome why) {
        outcome = why;
    }

    /// The call can be read from now on.
    @Hot
    final void callEnded() {
        finished = true;
        if (call.instance() != calls.instance()) {
            calls = calls.of(call);
        }
        if (dropped) {
            release();
        } else {
            finish();
        }
    }

    /// Its call has ended and can be read: the front end answers. Not if nobody waits any more.
    @Hot
    protected abstract void finish();

    /// Whether nobody waits for the answer any more.
    @Hot
    public final boolean isDropped() {
        return dropped;
    }

    /// Nobody waits any more: a call in flight is cancelled, and comes back as any other.
    public final void drop() {
        dropped = true;
        if (finished) {
            release();
        } else if (call != null) {
            call.cancel();
        }
    }

    /// Gives the call back if there is one. It must not be in flight.
    public final void release() {
        if (call != null) {
            Call unused = call;
            call = null;
            calls.giveBack(unused);
        }
    }

    @Hot
    final Submission next() {
        return next;
    }

    @Hot
    final void next(Submission submission) {
        next = submission;
    }
}
