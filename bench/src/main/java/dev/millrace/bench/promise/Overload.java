// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.RuntimeConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// More requests than can be answered, in this process: an open loop at parts and multiples of the capacity, which the
/// same generator measures just before as a closed loop.
///
/// The generator's thread spins on one core and one agent runs the model on another, so that the generator is not late
/// because the model is busy; the capacity is what is left for the model then.
///
/// Threads: one, and the runtimes'. Ownership: it closes what it opens.
public final class Overload implements AutoCloseable {
    /// Who is asked.
    enum Who {
        /// As it comes, told each request's deadline.
        DEADLINES("Millrace, told the deadlines"),
        /// The same, told nothing.
        DEEP_QUEUE("Millrace, told nothing, queue of 1024 rows"),
        /// With a queue that takes no longer than the deadline.
        SHORT_QUEUE("Millrace, told nothing, queue of 32 rows, batches of 8"),
        POOL("`ThreadPoolExecutor`, queue of 32, ONNX Runtime Java");

        private final String title;

        Who(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /// What is measured again and again.
    ///
    /// @param bound the deadline, and what an answer must keep to be good
    /// @param load the overload as a multiple of the capacity
    record Trial(Who who, Duration bound, double load) {}

    /// What one repeat of a trial found out.
    ///
    /// @param capacity requests per second of a closed loop, the better of one just before and one just after
    /// @param capacityBefore of the one before, which the load is a multiple of
    /// @param before what came of half the capacity
    /// @param during what came of the load
    /// @param recoveryNanos from its end until all was as before; [Recovery#NEVER] if that was not seen
    record Result(double capacity, double capacityBefore, Account before, Account during, long recoveryNanos) {
        /// Answers in time as a part of the capacity.
        double goodput() {
            return during.goodput() / capacity;
        }
    }

    /// MiB of this process.
    ///
    /// @param resident in RAM
    /// @param owned native memory that the runtimes count
    record Memory(double resident, double owned) {
        static Memory now() {
            String kibibytes = Machine.firstValue(Path.of("/proc/self/status"), "VmRSS", "NaN kB");
            return new Memory(
                    Double.parseDouble(kibibytes.replace("kB", "").strip()) / 1024,
                    NativeMemory.used() / (double) (1 << 20));
        }
    }

    /// All that was found out.
    ///
    /// @param model its name
    /// @param before memory before the first load that counts
    /// @param after memory after the last
    record Findings(String model, Map<Trial, List<Result>> trials, Memory before, Memory after) {}

    static final double USUAL = 0.5;

    private static final Duration TIGHT = Duration.ofMillis(10);
    private static final Duration WIDE = Duration.ofMillis(50);
    private static final int QUEUE = 32;
    private static final int WARM_UP_PART = 4;

    private final int rounds;
    private final long nanos;
    private final PrintStream progress;
    private final Fixture fixture = Fixture.open(BenchModels.named(BenchModels.STEADY));
    private final List<Millrace> runtimes = new ArrayList<>();
    private final Map<Who, Station> stations = new EnumMap<>(Who.class);

    /// @param rounds times that everything is measured
    /// @param millis how long a closed loop is; an overload takes four times as long
    /// @param progress gets a line per trial
    public Overload(int rounds, int millis, PrintStream progress) {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000L;
        this.progress = progress;
        Questions questions = new Questions(fixture);
        CallStation plain = new CallStation(open(ModelConfig.DEFAULT), questions);
        stations.put(Who.DEADLINES, plain);
        stations.put(Who.DEEP_QUEUE, plain);
        ModelConfig tight = ModelConfig.DEFAULT.withMaxBatchSize(QUEUE / 4).withMaxQueueSize(QUEUE);
        stations.put(Who.SHORT_QUEUE, new CallStation(open(tight), questions));
        stations.put(Who.POOL, new PoolStation(fixture, questions, QUEUE));
    }

    private Model open(ModelConfig config) {
        Millrace runtime = Millrace.open(
                RuntimeConfig.DEFAULT.withAgents(1).withModel(fixture.name(), config), fixture.repository());
        runtimes.add(runtime);
        return runtime.model(fixture.name());
    }

    static List<Trial> trials() {
        List<Trial> trials = new ArrayList<>();
        for (double load : new double[] {0.5, 1, 2, 4}) {
            trials.add(new Trial(Who.DEADLINES, TIGHT, load));
        }
        trials.add(new Trial(Who.DEADLINES, WIDE, 2));
        for (Who peer : List.of(Who.DEEP_QUEUE, Who.SHORT_QUEUE, Who.POOL)) {
            trials.add(new Trial(peer, TIGHT, 2));
        }
        return trials;
    }

    /// Measures everything. The first round warms up and is not counted.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() {
        return new OverloadReport(measure(trials()));
    }

    Findings measure(List<Trial> trials) {
        Map<Trial, List<Result>> results = new LinkedHashMap<>();
        trials.forEach(trial -> results.put(trial, new ArrayList<>()));
        trials.forEach(trial -> measure(trial, 0));
        Memory before = Memory.now();
        for (int round = 1; round <= rounds; round++) {
            for (Trial trial : trials) {
                Result result = measure(trial, round);
                results.get(trial).add(result);
                progress.printf(
                        "overload, round %d of %d: %s, %d ms, %.1f of the capacity: %.2f of it answered in time%n",
                        round, rounds, trial.who().title(), trial.bound().toMillis(), trial.load(), result.goodput());
            }
        }
        return new Findings(fixture.name(), results, before, Memory.now());
    }

    /// A round of 0 is short.
    private Result measure(Trial trial, int round) {
        boolean tells = trial.who() == Who.DEADLINES || trial.who() == Who.POOL;
        long unit = round == 0 ? nanos / WARM_UP_PART : nanos;
        return measure(stations.get(trial.who()), trial.bound().toNanos(), tells, trial.load(), unit, round);
    }

    /// The capacity; half of it, the load, and half of it again; and the capacity once more, because whatever else the
    /// machine did meanwhile made one of them too low.
    ///
    /// @param bound the deadline, in nanoseconds
    /// @param tells whether requests have it
    static Result measure(Station station, long bound, boolean tells, double load, long nanos, long seed) {
        OpenLoop loop = new OpenLoop(station, System::nanoTime);
        station.timeout(Station.NO_TIMEOUT);
        double before = loop.saturate(nanos);
        Schedule schedule = schedule(seed, before, load, nanos);
        station.timeout(tells ? bound : Station.NO_TIMEOUT);
        Ledger ledger = loop.run(schedule);
        station.timeout(Station.NO_TIMEOUT);
        double after = loop.saturate(nanos);
        return result(before, Math.max(before, after), ledger, schedule, bound);
    }

    static Schedule schedule(long seed, double capacity, double load, long nanos) {
        return Schedule.poisson(
                seed,
                new Phase(USUAL * capacity, nanos),
                new Phase(load * capacity, 4 * nanos),
                new Phase(USUAL * capacity, 5 * nanos / 2));
    }

    private static Result result(double before, double capacity, Ledger ledger, Schedule schedule, long bound) {
        Account usual = Account.of(ledger, 0, schedule.end(0), bound);
        Account during = Account.of(ledger, schedule.begin(1), schedule.end(1), bound);
        long recovery = Recovery.nanos(
                ledger, schedule.end(1), schedule.end(2), usual.accepted().p99());
        return new Result(capacity, before, usual, during, recovery);
    }

    @Override
    public void close() {
        stations.values().stream().distinct().forEach(Station::close);
        runtimes.forEach(Millrace::close);
        fixture.close();
    }
}
