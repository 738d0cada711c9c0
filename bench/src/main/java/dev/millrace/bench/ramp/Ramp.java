// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.ramp;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Settings;
import dev.millrace.bench.route.Value;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Measures all settings under all loads, in turns, so that whatever else the machine does falls on all of them.
///
/// One thread offers rows and one agent answers them, each with a processor of its own if there are two. Loads are
/// parts of the rows per second that runs of 128 rows do; the bound is a number of times what a run of one row takes,
/// so that the table means the same on every machine. Every answer is compared with the floor's.
///
/// Threads: one; the runtimes have their own. Ownership: it closes its fixture.
public final class Ramp implements AutoCloseable {
    /// What was measured under one load with one setting.
    record Cell(double load, Setting setting, List<Load.Outcomes> outcomes, List<Double> meanBatches) {}

    /// All that was found out.
    ///
    /// @param model its name
    /// @param bound the latency to keep
    /// @param oneNanos what a run of one row takes
    /// @param rowsPerSecond what runs of 128 rows do
    record Findings(String model, Duration bound, double oneNanos, double rowsPerSecond, List<Cell> cells) {}

    static final double[] LOADS = {0.05, 0.2, 0.4, 0.6, 0.75, 0.9};

    private static final long SEED = 1;
    private static final int LARGE = 128;
    private static final int BOUND_RUNS = 10;

    private final int rounds;
    private final long nanos;
    private final PrintStream progress;
    private final Fixture fixture;
    private final float[] expected;

    /// A ramp for a model that a run of one row takes long enough for batching to pay.
    ///
    /// @param rounds times that everything is measured
    /// @param millis how long one load is
    /// @param progress gets a line per round
    public Ramp(int rounds, int millis, PrintStream progress) {
        this(BenchModels.LARGE_MLP, rounds, millis, progress);
    }

    Ramp(String model, int rounds, int millis, PrintStream progress) {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000L;
        this.progress = progress;
        this.fixture = Fixture.open(model, Settings.DEFAULT);
        List<List<Value>> answers = fixture.gate().expected();
        expected = new float[answers.size()];
        for (int row = 0; row < expected.length; row++) {
            expected[row] = ((float[]) answers.get(row).getFirst().array())[0];
        }
    }

    /// Measures everything.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() {
        return new RampReport(measure(LOADS));
    }

    /// The first round warms up and is not counted.
    Findings measure(double... loads) {
        double oneNanos;
        double rowsPerSecond;
        RuntimeConfig plain = RuntimeConfig.DEFAULT.withAgents(1).withInlineBudget(Duration.ofMinutes(1));
        try (Millrace runtime = Millrace.open(plain, fixture.repository())) {
            Model served = runtime.model(fixture.name());
            oneNanos = runNanos(served, 1);
            rowsPerSecond = LARGE * 1e9 / runNanos(served, LARGE);
        }
        Duration bound = Duration.ofNanos(Math.round(BOUND_RUNS * oneNanos / 1e5) * 100_000)
                .plusNanos(100_000);
        progress.printf(
                "a run of one row takes %.0f µs, runs of %d do %.0f rows/s; the bound is %.1f ms%n",
                oneNanos / 1e3, LARGE, rowsPerSecond, bound.toNanos() / 1e6);
        return new Findings(
                fixture.name(), bound, oneNanos, rowsPerSecond, cells(loads, Setting.all(bound), bound, rowsPerSecond));
    }

    /// All settings are open at the same time; within a load they take turns in another order each round, so that a
    /// stall of the machine does not always fall on the same one.
    private List<Cell> cells(double[] loads, List<Setting> settings, Duration bound, double rowsPerSecond) {
        List<Cell> cells = new ArrayList<>();
        for (double load : loads) {
            settings.forEach(setting -> cells.add(new Cell(load, setting, new ArrayList<>(), new ArrayList<>())));
        }
        Map<Setting, Served> served = new LinkedHashMap<>();
        Random random = new Random(SEED);
        try {
            settings.forEach(setting -> served.put(setting, new Served(setting)));
            for (int round = 0; round <= rounds; round++) {
                for (int first = 0; first < cells.size(); first += settings.size()) {
                    List<Cell> turns = new ArrayList<>(cells.subList(first, first + settings.size()));
                    Collections.shuffle(turns, random);
                    for (Cell cell : turns) {
                        measure(cell, served.get(cell.setting()), bound, rowsPerSecond, round);
                    }
                }
                progress.printf("ramp, round %d of %d done%n", round, rounds);
            }
        } finally {
            served.values().forEach(Served::close);
        }
        return cells;
    }

    /// A round of 0 warms up and is not counted.
    private void measure(Cell cell, Served served, Duration bound, double rowsPerSecond, int round) {
        LaneStatistics before = served.runtime.statistics().getFirst();
        long duration = round == 0 ? nanos / 4 : nanos;
        Load.Outcomes outcomes = served.load.offer(cell.load() * rowsPerSecond, duration, bound.toNanos(), round);
        LaneStatistics after = served.runtime.statistics().getFirst();
        if (round > 0) {
            cell.outcomes().add(outcomes);
            cell.meanBatches()
                    .add((after.rows() - before.rows()) / (double) Math.max(1, after.batches() - before.batches()));
        }
    }

    /// The model as one setting serves it, and who asks it.
    private final class Served {
        private final Millrace runtime;
        private final Load load;

        Served(Setting setting) {
            runtime = Millrace.open(
                    RuntimeConfig.DEFAULT.withAgents(1).withModel(fixture.name(), setting.config()),
                    fixture.repository());
            load = new Load(runtime.model(fixture.name()), fixture.examples().floats(), expected, fixture.tolerance());
        }

        void close() {
            load.close();
            runtime.close();
        }
    }

    /// The median of some runs of as many rows, in nanoseconds.
    private static double runNanos(Model model, int count) {
        long[] nanos = new long[60];
        try (Call call = model.call()) {
            call.rows(count);
            for (int i = 0; i < nanos.length; i++) {
                long start = System.nanoTime();
                if (call.run() != Outcome.OK) {
                    throw new IllegalStateException(call.message());
                }
                nanos[i] = System.nanoTime() - start;
            }
        }
        Arrays.sort(nanos);
        return nanos[nanos.length / 2];
    }

    @Override
    public void close() {
        fixture.close();
    }
}
