// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The thread that changes models when somebody asks for it: loading one takes seconds, which an event loop does not
/// have. One change after the other, in the order in which they were asked for; a few may wait.
///
/// Threads: any may ask; answers come from the thread that changes.
final class ModelChanges implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelChanges.class);
    /// More that wait are nobody's intention.
    static final int MAX_WAITING = 16;

    private final ThreadPoolExecutor executor = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform()
                    .daemon()
                    .name("millrace-models")
                    .priority(Thread.MIN_PRIORITY)
                    .factory());

    /// Does something later.
    ///
    /// @return ends with what the change gave, or a [ManagementException] with what its sender may be told
    <T> CompletionStage<T> submit(Supplier<T> change) {
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            executor.execute(() -> run(change, done));
        } catch (RejectedExecutionException _) {
            done.completeExceptionally(
                    executor.isShutdown()
                            ? stopping()
                            : new ManagementException(
                                    Problem.UNAVAILABLE,
                                    MAX_WAITING + " changes of models wait already; try again later"));
        }
        return done;
    }

    private static ManagementException stopping() {
        return new ManagementException(Problem.UNAVAILABLE, "the server is about to stop");
    }

    private <T> void run(Supplier<T> change, CompletableFuture<T> done) {
        if (executor.isShutdown()) {
            done.completeExceptionally(stopping());
            return;
        }
        try {
            done.complete(change.get());
        } catch (OutOfMemoryError e) {
            LOG.error("there is not enough memory for a change of models", e);
            done.completeExceptionally(new ManagementException(
                    Problem.UNAVAILABLE, "there is not enough memory for this change of models"));
        } catch (RuntimeException | Error e) {
            done.completeExceptionally(e);
        }
    }

    /// Takes no more changes, and waits for the one in progress. Those that wait are refused.
    void close(Duration patience) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.warn("a change of models did not end within {} s", patience.toSeconds());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
