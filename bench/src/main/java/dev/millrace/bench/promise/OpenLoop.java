// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.runtime.Outcome;
import java.util.function.LongSupplier;

/// Sends requests: at given times, whatever becomes of them, or as many as are answered.
///
/// Threads: one, the generator's, which does not sleep.
public final class OpenLoop {
    /// Requests of a closed loop that are in flight together.
    static final int IN_FLIGHT = 16;

    private static final long HEAD_START_NANOS = 100_000;
    private static final int MOST = 1 << 17;

    private final Station station;
    private final LongSupplier clock;

    /// @param clock in nanoseconds
    public OpenLoop(Station station, LongSupplier clock) {
        this.station = station;
        this.clock = clock;
    }

    /// Sends each request when it is due, and waits until all have ended.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if something happened that must not
    public Ledger run(Schedule schedule) {
        long start = clock.getAsLong() + HEAD_START_NANOS;
        Ledger ledger = new Ledger(start, schedule.due());
        for (int request = 0; request < schedule.count(); request++) {
            long at = start + schedule.due()[request];
            while (clock.getAsLong() - at < 0) {
                station.idle();
            }
            submit(ledger, request);
        }
        awaitEnd(ledger);
        return ledger.checked();
    }

    private void submit(Ledger ledger, int request) {
        ledger.submitting(request, clock.getAsLong());
        Outcome admission = station.submit(ledger, request);
        if (admission != Outcome.OK) {
            ledger.refused(request, admission, clock.getAsLong());
        }
    }

    private void awaitEnd(Ledger ledger) {
        while (ledger.open() > 0) {
            station.idle();
        }
    }

    /// Keeps [#IN_FLIGHT] requests in flight for `nanos` nanoseconds, and returns answers per second until the last
    /// one.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if something happened that must not
    public double saturate(long nanos) {
        Ledger ledger = new Ledger(clock.getAsLong(), new long[MOST]);
        long start = clock.getAsLong();
        int count = 0;
        while (count < MOST && clock.getAsLong() - start < nanos) {
            if (ledger.open() < IN_FLIGHT) {
                submit(ledger, count++);
            } else {
                station.idle();
            }
        }
        awaitEnd(ledger);
        ledger.checked();
        return count * 1e9 / (clock.getAsLong() - start);
    }
}
