// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.Account;
import dev.millrace.bench.promise.CallStation;
import dev.millrace.bench.promise.Ledger;
import dev.millrace.bench.promise.OpenLoop;
import dev.millrace.bench.promise.Phase;
import dev.millrace.bench.promise.Questions;
import dev.millrace.bench.promise.Schedule;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.promise.Station;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/// Two priorities of one model under more requests than can be answered, by an open loop in this process; the shares of
/// two models on one agent; and clients over their limit.
///
/// Threads: one that generates, one agent, and those of a server. Ownership: it closes what it opens.
public final class Priorities implements AutoCloseable {
    /// What is measured again and again.
    ///
    /// @param high what is asked with the high priority, as a multiple of the capacity
    /// @param low the same of the low one
    record Trial(double high, double low) {}

    /// What one repeat of a trial found out.
    ///
    /// @param capacity requests per second of a closed loop just before
    /// @param alone what came of the high priority's requests without others
    /// @param high what came of them beside the low one's
    /// @param low what came of those
    record Result(double capacity, Account alone, Account high, Account low) {
        /// The part of the answers that the low priority got.
        double lowShare() {
            return low.good() / (double) Math.max(1, low.good() + high.good());
        }
    }

    /// All that was found out.
    ///
    /// @param model its name
    record Findings(
            String model,
            Map<Trial, List<Result>> trials,
            Map<Shares.Weights, List<Shares.Share>> shares,
            ClientLimits.Findings clients) {}

    static final int BATCH = 8;
    static final int QUEUE = 64;
    private static final int HIGH = 1;
    private static final int LOW = 2;
    /// As any answer is as good as another here.
    private static final long NO_BOUND = Long.MAX_VALUE;

    /// Multiplied by it and cut, requests' numbers are spread evenly and without a pattern.
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private final int rounds;
    private final long nanos;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final Fixture fixture = Fixture.open(BenchModels.named(BenchModels.STEADY));
    private final Millrace runtime;
    private final CallStation station;

    /// @param rounds times that everything is measured
    /// @param millis how long a closed loop is; an overload takes four times as long
    /// @param progress gets a line per trial
    public Priorities(int rounds, int millis, PrintStream progress, Server.Starter servers) {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000L;
        this.progress = progress;
        this.servers = servers;
        ModelConfig config = ModelConfig.DEFAULT
                .withMaxBatchSize(BATCH)
                .withMaxQueueSize(QUEUE)
                .withPriorities(2, LOW);
        runtime = Millrace.open(
                RuntimeConfig.DEFAULT.withAgents(1).withModel(fixture.name(), config), fixture.repository());
        station = new CallStation(runtime.model(fixture.name()), new Questions(fixture));
    }

    static List<Trial> trials() {
        return List.of(new Trial(0.5, 1), new Trial(0.5, 1.5), new Trial(1.5, 0.5));
    }

    /// Measures everything. The first round warms up and is not counted.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() throws IOException {
        return new PrioritiesReport(all());
    }

    Findings all() throws IOException {
        Map<Trial, List<Result>> results = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            for (Trial trial : trials()) {
                Result result = measure(trial, round == 0 ? nanos / 4 : nanos, round);
                if (round > 0) {
                    results.computeIfAbsent(trial, _ -> new ArrayList<>()).add(result);
                    progress.printf(
                            "priorities, round %d of %d: %.1f and %.1f of the capacity: high p99 %,d ns, low %.0f/s%n",
                            round,
                            rounds,
                            trial.high(),
                            trial.low(),
                            result.high().accepted().p99(),
                            result.low().goodput());
                }
            }
        }
        return new Findings(
                fixture.name(),
                results,
                Shares.measure(rounds, nanos, progress),
                ClientLimits.measure(4 * nanos, progress, servers));
    }

    private Result measure(Trial trial, long unit, long seed) {
        OpenLoop loop = new OpenLoop(station, System::nanoTime);
        station.timeout(Station.NO_TIMEOUT);
        station.priorities(_ -> HIGH);
        double capacity = loop.saturate(unit);
        Schedule alone = schedule(seed, trial.high() * capacity, unit);
        Account aloneAccount = account(loop.run(alone), alone, _ -> true);
        double part = trial.high() / (trial.high() + trial.low());
        IntPredicate high = request -> isHigh(request, part);
        station.priorities(request -> high.test(request) ? HIGH : LOW);
        Schedule both = schedule(seed, (trial.high() + trial.low()) * capacity, unit);
        Ledger ledger = loop.run(both);
        return new Result(capacity, aloneAccount, account(ledger, both, high), account(ledger, both, high.negate()));
    }

    /// The first phase fills the queues and is not counted.
    private static Schedule schedule(long seed, double rate, long nanos) {
        return Schedule.poisson(seed, new Phase(rate, nanos / 2), new Phase(rate, 4 * nanos));
    }

    private static Account account(Ledger ledger, Schedule schedule, IntPredicate which) {
        return Account.of(ledger, schedule.begin(1), schedule.end(1), NO_BOUND, which);
    }

    /// Whether a request is one of the high priority's, which are `part` of all.
    static boolean isHigh(int request, double part) {
        return ((request * SPREAD) >>> Integer.SIZE) * 0x1p-32 < part;
    }

    @Override
    public void close() {
        station.close();
        runtime.close();
        fixture.close();
    }
}
