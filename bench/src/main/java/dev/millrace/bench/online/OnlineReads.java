// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.online;

import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// Times `POST /get-online-features` over a real Redis on this machine, of fifty features of 1, 10, 100 and 500
/// entities, one request after another on one connection; in turns with Redis alone, asked for the same by a plain
/// client.
///
/// Threads: one.
public final class OnlineReads {
    static final int[] ROWS = {1, 10, 100, 500};
    private static final int ENTITIES = 10_000;
    private static final long SEED = 20_261_124;
    private static final int OK = 200;
    private static final String PRESENT = "\"PRESENT\"";

    private final int repeats;
    private final long repeatNanos;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /// Nanoseconds of requests, in ascending order.
    record Timed(int rows, boolean whole, long[] nanos) {}

    /// All that was found.
    record Findings(List<Timed> timed) {}

    /// @param repeats how often each has its turn
    /// @param repeatMillis how long a turn takes
    public OnlineReads(int repeats, int repeatMillis, PrintStream progress, Server.Starter servers) {
        this.repeats = repeats;
        this.repeatNanos = TimeUnit.MILLISECONDS.toNanos(repeatMillis);
        this.progress = progress;
        this.servers = servers;
    }

    /// Whether there is a redis-server to start.
    public static boolean isPossible() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "redis-server")));
    }

    /// Measures.
    ///
    /// @throws IOException if there is no redis-server, or the server does not start
    /// @throws IllegalStateException if an answer is not what is stored
    public Section measure() throws IOException {
        Path folder = Files.createTempDirectory("millrace-online");
        Path file = folder.resolve("millrace.yaml");
        Path models = Files.createDirectory(folder.resolve("models"));
        try (FilledRedis redis = FilledRedis.start(ENTITIES)) {
            Files.writeString(
                    file,
                    "feature_store: {redis: '127.0.0.1:" + redis.port() + "', project: " + FilledRedis.PROJECT
                            + ", timeout: 2s}\n");
            try (Server server = servers.start(List.of(
                    "serve",
                    "--http-port",
                    "0",
                    "--model-repository",
                    models.toString(),
                    "--config",
                    file.toString()))) {
                return new OnlineReport(measure(redis, server));
            }
        } finally {
            Files.deleteIfExists(file);
            Files.delete(models);
            Files.delete(folder);
        }
    }

    private Findings measure(FilledRedis redis, Server server) {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + "/get-online-features");
        List<Timed> all = new ArrayList<>();
        for (int rows : ROWS) {
            // The first turns warm up.
            turn(() -> whole(uri, rows));
            turn(() -> alone(redis, rows));
            List<long[]> whole = new ArrayList<>();
            List<long[]> alone = new ArrayList<>();
            for (int repeat = 0; repeat < repeats; repeat++) {
                whole.add(turn(() -> whole(uri, rows)));
                alone.add(turn(() -> alone(redis, rows)));
            }
            all.add(new Timed(rows, true, sorted(whole)));
            all.add(new Timed(rows, false, sorted(alone)));
            progress.println(rows + " rows: " + all.get(all.size() - 2).nanos()[0] / 1_000 + " us at least");
        }
        return new Findings(all);
    }

    private static long[] sorted(List<long[]> turns) {
        return turns.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    }

    private long[] turn(Runnable request) {
        List<Long> nanos = new ArrayList<>();
        long end = System.nanoTime() + repeatNanos;
        for (long start = System.nanoTime(); start < end; start = System.nanoTime()) {
            request.run();
            nanos.add(System.nanoTime() - start);
        }
        return nanos.stream().mapToLong(Long::longValue).toArray();
    }

    private long[] entities(int rows) {
        return random.longs(rows, 0, ENTITIES).toArray();
    }

    private void alone(FilledRedis redis, int rows) {
        int values = redis.read(entities(rows));
        if (values != rows * FilledRedis.VIEWS * (FilledRedis.FIELDS + 1)) {
            throw new IllegalStateException("Redis has answered " + values + " values");
        }
    }

    private void whole(URI uri, int rows) {
        StringBuilder body = new StringBuilder("{\"features\":[");
        for (int i = 0; i < FilledRedis.VIEWS * FilledRedis.FIELDS; i++) {
            body.append(i > 0 ? "," : "")
                    .append("\"v")
                    .append(i / FilledRedis.FIELDS)
                    .append(":f");
            body.append(i % FilledRedis.FIELDS).append('"');
        }
        body.append("],\"entities\":{\"").append(FilledRedis.KEY).append("\":");
        body.append(Arrays.toString(entities(rows))).append("},\"full_feature_names\":true}");
        try {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(uri)
                            .POST(BodyPublishers.ofString(body.toString()))
                            .build(),
                    BodyHandlers.ofString());
            requirePresent(answer, rows);
        } catch (IOException e) {
            throw new IllegalStateException("the server does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// Every value is there. To count them takes part of the time that is measured, a little.
    private static void requirePresent(HttpResponse<String> answer, int rows) {
        int found = 0;
        String body = answer.body();
        for (int at = body.indexOf(PRESENT); at >= 0; at = body.indexOf(PRESENT, at + PRESENT.length())) {
            found++;
        }
        int expected = rows * (FilledRedis.VIEWS * FilledRedis.FIELDS + 1);
        if (answer.statusCode() != OK || found != expected) {
            throw new IllegalStateException(answer.statusCode() + ", " + found + " of " + expected + " values: "
                    + body.substring(0, Math.min(body.length(), 300)));
        }
    }
}
