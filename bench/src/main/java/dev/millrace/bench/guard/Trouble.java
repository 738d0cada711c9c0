// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.Percentiles;
import dev.millrace.bench.promise.Questions;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/// A model that fails at every request for a while, asked once a millisecond, beside a light one that one thread asks
/// as fast as it is answered; one agent.
///
/// Threads: one asks the failing model, one the other. Ownership: it closes what it opens.
final class Trouble implements AutoCloseable {
    static final String LIGHT = BenchModels.MLP.name();
    /// The breaker's pauses are one second and then two: so the first probe fails, and the second is answered.
    static final long BAD_NANOS = 1_500_000_000L;

    static final int FAILURES = 5;
    private static final long PACE_NANOS = 1_000_000;
    private static final long MOST_NANOS = 20_000_000_000L;
    private static final int MOST_ANSWERS = 1 << 22;
    private static final int WARM_UPS = 20_000;

    private final boolean withBreaker;
    private final Fixture picky = Fixture.open(BenchModels.named(BenchModels.PICKY));
    private final Fixture light = Fixture.open(BenchModels.MLP);
    private final Millrace runtime;
    private final Call failing;
    private final float[] good;
    private final float[] bad;

    Trouble(boolean withBreaker) {
        this.withBreaker = withBreaker;
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withAgents(1)
                .withModel(picky.name(), ModelConfig.DEFAULT.withBreakerFailures(withBreaker ? FAILURES : 0));
        runtime = Millrace.open(config, picky.repository(), light.repository());
        failing = runtime.model(picky.name()).call();
        good = new Questions(picky).row(0);
        bad = good.clone();
        bad[0] = BenchModels.BAD;
    }

    /// @param badNanos for how long requests are bad after the first refusal, or in all without a breaker
    Failing.Troubles measure(long badNanos) {
        try (Asker asker = new Asker()) {
            asker.ask(WARM_UPS);
            Percentiles alone = asker.during(() -> pause(System.nanoTime() + 2 * badNanos));
            Course course = new Course(badNanos);
            Percentiles beside = asker.during(course);
            LaneStatistics statistics = runtime.statistics().stream()
                    .filter(each -> each.model().equals(picky.name()))
                    .findFirst()
                    .orElseThrow();
            return new Failing.Troubles(
                    withBreaker,
                    course.failedBefore,
                    course.probes,
                    Percentiles.of(course.refusals.stream().mapToLong(Long::longValue)),
                    course.goodAt - course.openedAt,
                    course.answeredAt == 0 ? 0 : course.answeredAt - course.openedAt,
                    statistics.breakerOpened(),
                    statistics.breakerOpen(),
                    alone,
                    beside);
        }
    }

    private static void pause(long until) {
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() {
        failing.close();
        runtime.close();
        picky.close();
        light.close();
    }

    /// Asks the failing model until it has answered.
    private final class Course implements Runnable {
        private final long badNanos;
        private final List<Long> probes = new ArrayList<>();
        private final List<Long> refusals = new ArrayList<>();
        private int failedBefore;
        private long openedAt;
        private long goodAt;
        private long answeredAt;

        Course(long badNanos) {
            this.badNanos = badNanos;
        }

        @Override
        public void run() {
            long end = System.nanoTime() + MOST_NANOS;
            openedAt = withBreaker ? 0 : System.nanoTime();
            for (long next = System.nanoTime(); answeredAt == 0 && next < end; next += PACE_NANOS) {
                pause(next);
                long now = System.nanoTime();
                if (goodAt == 0 && openedAt != 0 && now - openedAt > badNanos) {
                    goodAt = now;
                }
                failing.input(0).putFloats(goodAt == 0 ? bad : good);
                note(failing.run(), now, System.nanoTime());
            }
        }

        private void note(Outcome outcome, long asked, long now) {
            switch (outcome) {
                case OK -> answeredAt = now;
                case FAILED -> {
                    if (refusals.isEmpty()) {
                        failedBefore++;
                    } else {
                        probes.add(now - openedAt);
                    }
                }
                case UNAVAILABLE -> {
                    openedAt = refusals.isEmpty() ? now : openedAt;
                    refusals.add(now - asked);
                }
                default -> throw new Gate.Refusal("a request ended as " + outcome, null);
            }
        }
    }

    /// Asks the light model.
    private final class Asker implements AutoCloseable {
        private final Questions questions = new Questions(light);
        private final Call call = runtime.model(LIGHT).call();
        private final long[] nanos = new long[MOST_ANSWERS];
        private int count;
        private volatile boolean stopping;
        private volatile RuntimeException problem;

        void ask(int times) {
            count = 0;
            while (count < times) {
                ask();
            }
        }

        private void ask() {
            int request = count % questions.count();
            long begin = System.nanoTime();
            call.input(0).putFloats(questions.row(request));
            Outcome outcome = call.run();
            if (outcome != Outcome.OK
                    || !questions.isRight(request, call.output(0).getFloat(0))) {
                throw new Gate.Refusal("the other model's request ended as " + outcome + call.message(), null);
            }
            nanos[count++ % MOST_ANSWERS] = System.nanoTime() - begin;
        }

        /// Asks while something else is done, by a thread of its own.
        Percentiles during(Runnable other) {
            count = 0;
            stopping = false;
            Thread thread = Thread.ofPlatform().daemon().name("bench-failing").start(() -> {
                try {
                    other.run();
                } catch (RuntimeException e) {
                    problem = e;
                } finally {
                    stopping = true;
                }
            });
            while (!stopping) {
                ask();
            }
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            if (problem != null) {
                throw problem;
            }
            return Percentiles.of(LongStream.of(nanos).limit(count));
        }

        @Override
        public void close() {
            call.close();
        }
    }
}
