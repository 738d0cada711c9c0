// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.ClosedLoop.Timing;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A closed loop beside other processes that do nothing but spin: how much a busy core costs a call that its caller
/// runs itself, one that agents run, and the floor.
///
/// Threads: one; the runtimes have theirs. Ownership: it ends the processes that it starts.
final class Neighbours implements AutoCloseable {
    private static final int MOST = 2;
    private static final String SPIN = "while :; do :; done";

    /// What one repeat found out.
    ///
    /// @param floor the floor
    /// @param inline `Call.run()`, which the caller runs itself
    /// @param agents `Call.run()` with an inline budget of zero: an agent runs it
    record Trial(Timing floor, Timing inline, Timing agents) {}

    private final Effort effort;
    private final PrintStream progress;
    private final Fixture fixture = Fixture.open(BenchModels.MLP);

    Neighbours(Effort effort, PrintStream progress) {
        this.effort = effort;
        this.progress = progress;
    }

    /// Measures beside no, one and two neighbours in turns; the first turn warms up and is not counted.
    ///
    /// @return by number of neighbours one per repeat
    /// @throws dev.millrace.bench.route.Gate.Refusal if a call answers otherwise than the floor
    Map<Integer, List<Trial>> measure() throws IOException {
        Map<Integer, List<Trial>> trials = new TreeMap<>();
        RuntimeConfig handedOver = RuntimeConfig.DEFAULT.withInlineBudget(Duration.ZERO);
        try (Contestant floor = fixture.contestant(Route.FLOOR, 1);
                Contestant inline = fixture.contestant(Route.CALL, 1);
                Contestant agents = fixture.call(fixture.runtime(handedOver), 1)) {
            fixture.gate().check("a call run by its caller", inline, 1);
            fixture.gate().check("a call run by agents", agents, 1);
            for (int repeat = 0; repeat <= effort.repeats(); repeat++) {
                for (int neighbours = 0; neighbours <= MOST; neighbours++) {
                    Trial trial = measure(neighbours, List.of(floor, inline, agents));
                    if (repeat > 0) {
                        trials.computeIfAbsent(neighbours, _ -> new ArrayList<>())
                                .add(trial);
                        report(repeat, neighbours, trial);
                    }
                }
            }
        }
        return trials;
    }

    private void report(int repeat, int neighbours, Trial trial) {
        progress.printf(
                "repeat %d of %d: %d neighbours: p50 %.0f ns by the floor, %.0f ns by the caller, %.0f ns by agents%n",
                repeat,
                effort.repeats(),
                neighbours,
                trial.floor().p50(),
                trial.inline().p50(),
                trial.agents().p50());
    }

    private Trial measure(int neighbours, List<Contestant> contestants) throws IOException {
        long nanos = effort.repeatMillis() * 1_000_000L;
        ClosedLoop loop = new ClosedLoop(fixture);
        List<Process> spinning = new ArrayList<>();
        try {
            for (int i = 0; i < neighbours; i++) {
                spinning.add(new ProcessBuilder("sh", "-c", SPIN).start());
            }
            List<Timing> timings = new ArrayList<>();
            for (Contestant contestant : contestants) {
                // The scheduler needs a moment to spread what is new.
                loop.time(contestant, nanos / 5);
                timings.add(loop.time(contestant, nanos));
            }
            requireAlive(spinning);
            return new Trial(timings.get(0), timings.get(1), timings.get(2));
        } finally {
            spinning.forEach(process -> process.destroyForcibly().onExit().join());
        }
    }

    private static void requireAlive(List<Process> spinning) throws IOException {
        for (Process process : spinning) {
            if (!process.isAlive()) {
                throw new IOException("a neighbour ended by itself, with exit status " + process.exitValue());
            }
        }
    }

    @Override
    public void close() {
        fixture.close();
    }
}
