// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Value;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Rows per second when there is always more to do, beside what the floor does in the same minute.
///
/// Each repeat times the floor at batch 64, then the scenario, then the floor at the batch size that the scenario's
/// lane formed. Every answer is compared with the floor's while it is timed.
///
/// Threads: one; the scenarios' runtimes have their own. Ownership: it closes its fixture.
final class Saturation implements AutoCloseable {
    /// The batch size that every scenario is compared with.
    static final int FLOOR_BATCH = 64;
    /// Two instances free their slots in order: while one is interrupted, the other one goes on only as far as this.
    private static final int LONG_QUEUE = 8192;
    /// Pieces of a repeat when two are compared that differ little.
    private static final int PIECES = 4;
    /// Pairs of pieces that are not counted.
    private static final int WARM_UPS = 2;

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Who submits how, and who runs.
    enum Scenario {
        /// The defaults: an agent per core, so that one of them competes with the producer.
        SUBMIT("`Call.submit()`, 512 in flight, agents by default", 512),
        SUBMIT_ONE_AGENT("`Call.submit()`, 512 in flight, one agent", 512),
        /// An event loop's way: what came in one wake-up is run in one turn, on the same thread.
        TURNER("`Turner`, 64 per turn, no other thread", 64),
        /// Both cores at work and no third thread: the producer runs what it can, and one agent what is more than that.
        TURNER_AND_AGENT("`Turner`, 512 per turn, one agent, two instances", 512),
        TURNER_AND_AGENT_UNRECORDED("the same without recording of latencies", 512);

        private final String title;
        private final int inFlight;

        Scenario(String title, int inFlight) {
            this.title = title;
            this.inFlight = inFlight;
        }

        String title() {
            return title;
        }

        int inFlight() {
            return inFlight;
        }

        /// Whether the producer turns the wheel itself.
        private boolean isTurning() {
            return this != SUBMIT && this != SUBMIT_ONE_AGENT;
        }

        private boolean isRecorded() {
            return this != TURNER_AND_AGENT_UNRECORDED;
        }

        private RuntimeConfig config(String model) {
            return switch (this) {
                case SUBMIT, TURNER -> RuntimeConfig.DEFAULT;
                case SUBMIT_ONE_AGENT -> RuntimeConfig.DEFAULT.withAgents(1);
                case TURNER_AND_AGENT, TURNER_AND_AGENT_UNRECORDED ->
                    RuntimeConfig.DEFAULT
                            .withAgents(1)
                            .withModel(
                                    model,
                                    ModelConfig.DEFAULT.withInstanceCount(2).withMaxQueueSize(LONG_QUEUE));
            };
        }
    }

    /// What one repeat found out.
    ///
    /// @param rowsPerSecond rows answered per second
    /// @param meanBatch mean rows per run
    /// @param floor64 the floor's rows per second at batch 64
    /// @param floorFormed the floor's rows per second at the mean batch, rounded
    /// @param bytes allocated on the heap by all threads, per row
    record Throughput(double rowsPerSecond, double meanBatch, double floor64, double floorFormed, double bytes) {
        double ratio64() {
            return rowsPerSecond / floor64;
        }

        double ratioFormed() {
            return rowsPerSecond / floorFormed;
        }
    }

    private final Fixture fixture = Fixture.open(BenchModels.MLP);
    private final Effort effort;
    private final PrintStream progress;
    private final Contestant floor64 = fixture.contestant(Route.FLOOR, FLOOR_BATCH);
    private final float[] expected;

    Saturation(Effort effort, PrintStream progress) {
        this.effort = effort;
        this.progress = progress;
        List<List<Value>> answers = fixture.gate().expected();
        expected = new float[answers.size()];
        for (int row = 0; row < expected.length; row++) {
            expected[row] = ((float[]) answers.get(row).getFirst().array())[0];
        }
    }

    /// Measures all scenarios in turns. The first turn of each warms up and is not counted.
    Map<Scenario, List<Throughput>> measure() {
        Map<Scenario, Pump> pumps = new EnumMap<>(Scenario.class);
        Map<Scenario, List<Throughput>> all = new EnumMap<>(Scenario.class);
        try {
            for (Scenario scenario : Scenario.values()) {
                pumps.put(scenario, pump(scenario));
                all.put(scenario, new ArrayList<>());
            }
            for (int repeat = 0; repeat <= effort.repeats(); repeat++) {
                for (Scenario scenario : Scenario.values()) {
                    Throughput throughput = measure(pumps.get(scenario));
                    if (repeat > 0) {
                        all.get(scenario).add(throughput);
                        report(repeat, scenario, throughput);
                    }
                }
            }
        } finally {
            pumps.values().forEach(Pump::close);
        }
        return all;
    }

    /// Rows per second with recording as a share of those without, per scenario. Both take turns, in short pieces whose
    /// order changes, so that whatever else the machine does falls on both.
    Map<Scenario, List<Double>> recordingShares() {
        Map<Scenario, List<Double>> all = new EnumMap<>(Scenario.class);
        for (Scenario scenario : Scenario.values()) {
            if (!scenario.isRecorded()) {
                continue;
            }
            try (Pump with = pump(scenario, true);
                    Pump without = pump(scenario, false)) {
                all.put(scenario, recordingShares(with, without));
            }
            progress.printf("recording: %s: %d pairs%n", scenario.title(), PIECES * effort.repeats());
        }
        return all;
    }

    private List<Double> recordingShares(Pump with, Pump without) {
        long nanos = effort.repeatMillis() * 1_000_000L / PIECES;
        List<Double> shares = new ArrayList<>();
        for (int pair = -WARM_UPS; pair < PIECES * effort.repeats(); pair++) {
            boolean withFirst = pair % 2 == 0;
            double first = (withFirst ? with : without).run(nanos);
            double second = (withFirst ? without : with).run(nanos);
            if (pair >= 0) {
                shares.add(withFirst ? first / second : second / first);
            }
        }
        return shares;
    }

    private Pump pump(Scenario scenario) {
        return pump(scenario, scenario.isRecorded());
    }

    private Pump pump(Scenario scenario, boolean recording) {
        Millrace runtime = fixture.runtime(scenario.config(fixture.name()).withRecording(recording));
        return new Pump(fixture, runtime, scenario.inFlight(), scenario.isTurning(), expected);
    }

    private void report(int repeat, Scenario scenario, Throughput throughput) {
        progress.printf(
                "repeat %d of %d: %s: %.0f rows/s in batches of %.1f, %.2f of the floor%n",
                repeat,
                effort.repeats(),
                scenario.title(),
                throughput.rowsPerSecond(),
                throughput.meanBatch(),
                throughput.ratioFormed());
    }

    private Throughput measure(Pump pump) {
        long nanos = effort.repeatMillis() * 1_000_000L;
        double at64 = floorRowsPerSecond(floor64, FLOOR_BATCH, nanos / 2);
        long allocated = THREADS.getTotalThreadAllocatedBytes();
        pump.progress().restart();
        double rowsPerSecond = pump.run(nanos);
        double meanBatch = pump.progress().meanBatch();
        double bytes = (double) (THREADS.getTotalThreadAllocatedBytes() - allocated)
                / pump.progress().rows();
        int formed = Math.clamp(Math.round(meanBatch), 1, Examples.COUNT);
        try (Contestant floor = fixture.contestant(Route.FLOOR, formed)) {
            double atFormed = floorRowsPerSecond(floor, formed, nanos / 2);
            return new Throughput(rowsPerSecond, meanBatch, at64, atFormed, bytes);
        }
    }

    private double floorRowsPerSecond(Contestant floor, int batch, long nanos) {
        int batches = fixture.examples().count(batch);
        long runs = 0;
        long start = System.nanoTime();
        long elapsed;
        do {
            for (int index = 0; index < batches; index++) {
                floor.run(index);
            }
            runs += batches;
            elapsed = System.nanoTime() - start;
        } while (elapsed < nanos);
        return runs * batch * 1e9 / elapsed;
    }

    @Override
    public void close() {
        floor64.close();
        fixture.close();
    }
}
