// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.promise.Admin;
import dev.millrace.bench.promise.Server;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Looks at a server's memory again and again. Threads: one, and one that looks while something else is done.
final class Watcher {
    /// Does something that is watched.
    interface Act {
        void run() throws IOException;
    }

    static final Pattern LIMIT = Pattern.compile("millrace_memory_limit_bytes\\{part=\"(\\w+)\"} (\\S+)");
    static final Pattern USED = Pattern.compile("millrace_memory_used_bytes\\{part=\"(\\w+)\",tag=\"\\w+\"} (\\S+)");
    private static final Pattern NATIVE = Pattern.compile("millrace_native_memory_bytes\\{tag=\"\\w+\"} (\\S+)");
    private static final long PAUSE_NANOS = 10_000_000;
    /// Of the looks at its memory in RAM, those that also ask the server itself.
    private static final int ASKS = 5;

    private final Server server;
    private final Admin admin;
    private volatile boolean stopping;
    private volatile IOException problem;

    Watcher(Server server, Admin admin) {
        this.server = server;
        this.admin = admin;
    }

    /// What may be booked, in bytes, by part.
    Map<String, Long> limits() throws IOException {
        return sums(LIMIT, admin.metrics());
    }

    /// What is in use now.
    MemoryLoad.Use look() throws IOException {
        String metrics = admin.metrics();
        long owned = 0;
        Matcher tag = NATIVE.matcher(metrics);
        while (tag.find()) {
            owned += (long) Double.parseDouble(tag.group(1));
        }
        return new MemoryLoad.Use(server.residentMebibytes(), owned, sums(USED, metrics));
    }

    static Map<String, Long> sums(Pattern pattern, String metrics) {
        Map<String, Long> sums = new TreeMap<>();
        Matcher line = pattern.matcher(metrics);
        while (line.find()) {
            sums.merge(line.group(1), (long) Double.parseDouble(line.group(2)), Long::sum);
        }
        return sums;
    }

    /// The highest use while something is done.
    MemoryLoad.Use during(Act act) throws IOException {
        stopping = false;
        problem = null;
        MemoryLoad.Use[] highest = {look()};
        Thread thread = Thread.ofPlatform().daemon().name("bench-watcher").start(() -> watch(highest));
        try {
            act.run();
        } finally {
            stopping = true;
            join(thread);
        }
        if (problem != null) {
            throw problem;
        }
        return highest[0].orMore(look());
    }

    private void watch(MemoryLoad.Use[] highest) {
        try {
            for (int look = 0; !stopping; look++) {
                MemoryLoad.Use use =
                        look % ASKS == 0 ? look() : new MemoryLoad.Use(server.residentMebibytes(), 0, Map.of());
                highest[0] = highest[0].orMore(use);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            problem = e;
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
