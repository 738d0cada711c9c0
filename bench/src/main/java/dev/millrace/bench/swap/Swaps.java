// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.swap;

import dev.millrace.bench.promise.Admin;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A model that is replaced under clients that ask for it as fast as they are answered: one swap a second without
/// trials, one after the other with each tried first, and back and forth between two that are kept warm. The server is
/// a process of its own.
///
/// Threads: one; the clients have one of their own. Ownership: it deletes what it writes.
public final class Swaps {
    /// How a model is replaced.
    enum Way {
        PACED(false, "one a second, no trial"),
        BACK_TO_BACK(true, "one after the other, each tried first"),
        ROLLED_BACK(false, "one a second, back to one that is kept warm");

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

    /// What was found out about one way.
    ///
    /// @param alone requests before the first swap
    /// @param during requests from the first swap to the last
    /// @param swapNanos how long each swap took
    /// @param bytesBefore native memory by its tags before these, of a version that nobody has asked
    /// @param bytesAfter as `bytesBefore`, after the last
    /// @param resident MiB that the server has in RAM after each swap
    record Findings(
            Clients.Tally alone,
            Clients.Tally during,
            double aloneSeconds,
            double duringSeconds,
            long[] swapNanos,
            Map<String, Long> bytesBefore,
            Map<String, Long> bytesAfter,
            double[] resident) {
        /// The swap after which memory is looked at first.
        int settled() {
            return Math.max(1, resident.length / 6);
        }

        /// MiB that the server has in RAM from then on, the median after as many swaps as were made until then:
        /// from one swap to the next it differs by as much as it may grow by.
        double early() {
            return median(settled() - 1);
        }

        /// As [#early()] for the last swaps.
        double late() {
            return median(resident.length - settled());
        }

        private double median(int from) {
            double[] sorted = Arrays.copyOfRange(resident, from, from + settled());
            Arrays.sort(sorted);
            return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        }

        /// By which share the server has grown since.
        double growth() {
            return late() / early() - 1;
        }

        /// What was promised and is not so; empty if all is.
        String broken() {
            List<String> broken = new ArrayList<>();
            for (Clients.Tally tally : List.of(alone, during)) {
                if (tally.failed() + tally.wrong() > 0) {
                    broken.add(tally.failed() + " requests failed, " + tally.wrong() + " answers were not of what was"
                            + " live: " + tally.problem());
                }
            }
            if (!bytesAfter.equals(bytesBefore)) {
                broken.add("native bytes were " + bytesBefore + " and are " + bytesAfter);
            }
            if (!(growth() <= MOST_GROWTH)) {
                broken.add("the server has grown by %.1f %% since swap %d".formatted(100 * growth(), settled()));
            }
            return String.join("; ", broken);
        }
    }

    static final int CONNECTIONS = 16;
    private static final double MOST_GROWTH = 0.05;
    /// As long without a change, and a version that was replaced is gone.
    private static final long STEADY_MILLIS = 500;
    private static final long DRAIN_NANOS = 10_000_000_000L;

    private final int swaps;
    private final long millis;
    private final PrintStream progress;
    private final Server.Starter servers;

    /// @param swaps how often the model is replaced in each way
    /// @param millis from one swap to the next, where they are paced; ten times that it is asked before without
    ///     any, and before that as long for the compilers
    /// @param progress gets a line now and then
    public Swaps(int swaps, long millis, PrintStream progress, Server.Starter servers) {
        this.swaps = swaps;
        this.millis = millis;
        this.progress = progress;
        this.servers = servers;
    }

    /// Measures everything.
    public Section measure() throws IOException {
        return new SwapsReport(all());
    }

    Map<Way, Findings> all() throws IOException {
        Map<Way, Findings> all = new EnumMap<>(Way.class);
        for (Way way : Way.values()) {
            Findings found = measure(way);
            progress.printf(
                    "swaps, %s: %,d requests, %d failed, %d wrong, %.1f MiB after swap %d, %.1f after %d%s%n",
                    way.title(),
                    found.during().answered(),
                    found.during().failed(),
                    found.during().wrong(),
                    found.early(),
                    found.settled(),
                    found.late(),
                    swaps,
                    found.broken().isEmpty() ? "" : ": " + found.broken());
            all.put(way, found);
        }
        return all;
    }

    private Findings measure(Way way) throws IOException {
        Path repository = Files.createTempDirectory("millrace-swaps");
        try {
            SwappedModel model = new SwappedModel(repository, way == Way.ROLLED_BACK);
            List<String> arguments =
                    new ArrayList<>(List.of("serve", "--model-repository", repository.toString(), "--http-port", "0"));
            arguments.addAll(Admin.arguments(way.tried));
            try (Server server = servers.start(arguments);
                    Admin admin = new Admin(server.port());
                    Clients clients = new Clients(server.port(), CONNECTIONS, model)) {
                return measure(way, server, admin, clients, model);
            }
        } finally {
            delete(repository);
        }
    }

    private Findings measure(Way way, Server server, Admin admin, Clients clients, SwappedModel model)
            throws IOException {
        Clients.Tally warmUp = new Clients.Tally();
        clients.count(warmUp);
        sleep(10 * millis);
        clients.pause();
        if (way == Way.ROLLED_BACK) {
            // Only then there is one to go back to.
            model.prepare();
            swap(Way.PACED, admin, model);
        }
        Clients.Tally alone = new Clients.Tally();
        long began = System.nanoTime();
        clients.count(alone);
        sleep(10 * millis);
        clients.pause();
        double aloneSeconds = (System.nanoTime() - began) / 1e9;
        Map<String, Long> before = unasked(way, admin, model, null);
        Clients.Tally during = new Clients.Tally();
        long[] nanos = new long[swaps];
        double[] resident = new double[swaps];
        began = System.nanoTime();
        clients.count(during);
        for (int i = 0; i < swaps; i++) {
            prepare(way, model);
            if (way != Way.BACK_TO_BACK) {
                sleep(millis * i - (System.nanoTime() - began) / 1_000_000);
            }
            nanos[i] = swap(way, admin, model);
            resident[i] = server.residentMebibytes();
        }
        clients.pause();
        double duringSeconds = (System.nanoTime() - began) / 1e9;
        return new Findings(
                alone,
                during,
                aloneSeconds,
                duringSeconds,
                nanos,
                before,
                unasked(way, admin, model, before),
                resident);
    }

    private static void prepare(Way way, SwappedModel model) throws IOException {
        if (way != Way.ROLLED_BACK) {
            model.prepare();
        }
    }

    private static long swap(Way way, Admin admin, SwappedModel model) throws IOException {
        long start = System.nanoTime();
        model.swapping();
        if (way == Way.ROLLED_BACK) {
            admin.rollback(SwappedModel.NAME);
        } else {
            admin.load(SwappedModel.NAME);
        }
        long nanos = System.nanoTime() - start;
        model.swapped();
        return nanos;
    }

    /// Native memory with a version that nobody has asked yet, once what it replaced is gone; as it
    /// is after a while if that is not. The server keeps memory of requests that are over for the
    /// next ones, as much as were open at once, which is by chance: of a version that was asked it
    /// would not compare.
    ///
    /// @param before what it was when it was looked at first, or null if this is the first time
    private static Map<String, Long> unasked(Way way, Admin admin, SwappedModel model, Map<String, Long> before)
            throws IOException {
        prepare(way, model);
        swap(way, admin, model);
        long end = System.nanoTime() + DRAIN_NANOS;
        Map<String, Long> now = admin.nativeBytes();
        Map<String, Long> last = null;
        while (!(before == null ? now.equals(last) : now.equals(before)) && System.nanoTime() - end < 0) {
            sleep(before == null ? STEADY_MILLIS : 10);
            last = now;
            now = admin.nativeBytes();
        }
        return now;
    }

    private static void sleep(long millis) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.map(Path::toFile).toList().reversed().forEach(File::delete);
        }
    }
}
