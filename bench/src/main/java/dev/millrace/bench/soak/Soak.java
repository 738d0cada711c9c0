// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.bench.report.Machine;
import dev.millrace.limit.Limit;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics.Totals;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Everything at random, for as long as asked: `Soak MINUTES [SEED]`.
///
/// It goes in rounds of a minute. In each, library callers and HTTP clients of every kind are at one server's runtime,
/// and more callers at a second runtime that is opened for the round and closed at its end, half of the time under its
/// callers. In half of the rounds the models of both are loaded anew, and rolled back, again and again meanwhile:
/// nobody may notice. After a round everybody stops, and nothing may be in flight, in either; what lanes counted has to
/// be what callers were told. At the end the server is closed, and no native memory and no thread may be left. In the
/// second half the resident set after rounds may not drift by 1 %, or 4 % in runs below half an hour, while the
/// compilers are still at it. Rounds with loads and those without are two levels: lanes that were not replaced keep
/// what they have pooled.
///
/// The exit status is 0 if nothing was wrong. Threads: the main one and the clients'.
public final class Soak {
    /// The server's limit for bodies.
    static final int MAX_BODY_BYTES = 1 << 20;

    private static final RuntimeConfig RUNTIME = RuntimeConfig.DEFAULT.withDrainTimeout(Duration.ofSeconds(20));
    private static final double MOST_DRIFT = 0.01;
    /// In runs too short for the compilers to be done after half of it.
    private static final double MOST_DRIFT_WHILE_WARMING = 0.04;
    private static final long WARM_SECONDS = 1800;
    private static final long SHORTEST_DRIFT_SECONDS = 300;
    private static final long ROUND_SECONDS = 60;
    private static final long JOIN_SECONDS = 90;
    private static final long LOOK_NANOS = 10_000_000;
    private static final long END_NANOS = 20_000_000_000L;

    private final AtomicReference<String> problem = new AtomicReference<>();
    /// Of clients of the server and of callers of its runtime.
    private final Tally served = new Tally(problem);
    /// Of callers of other runtimes.
    private final Tally others = new Tally(problem);
    private final Drift resident = new Drift();
    private final SplittableRandom random;
    private final long seconds;
    private final Path repository;
    private final PrintStream out;
    /// By the main thread.
    private long swaps;

    private Soak(long seconds, long seed, Path repository, PrintStream out) {
        this.out = out;
        this.seconds = seconds;
        this.random = new SplittableRandom(seed);
        this.repository = repository;
    }

    /// The program.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        long minutes = Long.parseLong(arguments[0]);
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : System.nanoTime();
        System.out.println("soak: " + minutes + " minutes, seed " + seed + ", " + Machine.describe(null));
        Path zoo = Path.of(System.getProperty("millrace.bench.zoo", "models/zoo"));
        System.exit(soak(TimeUnit.MINUTES.toSeconds(minutes), seed, zoo, System.out) ? 0 : 1);
    }

    /// Runs for so long and returns whether nothing was wrong.
    ///
    /// @param zoo the folder of the example models
    static boolean soak(long seconds, long seed, Path zoo, PrintStream out) throws IOException, InterruptedException {
        Path repository = Files.createTempDirectory("millrace-soak");
        try {
            Subject.writeInto(repository, zoo);
            return new Soak(seconds, seed, repository, out).run();
        } finally {
            delete(repository);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.map(Path::toFile).toList().reversed().forEach(File::delete);
        }
    }

    private boolean run() throws IOException, InterruptedException {
        long bytes = NativeMemory.used();
        long began = System.nanoTime();
        MillraceServer server = MillraceServer.start(config());
        out.println(header());
        for (int minute = 1; System.nanoTime() - began < TimeUnit.SECONDS.toNanos(seconds) && isRight(); minute++) {
            round(server);
            out.println(line(minute));
        }
        server.close();
        nothingLeft(bytes);
        return verdict();
    }

    private boolean isRight() {
        return problem.get() == null;
    }

    private ServerConfig config() {
        return ServerConfig.of(repository)
                .withPort(0)
                .withLimit(Limit.MAX_BODY_BYTES, MAX_BODY_BYTES)
                .withLimit(Limit.HEAD_TIMEOUT, 3000)
                .withLimit(Limit.BODY_TIMEOUT, 3000)
                .withLimit(Limit.MAX_PIPELINED, 16)
                .withRuntime(Subject.configure(RUNTIME, random));
    }

    private void round(MillraceServer server) throws InterruptedException {
        Pace pace = new Pace(random.split());
        Tally here = new Tally(problem);
        Tally alone = new Tally(problem);
        List<Totals> before = server.runtime().totals();
        Millrace second = Millrace.open(Subject.configure(RUNTIME, random), repository);
        Callers inServer = new Callers(server.runtime(), pace, here);
        Callers inSecond = new Callers(second, pace, alone);
        List<Thread> threads = new ArrayList<>();
        library(threads, inServer);
        library(threads, inSecond);
        start(threads, true, inServer::predict);
        start(threads, true, inServer::predict);
        clients(threads, new HttpClients(server.port(), pace, here));
        Swapper swapper = random.nextBoolean() ? new Swapper(pace, here) : null;
        if (swapper != null) {
            start(threads, false, draws -> swapper.swap(server.runtime(), draws));
            start(threads, false, draws -> swapper.swap(second, draws));
        }
        pace.keep(TimeUnit.SECONDS.toNanos(Math.min(ROUND_SECONDS, seconds)), this::isRight);
        if (random.nextBoolean()) {
            inSecond.closing();
            second.close();
        }
        pace.stop();
        join(threads);
        second.close();
        settle(server.runtime());
        check(server.runtime(), here, before, false);
        check(second, alone, List.of(), true);
        if (swapper != null) {
            swaps += swapper.swaps();
        }
        resident.add(swapper != null, mebibytes("VmRSS"));
        served.add(here);
        others.add(alone);
    }

    /// Also by lanes that were replaced, so that nothing that was replaced has lost or made up anything.
    private static void check(Millrace runtime, Tally callers, List<Totals> before, boolean alone) {
        runtime.statistics().forEach(callers::check);
        runtime.totals().forEach(model -> callers.check(model, before, alone));
    }

    private void library(List<Thread> threads, Callers callers) {
        start(threads, false, callers::call);
        start(threads, true, callers::call);
        start(threads, true, callers::call);
        start(threads, false, callers::beTold);
        start(threads, true, callers::beTold);
        start(threads, false, callers::turn);
        start(threads, false, callers::cancelAtRandom);
    }

    private void clients(List<Thread> threads, HttpClients clients) {
        for (int i = 0; i < 4; i++) {
            start(threads, true, clients::ask);
        }
        start(threads, true, clients::dawdle);
        start(threads, true, clients::leave);
        start(threads, true, clients::leave);
        start(threads, true, clients::stopHalfway);
        start(threads, true, clients::stopHalfway);
        start(threads, true, clients::talkNonsense);
        start(threads, true, clients::look);
    }

    private void start(List<Thread> threads, boolean virtual, Consumer<SplittableRandom> client) {
        SplittableRandom draws = random.split();
        Runnable guarded = () -> {
            try {
                client.accept(draws);
            } catch (RuntimeException | Error e) {
                e.printStackTrace();
                served.wrong("a client failed: " + e);
            }
        };
        threads.add((virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon()).start(guarded));
    }

    private void join(List<Thread> threads) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(JOIN_SECONDS);
        for (Thread thread : threads) {
            if (!thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
                served.wrong("a client still waits: lost: " + List.of(thread.getStackTrace()));
            }
        }
    }

    /// What clients left behind has a moment to end.
    private static void settle(Millrace runtime) {
        long end = System.nanoTime() + END_NANOS;
        while ((runtime.totals().stream().anyMatch(model -> model.inFlight() > 0)
                        || runtime.statistics().stream().anyMatch(lane -> lane.queued() > 0))
                && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private void nothingLeft(long bytesBefore) {
        long end = System.nanoTime() + END_NANOS;
        while (!ownThreads().isEmpty() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
        if (!ownThreads().isEmpty()) {
            served.wrong("threads are left: " + ownThreads());
        }
        if (NativeMemory.used() != bytesBefore) {
            served.wrong("native bytes are left: " + memory() + ", before " + bytesBefore);
        }
    }

    private static List<String> ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("millrace"))
                .toList();
    }

    private boolean verdict() {
        double drift = resident.secondHalf();
        if (Math.abs(drift) >= mostDrift()) {
            served.wrong("the resident set drifted by %.2f %% in the second half".formatted(100 * drift));
        }
        out.println("%s, resident set %.1f MiB, at most %.1f, drift in the second half %.2f %%%s"
                .formatted(
                        isRight() ? "passed" : "FAILED",
                        mebibytes("VmRSS"),
                        mebibytes("VmHWM"),
                        100 * drift,
                        isRight() ? "" : ": " + problem.get()));
        return isRight();
    }

    private double mostDrift() {
        if (seconds < SHORTEST_DRIFT_SECONDS) {
            return Double.POSITIVE_INFINITY;
        }
        return seconds < WARM_SECONDS ? MOST_DRIFT_WHILE_WARMING : MOST_DRIFT;
    }

    private static String header() {
        return "minute | library: told      ok  refused  expired  cancelled  failed  unavailable | HTTP: 2xx     4xx  "
                + "   5xx   cut |  swaps | MiB resident, threads, files, native bytes";
    }

    private String line(int minute) {
        Tally total = new Tally(problem);
        total.add(served);
        total.add(others);
        long told = Stream.of(Outcome.values()).mapToLong(total::told).sum();
        return "%6d | %13d %7d %8d %8d %10d %7d %12d | %9d %7d %7d %5d | %6d | %.1f, %d, %d, %s"
                .formatted(
                        minute,
                        told,
                        total.told(Outcome.OK),
                        total.told(Outcome.OVERLOADED),
                        total.told(Outcome.EXPIRED),
                        total.told(Outcome.CANCELLED),
                        total.told(Outcome.FAILED),
                        total.told(Outcome.UNAVAILABLE),
                        total.answers(200, 300),
                        total.answers(400, 500),
                        total.answers(500, 600),
                        total.cuts(),
                        swaps,
                        mebibytes("VmRSS"),
                        ManagementFactory.getThreadMXBean().getThreadCount(),
                        openFiles(),
                        memory());
    }

    private static String memory() {
        return Stream.of(MemoryTag.values())
                .map(tag -> tag + "=" + NativeMemory.used(tag))
                .collect(Collectors.joining(" "));
    }

    private static int openFiles() {
        String[] files = new File("/proc/self/fd").list();
        return files == null ? 0 : files.length;
    }

    /// A size of this process by the kernel.
    private static double mebibytes(String name) {
        String kibibytes = Machine.firstValue(Path.of("/proc/self/status"), name, "0 kB");
        return Double.parseDouble(kibibytes.replace("kB", "").strip()) / 1024;
    }
}
