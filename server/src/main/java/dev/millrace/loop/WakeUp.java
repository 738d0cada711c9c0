// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.memory.Hot;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Turner;
import io.netty.channel.SingleThreadEventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/// What one event loop does with the requests that its sockets brought in one wake-up: it submits them together, then
/// turns the wheel once, and lets those that ended be answered.
///
/// Threads: the event loop's, but for [#ended(Submission)]. Calls that another thread ended come back over a list that
/// any thread may put a submission on; whoever finds it empty wakes the loop.
public final class WakeUp {
    private final SingleThreadEventLoop executor;
    private final Turner turner;
    private final List<Submission> decoded = new ArrayList<>();
    private final ArrayDeque<Submission> endedHere = new ArrayDeque<>();
    private final AtomicReference<Submission> endedElsewhere = new AtomicReference<>();
    /// Their stored values are on their way.
    private final Set<Submission> fetching = new HashSet<>();
    private final Runnable wakeUpEnds = this::wakeUpEnds;
    private final Runnable takeEnded = this::takeEnded;
    private Runnable[] lastActions = {};
    private boolean endAwaited;

    /// @param executor the event loop
    public WakeUp(SingleThreadEventLoop executor, Millrace millrace) {
        this.executor = executor;
        this.turner = millrace.turner();
    }

    /// Has every wake-up end with `action` that submitted something, or was awaited to end. For front ends that collect
    /// what they write.
    public void endsWith(Runnable action) {
        lastActions = Arrays.copyOf(lastActions, lastActions.length + 1);
        lastActions[lastActions.length - 1] = action;
    }

    /// Submits a request at the end of the wake-up, unless it was dropped by then. In both cases it ends.
    public void submit(Submission submission) {
        decoded.add(submission);
        awaitEnd();
    }

    /// Does something on the event loop, later. Any thread may ask.
    public void execute(Runnable action) {
        executor.execute(action);
    }

    /// Makes sure that the end of this wake-up is noticed.
    public void awaitEnd() {
        if (!endAwaited) {
            endAwaited = true;
            executor.executeAfterEventLoopIteration(wakeUpEnds);
        }
    }

    @Hot
    private void wakeUpEnds() {
        try {
            submitDecoded();
            turner.turn();
            finishEnded();
        } finally {
            endAwaited = false;
            for (Runnable action : lastActions) {
                action.run();
            }
            if (!decoded.isEmpty() || !endedHere.isEmpty()) {
                // Answers that went out made room for requests that had come already, or one of them broke off.
                awaitEnd();
            }
        }
    }

    @Hot
    private void submitDecoded() {
        int count = decoded.size();
        for (int i = 0; i < count; i++) {
            submitNow(decoded.get(i));
        }
        decoded.clear();
    }

    @Hot
    private void submitNow(Submission submission) {
        if (submission.isDropped()) {
            submission.release();
            return;
        }
        if (submission.call().isRemote()) {
            fetch(submission);
        } else {
            enter(submission);
        }
    }

    @Hot
    private void enter(Submission submission) {
        Outcome admission = turner.submit(submission.call(), submission);
        if (admission != Outcome.OK) {
            submission.refused(admission);
            endedHere.add(submission);
        }
    }

    /// Fetches stored values that are far away; the request is submitted when they are here.
    private void fetch(Submission submission) {
        fetching.add(submission);
        submission.call().fetch().whenComplete((_, _) -> {
            try {
                executor.execute(() -> fetched(submission));
            } catch (RejectedExecutionException e) {
                // The loop has ended, and took the request back.
            }
        });
    }

    private void fetched(Submission submission) {
        if (!fetching.remove(submission)) {
            return;
        }
        if (submission.isDropped()) {
            submission.release();
        } else {
            enter(submission);
            awaitEnd();
        }
    }

    /// The submission's call has ended. From any thread, which gives the submission away.
    @Hot
    void ended(Submission submission) {
        if (executor.inEventLoop()) {
            endedHere.add(submission);
            awaitEnd();
            return;
        }
        Submission before;
        do {
            before = endedElsewhere.get();
            submission.next(before);
        } while (!endedElsewhere.compareAndSet(before, submission));
        if (before == null) {
            executor.execute(takeEnded);
        }
    }

    /// Takes over what other threads ended, in the order of their ends.
    private void takeEnded() {
        Submission last = endedElsewhere.getAndSet(null);
        Submission first = null;
        while (last != null) {
            Submission before = last.next();
            last.next(first);
            first = last;
            last = before;
        }
        while (first != null) {
            Submission following = first.next();
            first.next(null);
            endedHere.add(first);
            first = following;
        }
        awaitEnd();
    }

    @Hot
    private void finishEnded() {
        for (Submission ended = endedHere.poll(); ended != null; ended = endedHere.poll()) {
            ended.callEnded();
        }
    }

    /// Takes back what is left. The runtime is closed, so that nothing is in flight.
    public void close() {
        takeEnded();
        finishEnded();
        decoded.forEach(Submission::release);
        decoded.clear();
        fetching.forEach(Submission::release);
        fetching.clear();
    }
}
