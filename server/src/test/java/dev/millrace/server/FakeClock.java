// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// A clock that goes when it is told to. Threads: any.
public final class FakeClock implements LongSupplier {
    private final AtomicLong nanos = new AtomicLong(-1_000_000);

    public void advance(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    @Override
    public long getAsLong() {
        return nanos.get();
    }
}
