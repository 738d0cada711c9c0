// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.Admin;
import dev.millrace.bench.promise.PacedLines;
import dev.millrace.bench.promise.Percentiles;
import dev.millrace.bench.promise.Questions;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Many clients that hold their connections without letting the server get on: what they take of it, when they are cut,
/// and what others notice. The server is a process of its own, with short time limits.
///
/// Threads: one for all bad clients, one per good connection, one that watches. Ownership: it closes what it opens, and
/// deletes what it writes.
public final class BackPressure implements AutoCloseable {
    /// How a client behaves, and what ends it.
    enum Kind {
        NOT_READING("asks on and on, and never reads", "--write-timeout", 2, 8),
        SLOW_HEAD("sends a byte of a head every 20 ms", "--head-timeout", 1, 2),
        SLOW_BODY("sends a byte of a body every 20 ms", "--body-timeout", 2, 2),
        SILENT("was answered once, and says nothing", "--idle-timeout", 3, 2);

        private final String title;
        private final String option;
        private final int seconds;
        private final int spare;

        Kind(String title, String option, int seconds, int spare) {
            this.title = title;
            this.option = option;
            this.seconds = seconds;
            this.spare = spare;
        }

        String title() {
            return title;
        }

        String option() {
            return option;
        }

        /// The time limit.
        int seconds() {
            return seconds;
        }

        /// When all should have been cut and some more is over: megabytes are taken of who asks on and on before.
        int all() {
            return seconds + spare;
        }
    }

    /// What clients of a kind did.
    ///
    /// @param connections how many there were
    /// @param cut how long after its last move each was cut that was; [BadClients] says which move
    /// @param earliest the shortest of these times
    /// @param told how many were told why, by the status 408
    /// @param sentBytes what was taken of them, all together
    /// @param residentGrowth MiB that the server had more in RAM at most than before
    /// @param owned the most native bytes that the runtime owned
    /// @param others what became of the good client's requests
    /// @param left requests in flight afterwards
    record Result(
            int connections,
            Percentiles cut,
            long earliest,
            int told,
            long sentBytes,
            double residentGrowth,
            long owned,
            PacedLines.Answers others,
            long left) {}

    /// All that was found out.
    ///
    /// @param rate what the good client asks per second
    /// @param alone what became of its requests before there were others
    record Findings(double rate, PacedLines.Answers alone, Map<Kind, Result> kinds) {}

    private static final double RATE = 1000;
    private static final int GOOD_CONNECTIONS = 8;
    private static final long SECOND = 1_000_000_000;
    private static final int WARM_UPS = 4;
    private static final int LARGE_WARM_UPS = 500;
    /// What the kernel takes of an answer counts as taken by the client, and gives it a second more for every so many
    /// bytes. It takes megabytes, which would be minutes by the usual rate.
    private static final long MIN_RATE = 64L << 20;
    private static final Pattern IN_FLIGHT = Pattern.compile("\nmillrace_requests_in_flight\\{[^}]*} (\\S+)");

    private final int connections;
    private final long nanos;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final Fixture fixture = Fixture.open(BenchModels.MLP);
    private final Questions questions = new Questions(fixture);
    private final Path repository;

    /// @param connections bad clients of each kind
    /// @param millis how long the good client asks alone
    /// @param progress gets a line per kind
    public BackPressure(int connections, long millis, PrintStream progress, Server.Starter servers) throws IOException {
        this.connections = connections;
        this.nanos = millis * 1_000_000;
        this.progress = progress;
        this.servers = servers;
        this.repository = Files.createTempDirectory("millrace-pressure");
    }

    /// Measures everything.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() throws IOException {
        return new BackPressureReport(all());
    }

    Findings all() throws IOException {
        WholeModel.writeInto(repository);
        try (Server server = servers.start(arguments());
                Admin admin = new Admin(server.port())) {
            warmUp(server);
            return measure(server, admin);
        }
    }

    private static void warmUp(Server server) throws IOException {
        try (Asker asker = new Asker(server.port())) {
            for (int i = 0; i < LARGE_WARM_UPS; i++) {
                asker.ask(BadClients.NUMBERS);
            }
        }
    }

    private Findings measure(Server server, Admin admin) throws IOException {
        try (PacedLines good = new PacedLines(server.port(), fixture, questions, GOOD_CONNECTIONS)) {
            for (int i = 0; i < WARM_UPS; i++) {
                good.ask(RATE, nanos / WARM_UPS);
            }
            PacedLines.Answers alone = good.ask(RATE, nanos);
            Map<Kind, Result> kinds = new EnumMap<>(Kind.class);
            for (Kind kind : Kind.values()) {
                Result result = measure(kind, server, admin, good);
                kinds.put(kind, result);
                progress.printf(
                        "back-pressure: who %s: %d of %d cut, after %.2f s at most; p99 of others %,d ns, alone %,d"
                                + " ns%n",
                        kind.title(),
                        result.cut().count(),
                        connections,
                        result.cut().max() / 1e9,
                        result.others().percentiles().p99(),
                        alone.percentiles().p99());
            }
            return new Findings(RATE, alone, kinds);
        }
    }

    private List<String> arguments() {
        return Stream.concat(
                        Stream.of(
                                "serve",
                                "--model-repository",
                                fixture.repository().toString(),
                                "--model-repository",
                                repository.toString(),
                                "--http-port",
                                "0",
                                "--min-rate",
                                Long.toString(MIN_RATE)),
                        Stream.of(Kind.values()).flatMap(kind -> Stream.of(kind.option(), kind.seconds() + "s")))
                .toList();
    }

    private Result measure(Kind kind, Server server, Admin admin, PacedLines good) throws IOException {
        Watcher watcher = new Watcher(server, admin);
        double before = watcher.look().resident();
        PacedLines.Answers[] others = new PacedLines.Answers[1];
        try (BadClients bad = new BadClients(kind, server.port(), connections)) {
            MemoryLoad.Use highest = watcher.during(() -> {
                bad.start();
                others[0] = good.ask(RATE, kind.all() * SECOND);
                bad.stop();
            });
            return new Result(
                    connections,
                    bad.cut(),
                    bad.earliest(),
                    bad.told(),
                    bad.sentBytes(),
                    highest.resident() - before,
                    highest.owned(),
                    others[0],
                    inFlight(admin.metrics()));
        }
    }

    static long inFlight(String metrics) {
        long sum = 0;
        Matcher line = IN_FLIGHT.matcher(metrics);
        while (line.find()) {
            sum += (long) Double.parseDouble(line.group(1));
        }
        return sum;
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
}
