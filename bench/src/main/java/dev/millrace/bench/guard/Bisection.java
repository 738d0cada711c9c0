// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.Percentiles;
import dev.millrace.bench.promise.Questions;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.runtime.Turner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/// Batches of 64 requests of one row, some of which fail: by turns without bad rows and with some at random places.
/// They are submitted together and handed to the one agent, which was parked. Threads: one, and the agent.
final class Bisection implements AutoCloseable {
    static final String MODEL = BenchModels.PICKY;
    static final int BATCH = 64;
    static final int[] BAD_ROWS = {1, 2, 8};

    private static final long PAUSE_NANOS = 2_000_000;
    private static final int WARM_UPS = 30;
    private static final long SEED = 1;

    private final Fixture fixture = Fixture.open(BenchModels.named(MODEL));
    private final Questions questions = new Questions(fixture);
    private final Millrace runtime;
    private final Turner turner;
    private final List<Flight> flights = new ArrayList<>();
    private final AtomicInteger open = new AtomicInteger();
    private final SplittableRandom random = new SplittableRandom(SEED);

    Bisection() {
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withAgents(1)
                .withInlineBudget(Duration.ZERO)
                .withModel(MODEL, ModelConfig.DEFAULT.withMaxBatchSize(BATCH).withBreakerFailures(0));
        runtime = Millrace.open(config, fixture.repository());
        turner = runtime.turner();
        for (int i = 0; i < BATCH; i++) {
            flights.add(new Flight(runtime.model(MODEL).call(), i));
        }
    }

    /// @param count batches with bad rows of each kind, and without
    Map<Integer, Failing.Batches> measure(int count) {
        for (int i = 0; i < Math.min(WARM_UPS, count); i++) {
            run(0);
            run(1);
        }
        Map<Integer, Failing.Batches> all = new LinkedHashMap<>();
        for (int bad : BAD_ROWS) {
            all.put(bad, measure(count, bad));
        }
        return all;
    }

    private Failing.Batches measure(int count, int bad) {
        long[] healthy = new long[count];
        long[] failing = new long[count];
        int answered = 0;
        int failedMates = 0;
        long splits = 0;
        for (int i = 0; i < count; i++) {
            healthy[i] = run(0);
            if (flights.stream().anyMatch(flight -> flight.outcome != Outcome.OK)) {
                throw new Gate.Refusal("a good row failed in a batch of good ones", null);
            }
            long before = splits();
            failing[i] = run(bad);
            splits += splits() - before;
            for (Flight flight : flights) {
                if (flight.bad && flight.outcome != Outcome.FAILED) {
                    throw new Gate.Refusal("a bad row ended as " + flight.outcome, null);
                }
                answered += !flight.bad && flight.outcome == Outcome.OK ? 1 : 0;
                failedMates += !flight.bad && flight.outcome == Outcome.FAILED ? 1 : 0;
            }
        }
        return new Failing.Batches(
                count,
                answered,
                failedMates,
                splits,
                Percentiles.of(LongStream.of(healthy)),
                Percentiles.of(LongStream.of(failing)));
    }

    private long splits() {
        return runtime.statistics().getFirst().splits();
    }

    /// Has a batch run and returns how long it took until the last request was told.
    private long run(int bad) {
        // So that the agent is parked, and takes all of them together.
        LockSupport.parkNanos(PAUSE_NANOS);
        Collections.shuffle(flights, random);
        for (int i = 0; i < BATCH; i++) {
            flights.get(i).fill(i < bad);
        }
        Collections.shuffle(flights, random);
        open.set(BATCH);
        for (Flight flight : flights) {
            if (turner.submit(flight.call, flight) != Outcome.OK) {
                throw new Gate.Refusal("a row was refused: " + flight.call.message(), null);
            }
        }
        long start = System.nanoTime();
        turner.turn();
        while (open.get() > 0) {
            Thread.onSpinWait();
        }
        return System.nanoTime() - start;
    }

    @Override
    public void close() {
        flights.forEach(flight -> flight.call.close());
        runtime.close();
        fixture.close();
    }

    /// One of a batch's requests.
    private final class Flight implements Completion {
        private final Call call;
        private final int request;
        private boolean bad;
        private volatile Outcome outcome;

        Flight(Call call, int request) {
            this.call = call;
            this.request = request;
        }

        void fill(boolean isBad) {
            bad = isBad;
            float[] row = questions.row(request).clone();
            if (bad) {
                row[request % row.length] = BenchModels.BAD;
            }
            call.input(0).putFloats(row);
        }

        @Override
        public void completed(Call told, Outcome how) {
            if (how == Outcome.OK && !questions.isRight(request, told.output(0).getFloat(0))) {
                outcome = Outcome.INVALID;
            } else {
                outcome = how;
            }
            open.decrementAndGet();
        }
    }
}
