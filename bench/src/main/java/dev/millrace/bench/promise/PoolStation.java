// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.runtime.Outcome;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// What one would write without a runtime: an executor of one thread with a bounded queue before ONNX Runtime's Java
/// API. A task whose deadline has passed when its turn comes is dropped.
///
/// Threads: the generator's, and the executor's one. Ownership: it ends its executor.
final class PoolStation implements Station {
    private static final long END_SECONDS = 60;

    private final Questions questions;
    private final Contestant contestant;
    private final ThreadPoolExecutor executor;
    private long timeout = NO_TIMEOUT;

    /// @param queue tasks that may wait
    PoolStation(Fixture fixture, Questions questions, int queue) {
        this.questions = questions;
        this.contestant = fixture.contestant(Route.ORT_PINNED, 1);
        this.executor = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(queue));
    }

    @Override
    public void timeout(long nanos) {
        timeout = nanos;
    }

    @Override
    public Outcome submit(Ledger ledger, int request) {
        long submitted = System.nanoTime();
        long left = timeout;
        try {
            executor.execute(() -> run(ledger, request, submitted, left));
            return Outcome.OK;
        } catch (RejectedExecutionException _) {
            return Outcome.OVERLOADED;
        }
    }

    private void run(Ledger ledger, int request, long submitted, long left) {
        if (System.nanoTime() - submitted >= left) {
            ledger.ended(request, Outcome.EXPIRED, System.nanoTime());
            return;
        }
        try {
            contestant.run(request % questions.count());
            float answer = ((float[]) contestant.answers().getFirst().array())[0];
            long now = System.nanoTime();
            if (!questions.isRight(request, answer)) {
                ledger.wrong();
            }
            ledger.ended(request, Outcome.OK, now);
        } catch (RuntimeException _) {
            ledger.ended(request, Outcome.FAILED, System.nanoTime());
        }
    }

    @Override
    public void idle() {
        Thread.onSpinWait();
    }

    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("a run does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        contestant.close();
    }
}
