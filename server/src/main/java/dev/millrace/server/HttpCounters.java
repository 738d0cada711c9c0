// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.memory.Hot;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// Counts what HTTP brings: open connections, answered requests by status, and what was over a limit. Threads: any.
final class HttpCounters {
    /// Statuses are below.
    static final int STATUSES = 600;

    private final LongAdder[] answers = adders(STATUSES);
    private final LongAdder[] limited = adders(Limit.values().length);
    private final AtomicInteger connections = new AtomicInteger();

    private static LongAdder[] adders(int count) {
        LongAdder[] adders = new LongAdder[count];
        for (int i = 0; i < count; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    @Hot
    void count(int status) {
        answers[status].increment();
    }

    long answered(int status) {
        return answers[status].sum();
    }

    /// Something was over a limit: it was refused, or the connection was closed.
    void limited(Limit limit) {
        limited[limit.ordinal()].increment();
    }

    long limitedBy(Limit limit) {
        return limited[limit.ordinal()].sum();
    }

    /// One more connection is open; returns how many that makes.
    int opened() {
        return connections.incrementAndGet();
    }

    void closed() {
        connections.decrementAndGet();
    }

    int connections() {
        return connections.get();
    }
}
