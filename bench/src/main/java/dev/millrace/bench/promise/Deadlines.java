// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.runtime.Turner;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/// How late a request that expires is told so, while one run holds the model for longer than its deadline: from the
/// deadline until its completion is called.
///
/// The model runs as long as its input says, and is run shortly many times before each long run, with deadlines that
/// are kept, so that nobody knows how long it will take and requests are accepted.
///
/// Threads: one, the runtime's one agent, and those that keep cores busy. Ownership: it closes what it opens.
public final class Deadlines implements AutoCloseable {
    /// Where requests are when they expire.
    enum Where {
        WAITING("waiting behind a long run"),
        RUNNING("in the long run itself");

        private final String title;

        Where(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /// @param saturated whether every core has something to do; else there is one that has not
    record Trial(Where where, boolean saturated) {}

    /// What came of a trial.
    ///
    /// @param late from the deadline to the completion, of those that expired
    /// @param refused requests that were not accepted
    /// @param answered requests that were answered after all
    /// @param free from the last deadline until another request was answered
    record Findings(Percentiles late, int refused, int answered, Percentiles free) {}

    /// All that was found out.
    ///
    /// @param runNanos how long a long run takes
    record All(long runNanos, int requests, Map<Trial, Findings> trials) {}

    private static final int REQUESTS = 64;
    private static final int SHORT_RUNS = 800;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int WARM_UPS = 5;
    private static final int PRODUCTS = 1000;
    private static final int CALIBRATIONS = 9;
    private static final long PAUSE_NANOS = 2_000_000;
    private static final double EARLIEST = 0.1;
    private static final double LATEST = 0.8;

    private final int rounds;
    private final long runNanos;
    private final PrintStream progress;
    private final Fixture fixture = Fixture.open(BenchModels.named(BenchModels.LOOP));
    private final Millrace runtime;
    private final List<Flight> flights = new ArrayList<>();
    private final Flight blocker;
    private final Call call;
    private final Turner turner;
    private final SplittableRandom random = new SplittableRandom(1);
    private final AtomicInteger open = new AtomicInteger();
    private final Map<Trial, Record> records = new LinkedHashMap<>();
    private float turns;

    /// @param rounds long runs of each kind
    /// @param millis how long a run is
    /// @param progress gets a line per trial
    public Deadlines(int rounds, int millis, PrintStream progress) {
        this.rounds = rounds;
        this.runNanos = millis * 1_000_000L;
        this.progress = progress;
        RuntimeConfig config = RuntimeConfig.DEFAULT.withAgents(1).withInlineBudget(Duration.ZERO);
        runtime = Millrace.open(config, fixture.repository());
        for (int i = 0; i < REQUESTS; i++) {
            flights.add(new Flight());
        }
        blocker = new Flight();
        call = runtime.model(fixture.name()).call();
        turner = runtime.turner();
    }

    /// Measures everything.
    public Section measure() {
        return new DeadlinesReport(all());
    }

    All all() {
        turns = calibrate();
        for (int round = -Math.min(WARM_UPS, rounds); round < rounds; round++) {
            if (round == 0) {
                records.clear();
            }
            for (boolean saturated : new boolean[] {false, true}) {
                try (Busy _ = new Busy(saturated ? Runtime.getRuntime().availableProcessors() - 1 : 0)) {
                    wait(records.computeIfAbsent(new Trial(Where.WAITING, saturated), _ -> new Record()));
                    run(records.computeIfAbsent(new Trial(Where.RUNNING, saturated), _ -> new Record()));
                }
            }
        }
        Map<Trial, Findings> trials = new LinkedHashMap<>();
        records.forEach((trial, record) -> {
            trials.put(trial, record.findings());
            progress.printf(
                    "deadlines: %s, %s: late p99 %.0f µs%n",
                    trial.where().title(),
                    trial.saturated() ? "no core free" : "a core free",
                    record.findings().late().p99() / 1e3);
        });
        return new All(runNanos, REQUESTS, trials);
    }

    /// How many products take as long as a run shall; by the median of runs, once code and caches are warm.
    private float calibrate() {
        long[] nanos = new long[CALIBRATIONS];
        for (int i = 0; i < 2 * CALIBRATIONS; i++) {
            nanos[i % CALIBRATIONS] = runLasting(PRODUCTS);
        }
        Arrays.sort(nanos);
        return PRODUCTS * (float) (runNanos / (double) nanos[CALIBRATIONS / 2]);
    }

    /// Requests that wait behind a run without a deadline.
    private void wait(Record record) {
        makeShort();
        blocker.submit(turns, Call.NO_TIMEOUT);
        LockSupport.parkNanos(PAUSE_NANOS);
        for (Flight flight : flights) {
            flight.submit(0, timeout());
        }
        awaitAll();
        flights.forEach(record::add);
    }

    /// Requests that are run together, one of which makes the run long.
    private void run(Record record) {
        makeShort();
        LockSupport.parkNanos(PAUSE_NANOS);
        for (Flight flight : flights) {
            flight.prepare(flight == flights.getFirst() ? turns : 0, timeout());
            flight.admission = turner.submit(flight.call, flight);
            flight.noteRefusal();
        }
        turner.turn();
        awaitAll();
        flights.forEach(record::add);
        long last = flights.stream().mapToLong(flight -> flight.deadline).max().orElseThrow();
        runLasting(0);
        record.free.add(System.nanoTime() - last);
    }

    private long timeout() {
        return (long) (runNanos * random.nextDouble(EARLIEST, LATEST));
    }

    private void makeShort() {
        for (int i = 0; i < SHORT_RUNS; i++) {
            runLasting(0);
        }
    }

    /// Runs a row alone and returns how long it took, in nanoseconds.
    private long runLasting(float products) {
        call.timeout(PATIENCE).input(0).putFloats(new float[] {products, 0, 0, 0});
        long start = System.nanoTime();
        if (call.run() != Outcome.OK) {
            throw new Gate.Refusal("a row was not answered: " + call.message(), null);
        }
        return System.nanoTime() - start;
    }

    private void awaitAll() {
        while (open.get() > 0) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    @Override
    public void close() {
        flights.forEach(flight -> flight.call.close());
        blocker.call.close();
        call.close();
        runtime.close();
        fixture.close();
    }

    /// One request of a round.
    private final class Flight implements Completion {
        private final Call call = runtime.model(fixture.name()).call();
        private long deadline;
        private Outcome admission;
        private volatile Outcome outcome;
        private volatile long ended;

        void submit(float products, long timeout) {
            prepare(products, timeout);
            admission = call.submit(this);
            noteRefusal();
        }

        void prepare(float products, long timeout) {
            call.input(0).putFloats(new float[] {products, 0, 0, 0});
            call.timeoutNanos(timeout);
            deadline = System.nanoTime() + timeout;
            open.incrementAndGet();
        }

        void noteRefusal() {
            if (admission != Outcome.OK) {
                open.decrementAndGet();
            }
        }

        @Override
        public void completed(Call told, Outcome how) {
            ended = System.nanoTime();
            outcome = how;
            open.decrementAndGet();
        }
    }

    /// All rounds of one trial.
    private static final class Record {
        private final List<Long> late = new ArrayList<>();
        private final List<Long> free = new ArrayList<>();
        private int refused;
        private int answered;

        void add(Flight flight) {
            if (flight.admission != Outcome.OK) {
                refused++;
            } else if (flight.outcome == Outcome.EXPIRED) {
                late.add(flight.ended - flight.deadline);
            } else if (flight.outcome == Outcome.OK) {
                answered++;
            } else {
                throw new Gate.Refusal("a request ended as " + flight.outcome, null);
            }
        }

        Findings findings() {
            return new Findings(Percentiles.of(longs(late)), refused, answered, Percentiles.of(longs(free)));
        }

        private static LongStream longs(List<Long> values) {
            return values.stream().mapToLong(Long::longValue);
        }
    }

    /// Threads that spin until it is closed.
    private static final class Busy implements AutoCloseable {
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean stopped;

        Busy(int cores) {
            for (int i = 0; i < cores; i++) {
                threads.add(Thread.ofPlatform().daemon().name("busy-" + i).start(() -> {
                    while (!stopped) {
                        Thread.onSpinWait();
                    }
                }));
            }
        }

        @Override
        public void close() {
            stopped = true;
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException(e);
                }
            }
        }
    }
}
