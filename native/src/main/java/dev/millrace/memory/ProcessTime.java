// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/// Processor time. Threads: any.
public final class ProcessTime {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean COUNTED =
            THREADS.isCurrentThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();

    private ProcessTime() {}

    /// Nanoseconds that the calling thread has had a processor, good for differences; time itself where the system does
    /// not count.
    public static long ofThread() {
        return COUNTED ? THREADS.getCurrentThreadCpuTime() : System.nanoTime();
    }
}
