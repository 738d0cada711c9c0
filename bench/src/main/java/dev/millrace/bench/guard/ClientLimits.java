// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.HttpStation;
import dev.millrace.bench.promise.PacedLines;
import dev.millrace.bench.promise.Questions;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.promise.Station;
import dev.millrace.bench.route.Fixture;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Clients of a server that limits the rows of each: one that stays below, and two that ask for four times as much, by
/// single rows and by many at a time. They are told apart by a header. Threads: one per connection.
final class ClientLimits {
    /// A client.
    ///
    /// @param key what it calls itself
    /// @param rows in a request
    /// @param load the rows that it asks for, as a multiple of the limit
    record Client(String key, int rows, double load) {
        boolean isOver() {
            return load > 1;
        }
    }

    /// What came of a client.
    record Result(Client client, PacedLines.Answers answers) {
        int answeredRows() {
            return (answers.nanos().length - answers.failed()) * client.rows();
        }

        /// The rows that it got as a part of those that it may have in that time.
        double kept() {
            return answeredRows() / (BURST + LIMIT * answers.seconds());
        }

        /// Requests that were answered neither rightly nor with 429.
        int failed() {
            return answers.failed() - answers.refused();
        }
    }

    /// All that was found out.
    ///
    /// @param alone what came of the first client without the others
    /// @param together what came of all
    record Findings(PacedLines.Answers alone, List<Result> together) {}

    static final int LIMIT = 1000;
    static final int BURST = 100;
    private static final String HEADER = "x-client";
    private static final int CONNECTIONS = 4;
    private static final int WARM_UPS = 4;
    private static final String FIRST_LINE = " HTTP/1.1\r\n";

    private ClientLimits() {}

    static List<Client> clients() {
        return List.of(new Client("modest", 1, 0.5), new Client("single", 1, 4), new Client("batches", 16, 4));
    }

    static Findings measure(long nanos, PrintStream progress, Server.Starter servers) throws IOException {
        try (Fixture fixture = Fixture.open(BenchModels.MLP);
                Server server = servers.start(List.of(
                        "serve",
                        "--model-repository",
                        fixture.repository().toString(),
                        "--http-port",
                        "0",
                        "--client-key",
                        HEADER,
                        "--client-limit",
                        Integer.toString(LIMIT),
                        "--client-burst",
                        Integer.toString(BURST)))) {
            Questions questions = new Questions(fixture);
            Client modest = clients().getFirst();
            for (int i = 0; i < WARM_UPS; i++) {
                ask(server, fixture, questions, new Client("warm-up-" + i, 1, 1), nanos / WARM_UPS);
            }
            PacedLines.Answers alone = ask(server, fixture, questions, modest, nanos);
            List<Result> together = together(server, fixture, questions, nanos);
            together.forEach(result -> progress.printf(
                    "limits: %s got %.3f of what it may have%n", result.client().key(), result.kept()));
            return new Findings(alone, together);
        }
    }

    private static List<Result> together(Server server, Fixture fixture, Questions questions, long nanos)
            throws IOException {
        List<Result> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(clients().size())) {
            List<Future<PacedLines.Answers>> answers = new ArrayList<>();
            for (Client client : clients()) {
                answers.add(threads.submit(() -> ask(server, fixture, questions, client, nanos)));
            }
            for (int i = 0; i < answers.size(); i++) {
                results.add(new Result(clients().get(i), answers.get(i).get()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IOException("a client could not go on", e);
        }
        return results;
    }

    private static PacedLines.Answers ask(
            Server server, Fixture fixture, Questions questions, Client client, long nanos) throws IOException {
        ByteBuffer[] requests = new ByteBuffer[questions.count()];
        for (int first = 0; first < requests.length; first++) {
            float[][] rows = new float[client.rows()][];
            for (int row = 0; row < rows.length; row++) {
                rows[row] = questions.row(first + row);
            }
            requests[first] = named(HttpStation.request(fixture, Station.NO_TIMEOUT, rows), client.key());
        }
        try (PacedLines lines = new PacedLines(server.port(), questions, requests, CONNECTIONS)) {
            return lines.ask(client.load() * LIMIT / client.rows(), nanos);
        }
    }

    /// The request with the client's key.
    static ByteBuffer named(ByteBuffer request, String key) {
        String text = StandardCharsets.US_ASCII.decode(request).toString();
        return ByteBuffer.wrap(text.replaceFirst(FIRST_LINE, FIRST_LINE + HEADER + ": " + key + "\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    }
}
