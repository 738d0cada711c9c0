// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;

/// A light model, asked from one thread, beside a heavy one that its own traffic saturates on the one agent of the same
/// runtime: in this process, and in a server. Alone and beside take turns.
///
/// Threads: one; the heavy model's traffic is on the runtime's, to the server on one of its own. Ownership: it closes
/// what it opens.
public final class Isolation implements AutoCloseable {
    /// How the light model is asked.
    enum Way {
        FLOOR("C API, prebound: the floor"),
        CALL("Millrace `Call.run()`"),
        HTTP("HTTP, a connection each");

        private final String title;

        Way(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /// Percentiles of a closed loop, in nanoseconds.
    record Timing(long p50, long p99, long p999) {}

    /// What one round found out.
    ///
    /// @param heavyRowsPerSecond what the heavy model answered beside it
    record Round(Timing alone, Timing beside, double heavyRowsPerSecond) {
        /// How many times as long.
        double ratio() {
            return (double) beside.p99() / alone.p99();
        }
    }

    /// All that was found out.
    record Findings(String light, String heavy, Map<Way, List<Round>> rounds) {}

    private static final String LIGHT = "fraud";
    private static final String ZOO = "millrace.bench.zoo";
    private static final int IN_FLIGHT = 64;
    private static final int OK = 200;
    private static final long LONGEST_NANOS = 10_000_000_000L;
    private static final int HTTP_WARM_UPS = 4;

    private final int rounds;
    private final long nanos;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final Fixture light;
    private final Fixture heavy;
    private final Histogram histogram = new Histogram(LONGEST_NANOS, 3);

    /// @param rounds times that everything is measured
    /// @param millis how long each loop is
    /// @param progress gets a line per round
    public Isolation(int rounds, int millis, PrintStream progress, Server.Starter servers) {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000L;
        this.progress = progress;
        this.servers = servers;
        Path zoo = Path.of(System.getProperty(ZOO, "../models/zoo"));
        this.light = Fixture.open(
                zoo.resolve(LIGHT).resolve("1").resolve("model.onnx").toString(), Settings.DEFAULT);
        this.heavy = Fixture.open(BenchModels.named(BenchModels.LARGE_MLP));
    }

    /// Measures everything.
    ///
    /// @throws Gate.Refusal if an answer was wrong or missing
    public Section measure() throws IOException {
        return new IsolationReport(all());
    }

    Findings all() throws IOException {
        Map<Way, List<Round>> all = new EnumMap<>(Way.class);
        inProcess(all);
        overHttp(all);
        return new Findings(LIGHT, heavy.name(), all);
    }

    private void inProcess(Map<Way, List<Round>> all) {
        RuntimeConfig config = RuntimeConfig.DEFAULT.withAgents(1);
        try (Millrace runtime = Millrace.open(config, light.repository(), heavy.repository());
                Contestant floor = light.contestant(Route.FLOOR, 1);
                Contestant call = light.call(runtime, 1);
                SelfFeeding traffic = new SelfFeeding(runtime, heavy, IN_FLIGHT)) {
            light.gate().check(Way.CALL.title(), call, 1);
            for (int round = 0; round <= rounds; round++) {
                take(all, Way.FLOOR, round, floor::run, traffic::start, traffic::stop);
                take(all, Way.CALL, round, call::run, traffic::start, traffic::stop);
            }
            light.gate().check(Way.CALL.title(), call, 1);
        }
    }

    private void overHttp(Map<Way, List<Round>> all) throws IOException {
        ByteBuffer[] requests = Arrays.stream(light.examples().floats())
                .map(row -> HttpStation.request(light, Station.NO_TIMEOUT, row))
                .toArray(ByteBuffer[]::new);
        List<String> arguments = List.of(
                "serve",
                "--model-repository",
                light.repository().toString(),
                "--model-repository",
                heavy.repository().toString(),
                "--http-port",
                "0",
                "--event-loops",
                "1",
                "--agents",
                "1");
        try (Server server = servers.start(arguments);
                Connection connection = new Connection(server.port(), true);
                Traffic traffic = new Traffic(server.port())) {
            for (int round = 1 - HTTP_WARM_UPS; round <= rounds; round++) {
                take(
                        all,
                        Way.HTTP,
                        round,
                        index -> expectOk(connection, requests[index]),
                        traffic::start,
                        traffic::stop);
            }
        }
    }

    private static void expectOk(Connection connection, ByteBuffer request) {
        try {
            if (connection.exchange(request) != OK) {
                throw new Gate.Refusal("a request was answered with " + connection.body(), null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Alone, then beside. A round before 1 warms up and is not counted.
    private void take(Map<Way, List<Round>> all, Way way, int round, IntConsumer ask, Runnable start, LongSource stop) {
        Timing alone = time(ask);
        start.run();
        long begin = System.nanoTime();
        Timing beside = time(ask);
        double rate = stop.rows() * 1e9 / (System.nanoTime() - begin);
        if (round > 0) {
            Round taken = new Round(alone, beside, rate);
            all.computeIfAbsent(way, _ -> new ArrayList<>()).add(taken);
            progress.printf(
                    "isolation, round %d of %d: %s: p99 %d ns alone, %d ns beside%n",
                    round, rounds, way.title(), alone.p99(), beside.p99());
        }
    }

    /// One thread that asks again as soon as it was answered.
    private Timing time(IntConsumer ask) {
        histogram.reset();
        int examples = light.examples().count(1);
        long start = System.nanoTime();
        long before = start;
        for (int next = 0; before - start < nanos; next = (next + 1) % examples) {
            ask.accept(next);
            long after = System.nanoTime();
            histogram.recordValue(Math.min(after - before, LONGEST_NANOS));
            before = System.nanoTime();
        }
        return new Timing(
                histogram.getValueAtPercentile(50),
                histogram.getValueAtPercentile(99),
                histogram.getValueAtPercentile(99.9));
    }

    @Override
    public void close() {
        light.close();
        heavy.close();
    }

    /// Ends something and says how many rows it was.
    private interface LongSource {
        long rows();
    }

    /// The heavy model's own connection: a request of many rows, again as soon as it was answered.
    private final class Traffic implements AutoCloseable {
        private final Connection connection;
        private final ByteBuffer request;
        private final LongAdder answered = new LongAdder();
        private final AtomicBoolean stopping = new AtomicBoolean();
        private volatile RuntimeException problem;
        private Thread thread;

        Traffic(int port) throws IOException {
            connection = new Connection(port, true);
            request = HttpStation.request(
                    heavy, Station.NO_TIMEOUT, Arrays.copyOf(heavy.examples().floats(), IN_FLIGHT));
        }

        void start() {
            stopping.set(false);
            answered.reset();
            thread = Thread.ofPlatform().daemon().name("heavy-traffic").start(this::run);
        }

        private void run() {
            try {
                while (!stopping.get()) {
                    expectOk(connection, request);
                    answered.add(IN_FLIGHT);
                }
            } catch (RuntimeException e) {
                problem = e;
            }
        }

        long stop() {
            stopping.set(true);
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            if (problem != null) {
                throw problem;
            }
            return answered.sum();
        }

        @Override
        public void close() {
            connection.close();
        }
    }
}
