// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.wire.EchoServer;
import dev.millrace.bench.wire.HttpContestant;
import dev.millrace.bench.wire.Post;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The server as users start it, beside a floor that only echoes, each on one event loop in a process of its own.
/// `wrk` loads them in turns.
///
/// Threads: one. Ownership: it closes what it starts.
final class HttpBench implements AutoCloseable {
    /// The compilers are at work for about ten seconds, and take them from the servers where there are two cores.
    private static final int WARM_UP_SECONDS = 15;

    /// Connections that send at the same time.
    static final List<Integer> CONNECTIONS = List.of(32, 1);

    /// Pairs of loads for a round, when two servers are compared that differ little.
    private static final int RECORDING_PAIRS = 4;
    /// Pairs that are not counted.
    private static final int RECORDING_WARM_UPS = 2;

    /// The same for the floor and for the server.
    record Both<T>(T echo, T millrace) {}

    /// All that was found out.
    ///
    /// @param requestBytes the length of a request's body
    /// @param answerBytes the length of an answer's body
    /// @param loads per number of connections one pair per round
    /// @param starts milliseconds from the start of the process to the first answer, one pair per round
    /// @param memorySeconds how long each was loaded after that, with the most connections
    /// @param memory MiB in RAM then
    record Findings(
            int requestBytes,
            int answerBytes,
            Map<Integer, List<Both<Wrk.Load>>> loads,
            List<Both<Double>> starts,
            int memorySeconds,
            Both<Double> memory) {}

    private final Effort effort;
    private final PrintStream progress;
    private final Path log;
    private final Fixture fixture = Fixture.open(BenchModels.MLP);
    private final String path = "/v2/models/" + fixture.name() + "/infer";
    private final List<Post> requests = Stream.of(fixture.examples().floats())
            .map(row -> Post.json(path, row, row.length))
            .toList();

    /// @param log gets what the servers and `wrk` print
    HttpBench(Effort effort, PrintStream progress, Path log) {
        this.effort = effort;
        this.progress = progress;
        this.log = log;
    }

    /// Measures, if there is `wrk`; otherwise says how to get it.
    ///
    /// @throws Gate.Refusal if an answer was wrong or missing
    Optional<Findings> measure() throws IOException {
        Optional<Path> program = findWrk(progress);
        if (program.isEmpty()) {
            return Optional.empty();
        }
        byte[] answer = checkedAnswer();
        List<Both<Double>> starts = starts(answer);
        try (Wrk wrk = new Wrk(program.get(), requests.getFirst(), log);
                ServerProcess echo = echo(answer);
                ServerProcess millrace = millrace()) {
            checkSameAnswer(echo, millrace);
            Map<Integer, List<Both<Wrk.Load>>> loads = loads(wrk, new Both<>(echo, millrace));
            var memory = new Both<>(memory(wrk, echo), memory(wrk, millrace));
            check(millrace);
            return Optional.of(new Findings(
                    requests.getFirst().body().length,
                    HttpContestant.bodyLength(answer),
                    loads,
                    starts,
                    effort.memorySeconds(),
                    memory));
        }
    }

    /// The load generator; where there is none, says how to get it.
    static Optional<Path> findWrk(PrintStream progress) {
        Optional<Path> program = Wrk.find();
        if (program.isEmpty()) {
            progress.println("HTTP is not measured: there is no wrk on the PATH (Debian, Ubuntu: apt install wrk)");
        }
        return program;
    }

    /// Requests per second of a server that records as a share of those of one that does not, with the most
    /// connections, one per pair of loads; none if there is no `wrk`. Both take turns; the order changes.
    ///
    /// @throws Gate.Refusal if an answer was wrong or missing
    List<Double> recordingShares() throws IOException {
        List<Double> shares = new ArrayList<>();
        Optional<Path> program = findWrk(progress);
        if (program.isEmpty()) {
            return shares;
        }
        try (Wrk wrk = new Wrk(program.get(), requests.getFirst(), log);
                ServerProcess with = millrace();
                ServerProcess without = millrace("--no-recording")) {
            for (int pair = -RECORDING_WARM_UPS; pair < RECORDING_PAIRS * effort.httpRounds(); pair++) {
                boolean withFirst = pair % 2 == 0;
                double first = rate(wrk, withFirst ? with : without);
                double second = rate(wrk, withFirst ? without : with);
                if (pair >= 0) {
                    shares.add(withFirst ? first / second : second / first);
                }
            }
            check(with);
            check(without);
        }
        progress.printf("recording: HTTP: %d pairs%n", shares.size());
        return shares;
    }

    private double rate(Wrk wrk, ServerProcess server) throws IOException {
        return wrk.run(url(server), CONNECTIONS.getFirst(), effort.httpSeconds())
                .requestsPerSecond();
    }

    /// MiB in RAM after a long load.
    private double memory(Wrk wrk, ServerProcess server) throws IOException {
        wrk.run(url(server), CONNECTIONS.getFirst(), effort.memorySeconds());
        double mebibytes = server.residentMebibytes();
        progress.printf(
                "%.0f MiB in RAM after %d s at %d connections%n",
                mebibytes, effort.memorySeconds(), CONNECTIONS.getFirst());
        return mebibytes;
    }

    private ServerProcess echo(byte[] answer) throws IOException {
        return ServerProcess.start(log, EchoServer.class, EchoServer.argument(answer));
    }

    private ServerProcess millrace(String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "serve",
                "--model-repository",
                fixture.repository().toString(),
                "--http-port",
                "0",
                "--event-loops",
                "1"));
        arguments.addAll(List.of(more));
        return ServerProcess.startMillrace(log, arguments);
    }

    private HttpContestant contestant(int port) throws IOException {
        return new HttpContestant(port, requests);
    }

    /// What the server answers to the first row, after it answered all of them like the floor.
    private byte[] checkedAnswer() throws IOException {
        try (ServerProcess millrace = millrace()) {
            check(millrace);
            progress.printf("over HTTP %d rows are answered like the floor%n", Examples.COUNT);
            return answer(millrace);
        }
    }

    private void check(ServerProcess millrace) throws IOException {
        check("the server", millrace.port());
    }

    /// Lets a server through the gate.
    ///
    /// @throws Gate.Refusal if it answers otherwise than the floor
    void check(String name, int port) throws IOException {
        try (Contestant server = contestant(port)) {
            fixture.gate().check(name, server, 1);
        }
    }

    private byte[] answer(ServerProcess server) throws IOException {
        try (HttpContestant client = contestant(server.port())) {
            client.run(0);
            return client.wire();
        }
    }

    /// Both send the same bytes, so that neither has more to send.
    private void checkSameAnswer(ServerProcess echo, ServerProcess millrace) throws IOException {
        try (HttpContestant one = contestant(echo.port());
                HttpContestant other = contestant(millrace.port())) {
            one.run(0);
            other.run(0);
            if (!Arrays.equals(one.wire(), other.wire())) {
                throw new Gate.Refusal(
                        "the echo does not send what the server sends: " + one.body() + " and " + other.body(), null);
            }
        }
    }

    /// The first pair starts with cold caches and is not counted.
    private List<Both<Double>> starts(byte[] answer) throws IOException {
        List<Both<Double>> all = new ArrayList<>();
        for (int round = 0; round <= effort.httpRounds(); round++) {
            var both = new Both<>(startMillis(() -> echo(answer)), startMillis(() -> millrace()));
            if (round > 0) {
                all.add(both);
                progress.printf(
                        "round %d of %d: first answer after %.0f ms by the echo, %.0f ms by the server%n",
                        round, effort.httpRounds(), both.echo(), both.millrace());
            }
        }
        return all;
    }

    private double startMillis(Starter starter) throws IOException {
        long start = System.nanoTime();
        try (ServerProcess server = starter.start();
                HttpContestant client = contestant(server.port())) {
            client.run(0);
            return (System.nanoTime() - start) / 1e6;
        }
    }

    private Map<Integer, List<Both<Wrk.Load>>> loads(Wrk wrk, Both<ServerProcess> servers) throws IOException {
        String echo = url(servers.echo());
        String millrace = url(servers.millrace());
        int seconds = effort.httpSeconds();
        Map<Integer, List<Both<Wrk.Load>>> all = new LinkedHashMap<>();
        for (int connections : CONNECTIONS) {
            wrk.run(echo, connections, WARM_UP_SECONDS);
            wrk.run(millrace, connections, WARM_UP_SECONDS);
            all.put(connections, new ArrayList<>());
        }
        for (int round = 1; round <= effort.httpRounds(); round++) {
            for (int connections : CONNECTIONS) {
                var both = new Both<>(wrk.run(echo, connections, seconds), wrk.run(millrace, connections, seconds));
                all.get(connections).add(both);
                report(round, connections, both);
            }
        }
        return all;
    }

    private String url(ServerProcess server) {
        return "http://127.0.0.1:" + server.port() + path;
    }

    private void report(int round, int connections, Both<Wrk.Load> both) {
        progress.printf(
                "round %d of %d: HTTP, %d connections: %.0f requests/s by the echo, %.0f by the server, %.2f of it%n",
                round,
                effort.httpRounds(),
                connections,
                both.echo().requestsPerSecond(),
                both.millrace().requestsPerSecond(),
                both.millrace().requestsPerSecond() / both.echo().requestsPerSecond());
    }

    @Override
    public void close() {
        fixture.close();
    }

    /// Starts a server.
    private interface Starter {
        ServerProcess start() throws IOException;
    }
}
