// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.grpc.GrpcEvents;
import dev.millrace.limit.Limit;
import dev.millrace.limit.ReceivingBudget;
import dev.millrace.memory.Hot;
import io.grpc.Status;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// Counts what HTTP and gRPC bring: open connections, answered requests by status, and what was over a limit. Threads:
/// any.
final class HttpCounters {
    /// Statuses are below.
    static final int STATUSES = 600;

    private final LongAdder[] answers = adders(STATUSES);
    private final LongAdder[] calls = adders(Status.Code.values().length);
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

    /// A call of gRPC has ended with a code.
    void ended(int code) {
        calls[code].increment();
    }

    /// How many calls of gRPC ended with each code, by its name.
    Map<String, LongSupplier> calls() {
        Map<String, LongSupplier> all = new LinkedHashMap<>();
        for (Status.Code code : Status.Code.values()) {
            all.put(code.name(), calls[code.value()]::sum);
        }
        return all;
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

    /// Counts what gRPC brings together with what HTTP does. Threads: any.
    ///
    /// @param counters of the server
    /// @param receiving memory for bodies and messages that have not come wholly
    record OfGrpc(HttpCounters counters, ReceivingBudget receiving) implements GrpcEvents {
        @Override
        public int opened() {
            return counters.opened();
        }

        @Override
        public void closed() {
            counters.closed();
        }

        @Override
        public void limited(Limit limit) {
            counters.limited(limit);
        }

        @Override
        public boolean receiving(long bytes) {
            return receiving.take(bytes);
        }

        @Override
        public void received(long bytes) {
            receiving.giveBack(bytes);
        }

        @Override
        public String tooMuchReceiving() {
            counters.limited(Limit.MAX_RECEIVING_BYTES);
            return "bodies on their way take " + receiving.used() + " bytes, at most " + receiving.limit()
                    + " are allowed (" + Limit.MAX_RECEIVING_BYTES.option() + ")";
        }

        @Override
        public void ended(int code) {
            counters.ended(code);
        }
    }
}
