// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/// Waits for SIGTERM or SIGINT. They are taken as signals and not in a shutdown hook, because native libraries have
/// hooks of their own, which would pull the ground from under requests in flight. The second signal ends the process at
/// once.
///
/// Where the JVM has no signals to offer, a shutdown hook has to do.
final class Signals {
    private static final List<String> NAMES = List.of("TERM", "INT");
    private static final int EXIT_AT_ONCE = 1;

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicBoolean first = new AtomicBoolean(true);

    private Signals() {}

    static Signals install() {
        Signals signals = new Signals();
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
        Object onSignal = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (_, method, _) -> {
            if (method.getName().equals("handle")) {
                received();
            }
            return null;
        });
        for (String name : NAMES) {
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), onSignal);
        }
    }

    private void received() {
        if (first.compareAndSet(true, false)) {
            asked.countDown();
        } else {
            Runtime.getRuntime().halt(EXIT_AT_ONCE);
        }
    }

    private void hook() {
        asked.countDown();
        try {
            done.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits until the process is asked to stop.
    void await() throws InterruptedException {
        asked.await();
    }

    /// Everything is stopped.
    void done() {
        done.countDown();
    }
}
