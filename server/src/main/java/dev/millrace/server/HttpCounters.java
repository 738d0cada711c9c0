// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.Hot;
import java.util.concurrent.atomic.LongAdder;

/// Counts answered HTTP requests by status. Threads: any.
final class HttpCounters {
    /// Statuses are below.
    static final int LIMIT = 600;

    private final LongAdder[] answers = new LongAdder[LIMIT];

    HttpCounters() {
        for (int status = 0; status < LIMIT; status++) {
            answers[status] = new LongAdder();
        }
    }

    @Hot
    void count(int status) {
        answers[status].increment();
    }

    long answered(int status) {
        return answers[status].sum();
    }
}
