// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.ProcessLimits;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/// Work that yields to everything else: a thread of the lowest priority does it, and whoever wants it done waits. What
/// that thread starts, be it threads or processes, is of its priority for good; so what is to outlast the work is made
/// by the one who waits, who is of the priority that it ever had.
///
/// Threads: any.
final class Aside {
    private static final ScopedValue<Aside> CURRENT = ScopedValue.newInstance();
    private static final Runnable END = () -> {};

    /// An errand, which its sender waits for, and the end; it takes no memory to add to it.
    private final BlockingQueue<Runnable> errands = new ArrayBlockingQueue<>(2);

    private Aside() {}

    /// Has work done aside, and waits for it, also if the caller is interrupted: it cannot be left alone.
    static <T> T run(Supplier<T> work) {
        Aside aside = new Aside();
        FutureTask<T> task = new FutureTask<>(() -> {
            ProcessLimits.lowerThread();
            return ScopedValue.where(CURRENT, aside).call(work::get);
        });
        Thread.ofPlatform().daemon().name("millrace-load").start(() -> {
            try {
                task.run();
            } finally {
                aside.errands.add(END);
            }
        });
        boolean interrupted = aside.serve();
        try {
            return result(task);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Has a part of what is done aside done by the thread that waits for it; otherwise by the caller.
    static <T> T byWhoWaits(Supplier<T> part) {
        if (!CURRENT.isBound()) {
            return part.get();
        }
        FutureTask<T> task = new FutureTask<>(part::get);
        CURRENT.get().errands.add(task);
        return result(task);
    }

    /// Does what it is asked for until the work has ended; returns whether it was interrupted meanwhile.
    @SuppressWarnings("ReferenceEquality") // the end is this one object
    private boolean serve() {
        boolean interrupted = false;
        while (true) {
            try {
                Runnable errand = errands.take();
                if (errand == END) {
                    return interrupted;
                }
                errand.run();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
    }

    private static <T> T result(FutureTask<T> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
