// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

/// How long after an overload requests are answered again as they were before it. Stateless.
final class Recovery {
    /// Never, as far as was looked.
    static final long NEVER = Long.MAX_VALUE;

    private static final long WINDOW_NANOS = 100_000_000;
    private static final long STEP_NANOS = 10_000_000;
    private static final double SLACK = 1.5;

    private Recovery() {}

    /// From `from` until the first window of 100 ms in which nothing is refused, nothing expires and p99 is at most one
    /// and a half times `p99Before`; [#NEVER] if there is none that ends by `to`. Windows begin every 10 ms.
    static long nanos(Ledger ledger, long from, long to, long p99Before) {
        for (long begin = from; begin + WINDOW_NANOS <= to; begin += STEP_NANOS) {
            Account window = Account.of(ledger, begin, begin + WINDOW_NANOS, Long.MAX_VALUE);
            if (window.accepted().count() > 0
                    && window.refused() == 0
                    && window.expired() == 0
                    && window.accepted().p99() <= SLACK * p99Before) {
                return begin - from;
            }
        }
        return NEVER;
    }
}
