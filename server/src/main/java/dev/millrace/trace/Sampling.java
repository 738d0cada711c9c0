// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.runtime.Call;
import java.util.concurrent.atomic.AtomicLong;

/// Chooses the requests that are traced by one setting: of one model, or of all that have none of their own. Threads:
/// any.
public final class Sampling {
    private final Tracing tracing;
    private final TraceSettings settings;
    private final AtomicLong seen = new AtomicLong();
    private final AtomicLong left;

    /// @param left how many more may be traced; -1 for no end
    Sampling(Tracing tracing, TraceSettings settings, long left) {
        this.tracing = tracing;
        this.settings = settings;
        this.left = new AtomicLong(left);
    }

    TraceSettings settings() {
        return settings;
    }

    /// How many more may be traced; -1 for no end.
    long left() {
        return left.get();
    }

    /// Whether this request is traced. It is counted.
    boolean draws() {
        if (!settings.traces() || seen.incrementAndGet() % settings.rate() != 0) {
            return false;
        }
        long now = left.get();
        while (now > 0 && !left.compareAndSet(now, now - 1)) {
            now = left.get();
        }
        return now != 0;
    }

    /// A request that was drawn is answered, and its answer is written. One that is not answered leaves no trace.
    ///
    /// @param id the request's, or null
    public void answered(FrontEnd frontEnd, Call call, String id) {
        if (call.timing().isComplete()) {
            tracing.keep(this, frontEnd, call, id);
        }
    }
}
