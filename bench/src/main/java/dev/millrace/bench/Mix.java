// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.ClosedLoop.Timing;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A light model and heavy ones in one runtime: how long the light one's closed loop takes while the heavy ones are
/// under load, beside the floor's closed loop under the same load.
///
/// Threads: one, the load's, and the runtime's. Ownership: it closes what it opens.
final class Mix implements AutoCloseable {
    /// The heavy ones.
    static final List<String> HEAVY = List.of(BenchModels.LARGE_MLP, BenchModels.IMAGES, BenchModels.TREES);

    /// How much the heavy models are asked.
    enum Load {
        NONE("none", 0),
        HALF("half a core, a sixth by each heavy model", 0.5),
        ENDLESS("one row of each heavy model always in flight", Double.POSITIVE_INFINITY);

        private final String title;
        private final double cores;

        Load(String title, double cores) {
            this.title = title;
            this.cores = cores;
        }

        String title() {
            return title;
        }

        /// How much of a core all heavy models together are to take.
        double cores() {
            return cores;
        }
    }

    /// What one repeat found out.
    ///
    /// @param floor the light model by the floor
    /// @param call the light model by `Call.run`
    /// @param rowsPerSecond what the heavy models answered the while, all together
    record Trial(Timing floor, Timing call, double rowsPerSecond) {}

    /// All that was found out.
    ///
    /// @param agents the runtime's threads
    /// @param trials per load one per repeat
    record Findings(int agents, Map<Load, List<Trial>> trials) {}

    private final Effort effort;
    private final PrintStream progress;
    private final List<Fixture> heavy = new ArrayList<>();
    private final Fixture light;
    private final Millrace runtime;

    Mix(Effort effort, PrintStream progress) {
        this.effort = effort;
        this.progress = progress;
        this.light = Fixture.open(BenchModels.MLP);
        HEAVY.forEach(name -> heavy.add(Fixture.open(BenchModels.named(name))));
        List<Path> repositories = new ArrayList<>(List.of(light.repository()));
        heavy.forEach(fixture -> repositories.add(fixture.repository()));
        this.runtime = Millrace.open(RuntimeConfig.DEFAULT, repositories.toArray(Path[]::new));
    }

    /// Measures all loads in turns. The first turn warms up and is not counted.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if a model answers otherwise than the floor
    Findings measure() {
        Map<Load, List<Trial>> trials = new EnumMap<>(Load.class);
        ClosedLoop loop = new ClosedLoop(light);
        try (Contestant floor = light.contestant(Route.FLOOR, 1);
                Contestant call = light.call(runtime, 1);
                HeavyLoad load = new HeavyLoad(runtime, heavy)) {
            light.gate().check(Route.CALL.title(), call, 1);
            for (int repeat = 0; repeat <= effort.repeats(); repeat++) {
                for (Load each : Load.values()) {
                    Trial trial = measure(each, loop, floor, call, load);
                    if (repeat > 0) {
                        trials.computeIfAbsent(each, _ -> new ArrayList<>()).add(trial);
                        progress.printf(
                                "repeat %d of %d: heavy load %s: p50 %.0f ns by the floor, %.0f ns by a call%n",
                                repeat,
                                effort.repeats(),
                                each.title(),
                                trial.floor().p50(),
                                trial.call().p50());
                    }
                }
            }
        }
        return new Findings(agents(), trials);
    }

    private Trial measure(Load each, ClosedLoop loop, Contestant floor, Contestant call, HeavyLoad load) {
        long nanos = effort.repeatMillis() * 1_000_000L;
        load.start(each.cores());
        long start = System.nanoTime();
        Timing byFloor = loop.time(floor, nanos);
        Timing byCall = loop.time(call, nanos);
        long rows = load.stop();
        return new Trial(byFloor, byCall, rows * 1e9 / (System.nanoTime() - start));
    }

    private static int agents() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("millrace-agent-"))
                .count();
    }

    @Override
    public void close() {
        runtime.close();
        heavy.forEach(Fixture::close);
        light.close();
    }
}
