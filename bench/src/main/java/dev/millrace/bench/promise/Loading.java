// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.model.PerceptronFile;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// A light model at half of what it can do, while a large one is loaded again and again on the same server, and while
/// nothing is loaded; by turns. The server is a process of its own.
///
/// Threads: one per connection asks, one loads. Ownership: it closes what it opens, and deletes what it writes.
public final class Loading implements AutoCloseable {
    /// Whether the large model is tried before it is loaded.
    enum Way {
        UNTRIED(false, "loaded without a trial"),
        TRIED(true, "tried in a process of its own, and loaded");

        private final boolean tried;
        private final String title;

        Way(boolean tried, String title) {
            this.tried = tried;
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /// What one round found out.
    ///
    /// @param loadNanos how long each load took
    record Round(PacedLines.Answers alone, PacedLines.Answers beside, long[] loadNanos) {
        double ratio() {
            return (double) beside.percentiles().p99() / alone.percentiles().p99();
        }
    }

    /// All that was found out.
    ///
    /// @param largeBytes of the large model's file
    /// @param rates requests per second
    record Findings(String light, long largeBytes, Map<Way, Double> rates, Map<Way, List<Round>> rounds) {}

    private static final int[] WIDTHS = {256, 4096, 4096, 4096, 4096, 1};
    private static final int CONNECTIONS = 16;

    /// Connections by which the capacity is measured. More of them would bring requests in batches, which cost less and
    /// which a constant rate has not.
    private static final int SATURATING = 2;

    /// How many times as long as without loads it is asked beside them, so that more than one falls into it wholly.
    private static final int LONGER = 3;

    private static final int WARM_UPS = 10;
    private static final double LOAD = 0.5;

    private final int rounds;
    private final long nanos;
    private final int[] widths;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final Fixture fixture = Fixture.open(BenchModels.MLP);
    private final Questions questions = new Questions(fixture);
    private final Path repository;

    /// @param rounds times that it is asked alone and beside loads
    /// @param millis how long it is asked alone, and a third of how long beside loads
    /// @param progress gets a line per round
    public Loading(int rounds, long millis, PrintStream progress, Server.Starter servers) throws IOException {
        this(rounds, millis, progress, servers, WIDTHS);
    }

    /// @param widths of the large model's layers
    Loading(int rounds, long millis, PrintStream progress, Server.Starter servers, int... widths) throws IOException {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000;
        this.widths = widths;
        this.progress = progress;
        this.servers = servers;
        this.repository = Files.createTempDirectory("millrace-loading");
    }

    /// Measures everything.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() throws IOException {
        return new LoadingReport(all());
    }

    Findings all() throws IOException {
        PerceptronFile large = PerceptronFile.writeInto(repository, "large", widths);
        Map<Way, Double> rates = new EnumMap<>(Way.class);
        Map<Way, List<Round>> all = new EnumMap<>(Way.class);
        for (Way way : Way.values()) {
            List<String> arguments = new ArrayList<>(List.of(
                    "serve",
                    "--model-repository",
                    fixture.repository().toString(),
                    "--model-repository",
                    repository.toString(),
                    "--http-port",
                    "0"));
            arguments.addAll(Admin.arguments(way.tried));
            try (Server server = servers.start(arguments);
                    Admin admin = new Admin(server.port());
                    PacedLines lines = new PacedLines(server.port(), fixture, questions, CONNECTIONS)) {
                measure(way, lines, new Loader(admin, large), rates, all);
            }
        }
        return new Findings(fixture.name(), large.bytes(), rates, all);
    }

    private void measure(Way way, PacedLines lines, Loader loader, Map<Way, Double> rates, Map<Way, List<Round>> all)
            throws IOException {
        double capacity = 0;
        for (int i = 0; i < WARM_UPS; i++) {
            capacity = lines.saturate(SATURATING, nanos / 4).perSecond();
        }
        double rate = LOAD * capacity;
        rates.put(way, rate);
        // The first round of loads is for the compilers, too.
        for (int round = 0; round <= rounds; round++) {
            PacedLines.Answers alone = lines.ask(rate, nanos);
            loader.start();
            PacedLines.Answers beside = lines.ask(rate, LONGER * nanos);
            Round taken = new Round(alone, beside, loader.stop());
            if (round > 0) {
                all.computeIfAbsent(way, _ -> new ArrayList<>()).add(taken);
                progress.printf(
                        "loading, round %d of %d, %s: p99 %,d ns alone, %,d ns beside %d loads%n",
                        round,
                        rounds,
                        way.title(),
                        alone.percentiles().p99(),
                        beside.percentiles().p99(),
                        taken.loadNanos().length);
            }
        }
    }

    @Override
    public void close() {
        fixture.close();
        try (Stream<Path> files = Files.walk(repository)) {
            files.map(Path::toFile).toList().reversed().forEach(File::delete);
        } catch (IOException e) {
            progress.println(repository + " could not be deleted: " + e);
        }
    }

    /// Has the large model loaded again and again, each time another one.
    private static final class Loader {
        private final Admin admin;
        private final PerceptronFile large;
        private LongStream.Builder nanos = LongStream.builder();
        private volatile boolean stopping;
        private volatile IOException problem;
        private Thread thread;
        private int count;

        Loader(Admin admin, PerceptronFile large) {
            this.admin = admin;
            this.large = large;
        }

        void start() {
            stopping = false;
            nanos = LongStream.builder();
            thread = Thread.ofPlatform().daemon().name("bench-loader").start(this::run);
        }

        private void run() {
            try {
                while (!stopping) {
                    large.alter(++count);
                    long start = System.nanoTime();
                    admin.load(large.name());
                    nanos.add(System.nanoTime() - start);
                }
            } catch (IOException e) {
                problem = e;
            }
        }

        /// Waits for the load in progress, and returns how long each took.
        long[] stop() {
            stopping = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            if (problem != null) {
                throw new IllegalStateException("the large model cannot be loaded", problem);
            }
            return nanos.build().toArray();
        }
    }
}
