// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/// Waits for SIGTERM or SIGINT. They are taken as signals and not in a shutdown hook, because native libraries have
/// hooks of their own, which would pull the ground from under requests in flight. The second signal ends the process at
/// once; so does the first before anything is served, since a load cannot be called off, and nobody waits for it.
///
/// SIGTERM is how an orchestrator stops a process, whose clients have to learn of it first; SIGINT comes from somebody
/// at a terminal.
///
/// Where the JVM has no signals to offer, a shutdown hook has to do.
final class Signals {
    private static final List<String> NAMES = List.of("TERM", "INT");
    private static final int EXIT_AT_ONCE = 1;
    private static final int EXIT_BEFORE_READY = 0;

    private static final String POLITE = "TERM";

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicReference<State> state = new AtomicReference<>(State.STARTING);
    private final Runnable beforeReady;
    private volatile boolean polite;

    private enum State {
        STARTING,
        SERVING,
        STOPPING
    }

    private Signals(Runnable beforeReady) {
        this.beforeReady = beforeReady;
    }

    /// @param beforeReady told if the process is asked to stop before it serves; then it ends
    static Signals install(Runnable beforeReady) {
        Signals signals = new Signals(beforeReady);
        try {
            signals.handle();
        } catch (ReflectiveOperationException | IllegalArgumentException _) {
            Runtime.getRuntime().addShutdownHook(new Thread(signals::hook, "millrace-stop"));
        }
        return signals;
    }

    /// By reflection: the class is not part of Java SE, and the compiler would complain about it.
    private void handle() throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        for (String name : NAMES) {
            Object onSignal =
                    Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (_, method, _) -> {
                        if (method.getName().equals("handle")) {
                            received(name);
                        }
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), onSignal);
        }
    }

    private void received(String name) {
        if (state.compareAndSet(State.STARTING, State.STOPPING)) {
            try {
                beforeReady.run();
            } finally {
                Runtime.getRuntime().halt(EXIT_BEFORE_READY);
            }
        }
        if (state.compareAndSet(State.SERVING, State.STOPPING)) {
            polite = name.equals(POLITE);
            asked.countDown();
        } else {
            Runtime.getRuntime().halt(EXIT_AT_ONCE);
        }
    }

    private void hook() {
        if (state.compareAndSet(State.STARTING, State.STOPPING)) {
            beforeReady.run();
            return;
        }
        asked.countDown();
        try {
            done.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// From now on there may be clients: it stops when they are answered. To be called before the first is let in. If
    /// the process was told to stop already, this does not return: it is about to end.
    void serving() {
        if (state.compareAndSet(State.STARTING, State.SERVING)) {
            return;
        }
        try {
            asked.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits until the process is asked to stop.
    ///
    /// @return whether there is time to tell its clients
    boolean await() throws InterruptedException {
        asked.await();
        return polite;
    }

    /// Everything is stopped.
    void done() {
        done.countDown();
    }
}
