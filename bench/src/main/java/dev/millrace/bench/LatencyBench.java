// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.DjlEngine;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// One answer after the other: how long one batch takes by one route. Which ones are run is [Case]'s to say.
///
/// Each figure comes from a process of its own, so that no route's profile shapes another's code; and in each process
/// the route passes the gate before it is timed.
@State(Scope.Thread)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@BenchmarkMode(Mode.SampleTime)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LatencyBench {
    /// The model's name in [dev.millrace.bench.model.BenchModels], or the path of a file.
    @Param("mlp-64-128-64-1")
    public String model;

    /// The way to the answer.
    @Param
    public Route route;

    /// Rows per call.
    @Param("1")
    public int batch;

    /// How it is asked, by [Settings#encode()].
    @Param("threads=1&below=2")
    public String settings;

    private Fixture fixture;
    private Contestant contestant;
    private int batches;
    private int next;

    /// Opens what the route needs and lets it through the gate.
    @Setup
    public void open() {
        if (route == Route.DJL) {
            DjlEngine.start();
        }
        fixture = Fixture.open(model, Settings.decode(settings));
        batches = fixture.examples().count(batch);
        contestant = fixture.contestant(route, batch);
        fixture.gate().check(route.title(), contestant, batch);
    }

    /// One batch.
    @Benchmark
    public void answer() {
        if (next == batches) {
            next = 0;
        }
        contestant.run(next++);
    }

    /// Closes everything.
    @TearDown
    public void close() {
        contestant.close();
        fixture.close();
    }
}
