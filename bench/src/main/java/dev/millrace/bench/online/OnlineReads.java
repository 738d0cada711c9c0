// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.online;

import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Times `POST /get-online-features` over a real Redis on this machine, of fifty features of 1, 10, 100 and 500
/// entities, one request after another on one connection; in turns with Redis alone, asked for the same by a plain
/// client.
///
/// Threads: one.
public final class OnlineReads {
    static final int[] ROWS = {1, 10, 100, 500};
    private static final int ENTITIES = 10_000;
    private static final long SEED = 20_261_124;
    /// Of each size before it counts.
    private static final int WARM_UP_TURNS = 4;
    private static final String PRESENT = "\"PRESENT\"";

    private final int repeats;
    private final long repeatNanos;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final SplittableRandom random = new SplittableRandom(SEED);

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

    private Findings measure(FilledRedis redis, Server server) throws IOException {
        List<Timed> all = new ArrayList<>();
        try (PlainClient client = new PlainClient(server.port())) {
            for (int rows : ROWS) {
                for (int turn = 0; turn < WARM_UP_TURNS; turn++) {
                    turn(() -> whole(client, rows));
                    turn(() -> alone(redis, rows));
                }
                List<long[]> whole = new ArrayList<>();
                List<long[]> alone = new ArrayList<>();
                for (int repeat = 0; repeat < repeats; repeat++) {
                    whole.add(turn(() -> whole(client, rows)));
                    alone.add(turn(() -> alone(redis, rows)));
                }
                all.add(new Timed(rows, true, sorted(whole)));
                all.add(new Timed(rows, false, sorted(alone)));
                progress.println(rows + " rows: " + all.get(all.size() - 2).nanos()[0] / 1_000 + " us at least");
            }
        }
        return new Findings(all);
    }

    private static long[] sorted(List<long[]> turns) {
        return turns.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    }

    private long[] turn(LongSupplier request) {
        List<Long> nanos = new ArrayList<>();
        long end = System.nanoTime() + repeatNanos;
        while (nanos.isEmpty() || System.nanoTime() < end) {
            nanos.add(request.getAsLong());
        }
        return nanos.stream().mapToLong(Long::longValue).toArray();
    }

    private long[] entities(int rows) {
        return random.longs(rows, 0, ENTITIES).toArray();
    }

    private long alone(FilledRedis redis, int rows) {
        long[] entities = entities(rows);
        long start = System.nanoTime();
        int values = redis.read(entities);
        long nanos = System.nanoTime() - start;
        if (values != rows * FilledRedis.VIEWS * (FilledRedis.FIELDS + 1)) {
            throw new IllegalStateException("Redis has answered " + values + " values");
        }
        return nanos;
    }

    private long whole(PlainClient client, int rows) {
        byte[] request = PlainClient.post("/get-online-features", body(rows));
        try {
            long start = System.nanoTime();
            byte[] answer = client.ask(request);
            long nanos = System.nanoTime() - start;
            requirePresent(new String(answer, StandardCharsets.UTF_8), rows);
            return nanos;
        } catch (IOException e) {
            throw new IllegalStateException("the server does not answer", e);
        }
    }

    private String body(int rows) {
        StringBuilder body = new StringBuilder("{\"features\":[");
        for (int i = 0; i < FilledRedis.VIEWS * FilledRedis.FIELDS; i++) {
            body.append(i > 0 ? "," : "")
                    .append("\"v")
                    .append(i / FilledRedis.FIELDS)
                    .append(":f");
            body.append(i % FilledRedis.FIELDS).append('"');
        }
        body.append("],\"entities\":{\"").append(FilledRedis.KEY).append("\":");
        return body.append(Arrays.toString(entities(rows)))
                .append("},\"full_feature_names\":true}")
                .toString();
    }

    /// Every value is there.
    private static void requirePresent(String body, int rows) {
        int found = 0;
        for (int at = body.indexOf(PRESENT); at >= 0; at = body.indexOf(PRESENT, at + PRESENT.length())) {
            found++;
        }
        int expected = rows * (FilledRedis.VIEWS * FilledRedis.FIELDS + 1);
        if (found != expected) {
            throw new IllegalStateException(
                    found + " of " + expected + " values: " + body.substring(0, Math.min(body.length(), 300)));
        }
    }
}
