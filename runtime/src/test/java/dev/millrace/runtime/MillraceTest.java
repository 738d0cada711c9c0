// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.NativeMemory;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MillraceTest {
    private static final RuntimeConfig AGENTS_ONLY =
            RuntimeConfig.DEFAULT.withInlineBudget(Duration.ZERO).withAgents(1);

    private final long before = NativeMemory.used();

    @TempDir
    Path root;

    @AfterEach
    void assertNothingLeaked() {
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private static Request shapes(Model model, float value) {
        return model.request().set("x", new long[] {1, 1}, new float[] {value});
    }

    /// Occupies the one agent until it is let go, so that what comes after waits.
    private static final class Blocker implements AutoCloseable {
        private final Call call;
        private final Semaphore gate = new Semaphore(0);
        private final CountDownLatch entered = new CountDownLatch(1);

        Blocker(Model model) throws InterruptedException {
            call = model.call();
            call.input(0).reshape(1, 1);
            Outcome admission = call.submit((_, _) -> {
                entered.countDown();
                gate.acquireUninterruptibly();
            });
            assertThat(admission).isEqualTo(Outcome.OK);
            entered.await();
        }

        @Override
        public void close() {
            gate.release();
        }

        void free() {
            call.close();
        }
    }

    @Test
    void shouldFailToOpenWhenARepositoryIsNotAFolder() {
        assertThatThrownBy(() -> Millrace.open(root.resolve("missing")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("cannot read model repository");
    }

    @Test
    void shouldSayWhatThereIsWhenAModelIsUnknown() {
        try (Millrace millrace = Millrace.open(TestModels.repository(root, "scalar"))) {
            assertThatThrownBy(() -> millrace.model("nope"))
                    .isInstanceOf(InferenceException.class)
                    .hasMessage("model 'nope' is not in the repository; it has [scalar]")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.NOT_FOUND);
        }
    }

    @Test
    void shouldAnswerAsynchronouslyWhenAsked() throws Exception {
        try (Millrace millrace = Millrace.open(TestModels.repository(root, "mlp", "variable_shapes"))) {
            Model mlp = millrace.model("mlp");
            Request request = mlp.request().set("features", new float[64]);
            float expected = mlp.predict(request).floats("score")[0];
            assertThat(mlp.predictAsync(request).get().floats("score")).containsExactly(expected);
            Model shapes = millrace.model("variable_shapes");
            assertThat(shapes.predictAsync(shapes(shapes, 4)).get().floats("total"))
                    .containsExactly(8);
        }
    }

    @Test
    void shouldRunDependentsElsewhereWhenAFutureCompletes() throws Exception {
        try (Millrace millrace = Millrace.open(AGENTS_ONLY, TestModels.repository(root, "variable_shapes"))) {
            Model model = millrace.model("variable_shapes");
            String thread = model.predictAsync(shapes(model, 1))
                    .thenApply(_ -> Thread.currentThread().getName())
                    .get();
            assertThat(thread).doesNotStartWith("millrace-");
        }
    }

    @Test
    void shouldCancelTheRequestWhenItsFutureIsCancelled() throws Exception {
        try (Millrace millrace = Millrace.open(AGENTS_ONLY, TestModels.repository(root, "variable_shapes"))) {
            Model model = millrace.model("variable_shapes");
            Blocker blocker = new Blocker(model);
            CompletableFuture<Prediction> cancelled = model.predictAsync(shapes(model, 1));
            CompletableFuture<Prediction> other = model.predictAsync(shapes(model, 2));

            assertThat(cancelled.cancel(true)).isTrue();

            LaneStatistics statistics = millrace.statistics().getFirst();
            assertThat(statistics.ended()).containsEntry(Outcome.CANCELLED, 1L);
            blocker.close();
            assertThat(other.get().floats("total")).containsExactly(4);
            assertThatThrownBy(cancelled::get).isInstanceOf(CancellationException.class);
            assertThat(cancelled.cancel(true)).as("already").isTrue();
            assertThat(other.cancel(true)).as("too late").isFalse();
            blocker.free();
        }
    }

    @Test
    void shouldNotTouchAnotherRequestWhenARefusedFutureIsCancelled() throws Exception {
        RuntimeConfig tiny = AGENTS_ONLY.withQueueRows(2);
        try (Millrace millrace = Millrace.open(tiny, TestModels.repository(root, "variable_shapes"))) {
            Model model = millrace.model("variable_shapes");
            Blocker blocker = new Blocker(model);
            // The blocker's slot is free when its completion is called: there are two.
            CompletableFuture<Prediction> waiting = model.predictAsync(shapes(model, 1));
            CompletableFuture<Prediction> last = model.predictAsync(shapes(model, 1));
            CompletableFuture<Prediction> refused = model.predictAsync(shapes(model, 2));
            assertThatThrownBy(refused::get)
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.OVERLOADED);
            blocker.close();
            waiting.get();
            last.get();
            // All calls are in the pool now; one of them was the refused one's.
            blocker.free();
            Blocker second = new Blocker(model);
            CompletableFuture<Prediction> present = model.predictAsync(shapes(model, 3));

            assertThat(refused.cancel(true)).isFalse();

            second.close();
            assertThat(present.get().floats("total")).containsExactly(6);
            second.free();
        }
    }

    @Test
    void shouldExpireWhenTheTimeoutIsOverInTheQueue() throws Exception {
        try (Millrace millrace = Millrace.open(AGENTS_ONLY, TestModels.repository(root, "variable_shapes"))) {
            Model model = millrace.model("variable_shapes");
            Blocker blocker = new Blocker(model);
            Request request = shapes(model, 1).timeout(Duration.ofMillis(1));

            assertThatThrownBy(() -> model.predict(request))
                    .isInstanceOf(InferenceException.class)
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.EXPIRED);
            CompletableFuture<Prediction> later = model.predictAsync(request);
            assertThatThrownBy(later::get)
                    .cause()
                    .hasMessage("the deadline of the request to model 'variable_shapes' version 1 passed");
            // The pooled calls keep no timeout.
            CompletableFuture<Prediction> unlimited = model.predictAsync(shapes(model, 5));
            blocker.close();
            assertThat(unlimited.get().floats("total")).containsExactly(10);
            blocker.free();
        }
    }

    @Test
    void shouldAnswerWhatWaitsWhenClosed() throws Exception {
        Millrace millrace = Millrace.open(AGENTS_ONLY, TestModels.repository(root, "variable_shapes"));
        Model model = millrace.model("variable_shapes");
        Blocker blocker = new Blocker(model);
        List<CompletableFuture<Prediction>> waiting = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            waiting.add(model.predictAsync(shapes(model, i)));
        }
        blocker.close();

        millrace.close();

        for (int i = 0; i < 10; i++) {
            assertThat(waiting.get(i).get().floats("total")).containsExactly(2 * i);
        }
        assertThat(millrace.isOpen()).isFalse();
        assertThat(millrace.statistics().getFirst().inFlight()).isZero();
        assertThatThrownBy(() -> model.predict(shapes(model, 1)))
                .hasMessage("model 'variable_shapes' version 1 is closed")
                .extracting(e -> ((InferenceException) e).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        assertThatThrownBy(model.predictAsync(shapes(model, 1))::get)
                .cause()
                .extracting(e -> ((InferenceException) e).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        assertThat(millrace.status().getFirst().metadata()).containsEntry("purpose", "variable_shapes");
        millrace.close();
        blocker.free();
    }

    @Test
    void shouldEndWhatWaitsAsUnavailableWhenItDoesNotDrainInTime() throws Exception {
        RuntimeConfig hurried = AGENTS_ONLY.withDrainTimeout(Duration.ofMillis(1));
        Millrace millrace = Millrace.open(hurried, TestModels.repository(root, "variable_shapes"));
        Model model = millrace.model("variable_shapes");
        Blocker blocker = new Blocker(model);
        CompletableFuture<Prediction> waiting = model.predictAsync(shapes(model, 1));
        Thread closer = Thread.ofPlatform().start(millrace::close);
        // The lane is not idle before the blocker is let go, which is not before the drain has timed out.
        while (!isAbandoning(closer)) {
            Thread.onSpinWait();
        }
        blocker.close();
        closer.join();

        assertThatThrownBy(waiting::get)
                .cause()
                .extracting(e -> ((InferenceException) e).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        blocker.free();
    }

    private static boolean isAbandoning(Thread closer) {
        for (StackTraceElement frame : closer.getStackTrace()) {
            if (frame.getMethodName().equals("abandon")) {
                return true;
            }
        }
        return false;
    }

    @Test
    void shouldLeakNothingWhenClosedDuringTraffic() throws Exception {
        for (int round = 0; round < 5; round++) {
            Path repository = root.resolve("round" + round);
            Millrace millrace = Millrace.open(
                    RuntimeConfig.DEFAULT.withAgents(2), TestModels.repository(repository, "mlp", "variable_shapes"));
            Model mlp = millrace.model("mlp");
            Model shapes = millrace.model("variable_shapes");
            AtomicInteger answered = new AtomicInteger();
            try (ExecutorService threads = Executors.newCachedThreadPool()) {
                List<Future<?>> loops = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    boolean rows = i % 2 == 0;
                    loops.add(threads.submit(() -> untilUnavailable(rows ? mlp : shapes, rows, answered)));
                }
                while (answered.get() < 300) {
                    Thread.onSpinWait();
                }
                millrace.close();
                for (Future<?> loop : loops) {
                    loop.get();
                }
            }
            millrace.statistics().forEach(MillraceTest::assertConserved);
            assertThat(NativeMemory.used()).isEqualTo(before);
        }
    }

    private static void untilUnavailable(Model model, boolean rows, AtomicInteger answered) {
        Request request = rows ? model.request().set("features", new float[128]) : shapes(model, 1);
        while (true) {
            try {
                model.predict(request);
                answered.getAndIncrement();
            } catch (InferenceException e) {
                if (e.outcome() == Outcome.UNAVAILABLE) {
                    return;
                }
                // While the thread of one run is off the processor the others may go once round the ring.
                if (e.outcome() != Outcome.OVERLOADED) {
                    throw e;
                }
            }
        }
    }

    static void assertConserved(LaneStatistics statistics) {
        assertThat(statistics.inFlight()).isZero();
        assertThat(statistics.ended().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(statistics.accepted());
        assertThat(statistics.queued()).isGreaterThanOrEqualTo(0);
    }

    @Test
    void shouldAnswerEachItsOwnWhenVirtualThreadsAsk() throws Exception {
        try (Millrace millrace = Millrace.open(TestModels.repository(root, "two_inputs", "variable_shapes"))) {
            Model two = millrace.model("two_inputs");
            Model shapes = millrace.model("variable_shapes");
            AtomicReference<Throwable> problem = new AtomicReference<>();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 500; i++) {
                    int value = i;
                    threads.execute(() -> askBoth(two, shapes, value, problem));
                }
            }
            assertThat(problem.get()).isNull();
            millrace.statistics().forEach(MillraceTest::assertConserved);
        }
    }

    private static void askBoth(Model two, Model shapes, int value, AtomicReference<Throwable> problem) {
        try {
            Request request =
                    two.request().set("a", new float[] {value, 0, 0, 0}).set("b", new int[] {1});
            assertThat(two.predict(request).floats("sum")[0]).isEqualTo(value + 1f);
            assertThat(shapes.predict(shapes(shapes, value)).floats("total")[0]).isEqualTo(2f * value);
        } catch (Throwable t) {
            if (!isOverload(t)) {
                problem.set(t);
            }
        }
    }

    private static boolean isOverload(Throwable thrown) {
        return thrown instanceof InferenceException e && e.outcome() == Outcome.OVERLOADED;
    }

    @Test
    void shouldServeAnEventLoopWhenItTurnsByItself() {
        try (Millrace millrace = Millrace.open(TestModels.repository(root, "mlp"))) {
            Turner turner = millrace.turner();
            Model mlp = millrace.model("mlp");
            List<Call> calls = new ArrayList<>();
            AtomicInteger done = new AtomicInteger();
            for (int i = 0; i < 20; i++) {
                Call call = mlp.call();
                calls.add(call);
                assertThat(turner.submit(call, (_, _) -> done.getAndIncrement()))
                        .isEqualTo(Outcome.OK);
            }
            turner.turn();
            while (done.get() < 20) {
                Thread.onSpinWait();
            }
            assertThat(calls).allMatch(call -> call.outcome() == Outcome.OK);
            calls.forEach(Call::close);
        }
    }
}
