// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.features.FeatureRuns;
import dev.millrace.bench.guard.BackPressure;
import dev.millrace.bench.guard.Failing;
import dev.millrace.bench.guard.MemoryLoad;
import dev.millrace.bench.guard.Priorities;
import dev.millrace.bench.online.OnlineReads;
import dev.millrace.bench.promise.Deadlines;
import dev.millrace.bench.promise.Isolation;
import dev.millrace.bench.promise.Loading;
import dev.millrace.bench.promise.Overload;
import dev.millrace.bench.promise.OverloadHttp;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.store.StoreReads;
import dev.millrace.bench.swap.Swaps;
import dev.millrace.bench.transform.TransformRates;
import dev.millrace.bench.wire.ServerProcess;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/// The parts that measure whether promises are kept, by the names that `bench/run.sh` has for them. Immutable.
///
/// @param effort how long each takes
/// @param progress gets a line now and then
/// @param log gets what servers print
record Promises(Effort effort, PrintStream progress, Path log) {
    /// More requests than can be answered, in-process.
    static final String OVERLOAD = "--overload";
    /// The same over HTTP.
    static final String OVERLOAD_HTTP = "--overload-http";
    /// How late expired requests are told.
    static final String DEADLINES = "--deadlines";
    /// A light model beside a saturated one.
    static final String ISOLATION = "--isolation";
    /// A model that is replaced under load.
    static final String SWAPS = "--swaps";
    /// A light model while a large one is loaded.
    static final String LOADING = "--loading";

    /// Priorities, weights and clients' limits.
    static final String PRIORITIES = "--priorities";
    /// Rows and models that fail.
    static final String FAILING = "--failing";
    /// A server with little memory.
    static final String MEMORY = "--memory";
    /// Clients that do not read, or send slowly.
    static final String BACK_PRESSURE = "--back-pressure";
    /// Reads of the feature store while it is written to.
    static final String STORE = "--store";
    /// From raw values to a row, beside ONNX Runtime.
    static final String FEATURES = "--features";

    /// Files of rows that become files of columns.
    static final String TRANSFORM = "--transform";

    /// Stored features by themselves, out of Redis.
    static final String REDIS = "--redis";

    static final List<String> PARTS = List.of(
            OVERLOAD,
            OVERLOAD_HTTP,
            DEADLINES,
            ISOLATION,
            SWAPS,
            LOADING,
            PRIORITIES,
            FAILING,
            MEMORY,
            BACK_PRESSURE,
            STORE,
            FEATURES,
            TRANSFORM,
            REDIS);

    private static final int LONG_RUNS_PER_ROUND = 20;
    private static final int LONG_RUN_MILLIS = 100;
    private static final int SWAPS_PER_ROUND = 12;
    private static final int BAD_CONNECTIONS = 128;
    private static final long ENTITIES = 1_000_000;
    private static final long FEW_ENTITIES = 10_000;
    private static final int TRANSFORMED_ROWS = 2_000_000;

    /// Whether what a part needs is installed.
    boolean isPossible(String part) {
        boolean possible = !part.equals(REDIS) || OnlineReads.isPossible();
        if (!possible) {
            progress.println(part + " is left out: there is no redis-server");
        }
        return possible;
    }

    /// Measures one part.
    Section measure(String part) throws IOException {
        return switch (part) {
            case OVERLOAD -> overload();
            case OVERLOAD_HTTP -> overloadHttp();
            case DEADLINES -> deadlines();
            case ISOLATION -> isolation();
            case SWAPS -> swaps();
            case LOADING -> loading();
            case PRIORITIES -> priorities();
            case FAILING -> new Failing(effort.rounds(), progress).measure();
            case MEMORY -> memory();
            case BACK_PRESSURE -> backPressure();
            case STORE -> new StoreReads(ENTITIES, effort.repeats(), effort.repeatMillis(), progress).measure();
            case FEATURES -> {
                long entities = effort.equals(Effort.QUICK) ? FEW_ENTITIES : ENTITIES;
                yield new FeatureRuns(entities, effort.repeats(), effort.repeatMillis(), progress).measure();
            }
            case TRANSFORM ->
                new TransformRates(TRANSFORMED_ROWS, effort.rounds(), ServerProcess.millrace(), progress).measure();
            case REDIS -> new OnlineReads(effort.repeats(), effort.repeatMillis(), progress, servers()).measure();
            default -> throw new IllegalArgumentException("no part " + part + ", there are " + PARTS);
        };
    }

    private Section overload() {
        try (Overload bench = new Overload(effort.rounds(), effort.repeatMillis(), progress)) {
            return bench.measure();
        }
    }

    private Section overloadHttp() throws IOException {
        try (OverloadHttp bench = new OverloadHttp(effort.rounds(), effort.repeatMillis(), progress, servers())) {
            return bench.measure();
        }
    }

    private Section deadlines() {
        try (Deadlines bench = new Deadlines(LONG_RUNS_PER_ROUND * effort.rounds(), LONG_RUN_MILLIS, progress)) {
            return bench.measure();
        }
    }

    private Section isolation() throws IOException {
        try (Isolation bench = new Isolation(2 * effort.repeats(), effort.repeatMillis(), progress, servers())) {
            return bench.measure();
        }
    }

    private Section swaps() throws IOException {
        return new Swaps(SWAPS_PER_ROUND * effort.rounds(), effort.repeatMillis(), progress, servers()).measure();
    }

    private Section loading() throws IOException {
        try (Loading bench = new Loading(2 * effort.rounds(), 4L * effort.repeatMillis(), progress, servers())) {
            return bench.measure();
        }
    }

    private Section priorities() throws IOException {
        try (Priorities bench = new Priorities(effort.rounds(), effort.repeatMillis(), progress, servers())) {
            return bench.measure();
        }
    }

    private Section memory() throws IOException {
        Server.Starter servers = arguments -> ServerProcess.startMillrace(log, MemoryLoad.jvmOptions(), arguments);
        try (MemoryLoad bench = new MemoryLoad(8L * effort.repeatMillis(), progress, servers)) {
            return bench.measure();
        }
    }

    private Section backPressure() throws IOException {
        try (BackPressure bench = new BackPressure(BAD_CONNECTIONS, 4L * effort.repeatMillis(), progress, servers())) {
            return bench.measure();
        }
    }

    private Server.Starter servers() {
        return arguments -> ServerProcess.startMillrace(log, arguments);
    }
}
