// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Outcome;

/// Where requests go. Threads: the generator's.
public interface Station extends AutoCloseable {
    /// Without a deadline.
    long NO_TIMEOUT = Call.NO_TIMEOUT;

    /// Sets the deadline of what follows, in nanoseconds from when it is submitted; [#NO_TIMEOUT] for none.
    void timeout(long nanos);

    /// Sends a request and returns at once. If it is accepted, or not known to be refused yet, the station tells the
    /// ledger how it ended, maybe before this returns.
    ///
    /// @return [Outcome#OK], or why it is refused
    Outcome submit(Ledger ledger, int request);

    /// What is to be done while no request is due; short.
    void idle();

    @Override
    void close();
}
