// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A program that predicts in threads of all kinds and exits in the middle of it. Started by [JvmExitTest].
final class ExitingProgram {
    /// What goes on when the program exits.
    enum Scene {
        /// Threads that run the models themselves, platform and virtual.
        CALLERS,
        /// Agents run the models; futures and completions.
        ASYNC,
        /// The models are being loaded.
        LOADING,
        /// Another thread closes the runtime.
        CLOSING,
        /// A shutdown hook of the program closes the runtime, as frameworks do.
        CLOSING_HOOK
    }

    private static final CountDownLatch PREDICTED = new CountDownLatch(20);

    private ExitingProgram() {}

    /// Arguments: the scene, the repository, and how many microseconds to go on before it exits, or -1 to wait for a
    /// signal.
    public static void main(String[] arguments) throws InterruptedException {
        Scene scene = Scene.valueOf(arguments[0]);
        Path repository = Path.of(arguments[1]);
        long micros = Long.parseLong(arguments[2]);
        if (scene == Scene.LOADING) {
            start(false, () -> load(repository));
            awaitPredictions();
        } else {
            traffic(scene, Millrace.open(repository));
        }
        if (micros < 0) {
            Thread.currentThread().join();
        }
        LockSupport.parkNanos(micros * 1000);
        System.exit(0);
    }

    private static void load(Path repository) {
        while (true) {
            try {
                Millrace.open(repository).close();
                PREDICTED.countDown();
            } catch (IllegalStateException _) {
                return; // no runtime is opened while the JVM exits
            }
        }
    }

    private static void traffic(Scene scene, Millrace millrace) throws InterruptedException {
        for (ModelStatus status : millrace.status()) {
            Model model = millrace.model(status.model());
            for (int i = 0; i < 3; i++) {
                boolean virtual = i == 1;
                start(virtual, () -> predict(scene, model));
            }
        }
        awaitPredictions();
        if (scene == Scene.CLOSING) {
            start(false, millrace::close);
        } else if (scene == Scene.CLOSING_HOOK) {
            Runtime.getRuntime().addShutdownHook(new Thread(millrace::close));
        }
    }

    /// Goes on when everything is loaded and was used for a while, loading included.
    private static void awaitPredictions() throws InterruptedException {
        if (!PREDICTED.await(60, TimeUnit.SECONDS)) {
            System.exit(3);
        }
        System.out.println("ready");
    }

    private static void start(boolean virtual, Runnable body) {
        if (virtual) {
            Thread.ofVirtual().start(body);
        } else {
            Thread.ofPlatform().daemon().start(body);
        }
    }

    private static void predict(Scene scene, Model model) {
        SplittableRandom random = new SplittableRandom();
        while (true) {
            int rows = random.nextInt(1, 50);
            Request request = model.name().equals("mlp")
                    ? model.request().set("features", new float[rows * 64])
                    : model.request().set("x", new long[] {rows, 16}, new float[rows * 16]);
            try {
                if (scene == Scene.ASYNC) {
                    CompletableFuture.allOf(model.predictAsync(request), model.predictAsync(request))
                            .join();
                } else {
                    model.predict(request);
                }
                PREDICTED.countDown();
            } catch (RuntimeException _) {
                Thread.onSpinWait();
            }
        }
    }
}
