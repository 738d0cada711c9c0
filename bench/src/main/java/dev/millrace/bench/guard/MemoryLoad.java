// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.PerceptronFile;
import dev.millrace.bench.promise.Admin;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// A server with little memory, asked for more than it has by several clients at a time, and told to load a model that
/// does not fit. The server is a process of its own.
///
/// Threads: one per client and one that watches. Ownership: it closes what it opens, and deletes what it writes.
public final class MemoryLoad implements AutoCloseable {
    /// What became of requests of one size.
    ///
    /// @param statuses how many were answered so; [Asker#LOST] and [Asker#UNANSWERED] had no answer
    /// @param told of those refused, how many were told numbers
    record Requests(Map<Integer, Integer> statuses, int told) {
        Requests {
            statuses = Map.copyOf(statuses);
        }

        int count(int status) {
            return statuses.getOrDefault(status, 0);
        }

        int refused() {
            return count(Asker.TOO_LARGE) + count(Asker.OVERLOADED) + count(Asker.UNAVAILABLE);
        }
    }

    /// What is in use.
    ///
    /// @param resident MiB in RAM
    /// @param owned native bytes that it owns
    /// @param booked bytes by part
    record Use(double resident, long owned, Map<String, Long> booked) {
        Use {
            booked = Map.copyOf(booked);
        }

        /// The larger one of each number.
        Use orMore(Use other) {
            Map<String, Long> most = new TreeMap<>(booked);
            other.booked.forEach((part, bytes) -> most.merge(part, bytes, Math::max));
            return new Use(Math.max(resident, other.resident), Math.max(owned, other.owned), most);
        }
    }

    /// All that was found out.
    ///
    /// @param limits bytes that may be booked, by part
    /// @param idle before the load
    /// @param highest under it
    /// @param after after it
    /// @param bySize what became of requests, by their bytes
    /// @param afterwards what a small request was answered after it
    /// @param modelBytes of the model that does not fit
    /// @param refusal what its load was answered; empty if it was loaded
    /// @param loading the highest while it was to be loaded
    record Findings(
            Map<String, Long> limits,
            Use idle,
            Use highest,
            Use after,
            Map<Integer, Requests> bySize,
            int afterwards,
            long modelBytes,
            String refusal,
            Use loading) {}

    static final int LIMIT_MEBIBYTES = 192;
    static final int HEAP_MEBIBYTES = 256;
    static final int DIRECT_MEBIBYTES = 64;
    /// What the runtime plans for the rest of a JVM: 128 MiB and a part of the heap for its collector.
    static final int JVM_MEBIBYTES = 128 + HEAP_MEBIBYTES / 32;

    private static final int[] NUMBERS = {1_000, 250_000, 1_000_000, 3_000_000, 6_000_000, 14_000_000};
    private static final int[] WIDTHS = {256, 4096, 4096, 4096, 4096, 1};
    private static final int CLIENTS = 8;
    private static final int WARM_UPS = 200;
    private static final long SETTLE_MILLIS = 500;

    private final long nanos;
    private final int[] widths;
    private final PrintStream progress;
    private final Server.Starter servers;
    private final Path repository;

    /// @param millis how long the load is
    /// @param progress gets a line per part
    /// @param servers starts them with [#jvmOptions()]
    public MemoryLoad(long millis, PrintStream progress, Server.Starter servers) throws IOException {
        this(millis, progress, servers, WIDTHS);
    }

    /// @param widths of the layers of the model that does not fit
    MemoryLoad(long millis, PrintStream progress, Server.Starter servers, int... widths) throws IOException {
        this.nanos = millis * 1_000_000;
        this.widths = widths;
        this.progress = progress;
        this.servers = servers;
        this.repository = Files.createTempDirectory("millrace-memory");
    }

    /// What limits the rest of the server's JVM.
    public static List<String> jvmOptions() {
        return List.of("-Xmx" + HEAP_MEBIBYTES + "m", "-XX:MaxDirectMemorySize=" + DIRECT_MEBIBYTES + "m");
    }

    /// Measures everything.
    public Section measure() throws IOException {
        return new MemoryReport(all());
    }

    Findings all() throws IOException {
        WholeModel.writeInto(repository);
        List<String> arguments = new ArrayList<>(List.of(
                "serve",
                "--model-repository",
                repository.toString(),
                "--http-port",
                "0",
                "--memory-limit",
                Long.toString((long) LIMIT_MEBIBYTES << 20)));
        arguments.addAll(Admin.arguments(false));
        try (Server server = servers.start(arguments);
                Admin admin = new Admin(server.port());
                Asker asker = new Asker(server.port())) {
            Watcher watcher = new Watcher(server, admin);
            for (int i = 0; i < WARM_UPS; i++) {
                asker.ask(NUMBERS[0]);
            }
            Use idle = watcher.look();
            Map<Integer, Requests> bySize = new TreeMap<>();
            Use highest = watcher.during(() -> load(asker, bySize));
            progress.printf("memory: %.0f MiB in RAM idle, %.0f at most%n", idle.resident(), highest.resident());
            settle();
            int afterwards = asker.ask(NUMBERS[0]).status();
            Use after = watcher.look();
            PerceptronFile large = PerceptronFile.writeInto(repository, "large", widths);
            String[] refusal = {""};
            Use loading = watcher.during(() -> refusal[0] = load(admin, large));
            progress.printf("memory: %s%n", refusal[0]);
            return new Findings(
                    watcher.limits(), idle, highest, after, bySize, afterwards, large.bytes(), refusal[0], loading);
        }
    }

    private static void settle() throws IOException {
        try {
            Thread.sleep(SETTLE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static String load(Admin admin, PerceptronFile large) {
        try {
            admin.load(large.name());
            return "";
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    private void load(Asker asker, Map<Integer, Requests> bySize) throws IOException {
        byte[][] bodies = new byte[NUMBERS.length][];
        for (int size = 0; size < NUMBERS.length; size++) {
            bodies[size] = WholeModel.body(NUMBERS[size]);
        }
        long end = System.nanoTime() + nanos;
        List<Future<Tally>> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
            for (int client = 0; client < CLIENTS; client++) {
                SplittableRandom random = new SplittableRandom(client);
                clients.add(threads.submit(() -> {
                    Tally tally = new Tally();
                    while (System.nanoTime() - end < 0) {
                        int size = random.nextInt(NUMBERS.length);
                        tally.add(size, asker.ask(NUMBERS[size], bodies[size]));
                    }
                    return tally;
                }));
            }
            Tally all = new Tally();
            for (Future<Tally> client : clients) {
                all.add(client.get());
            }
            for (int size = 0; size < NUMBERS.length; size++) {
                bySize.put(bodies[size].length, all.requests(size));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
            throw new IOException("a client could not go on", e);
        }
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(repository)) {
            files.map(Path::toFile).toList().reversed().forEach(File::delete);
        } catch (IOException e) {
            progress.println(repository + " could not be deleted: " + e);
        }
    }

    /// What became of requests, by size. Threads: one.
    private static final class Tally {
        private final List<Map<Integer, Integer>> statuses = new ArrayList<>();
        private final int[] told = new int[NUMBERS.length];

        Tally() {
            for (int i = 0; i < NUMBERS.length; i++) {
                statuses.add(new TreeMap<>());
            }
        }

        void add(int size, Asker.Answer answer) {
            statuses.get(size).merge(answer.status(), 1, Integer::sum);
            told[size] += answer.hasNumbers() ? 1 : 0;
        }

        void add(Tally other) {
            for (int size = 0; size < NUMBERS.length; size++) {
                Map<Integer, Integer> own = statuses.get(size);
                other.statuses.get(size).forEach((status, count) -> own.merge(status, count, Integer::sum));
                told[size] += other.told[size];
            }
        }

        Requests requests(int size) {
            return new Requests(statuses.get(size), told[size]);
        }
    }
}
