// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/// How the memory that this process may have is divided. All in bytes.
///
/// The native part is what is left when the JVM has taken all that it may take. It is divided once, because the parts
/// are used by different masters: models and runs by ONNX Runtime's allocator, which has one limit from its first
/// session on, tensors by us.
///
/// @param total what the container or the machine has
/// @param heap the most that the Java heap may take
/// @param direct the most that direct buffers may take
/// @param jvm what the JVM takes besides: code, classes, threads, its collector, mapped libraries
/// @param bytes what is there for models, their runs and tensors
/// @param given whether `bytes` was asked for, and does not follow from the rest
public record MemoryPlan(long total, long heap, long direct, long jvm, long bytes, boolean given) {
    /// Asks for what follows from the container's or the machine's memory.
    public static final long AUTO = 0;

    /// Measured for a server with a few small models, rounded up; threads and loaded classes make the difference.
    private static final long JVM_BYTES = 128L << 20;
    /// Of the heap's maximum, what a collector keeps books of it with.
    private static final int COLLECTOR_SHARE = 32;
    /// The least of the total that is given to models, even if the JVM might leave less.
    private static final int LEAST_SHARE = 16;

    private static final int EIGHTHS = 8;

    /// The plan for this process.
    ///
    /// @param wanted native bytes, or [#AUTO]
    public static MemoryPlan of(long wanted) {
        return of(wanted, totalMemory(), Runtime.getRuntime().maxMemory(), directLimit());
    }

    /// The plan for a process that is also a server, whose sockets need direct buffers. Unless these are limited they
    /// may take as much as the heap.
    ///
    /// @param wanted native bytes, or [#AUTO]
    public static MemoryPlan ofServer(long wanted) {
        long heap = Runtime.getRuntime().maxMemory();
        return of(wanted, totalMemory(), heap, directLimit() > 0 ? directLimit() : heap);
    }

    static MemoryPlan of(long wanted, long total, long heap, long direct) {
        long jvm = JVM_BYTES + heap / COLLECTOR_SHARE;
        if (wanted != AUTO) {
            return new MemoryPlan(total, heap, direct, jvm, wanted, true);
        }
        long left = total - heap - direct - jvm;
        return new MemoryPlan(total, heap, direct, jvm, Math.max(left, total / LEAST_SHARE), false);
    }

    /// Whether everything together may take more than there is.
    public boolean isOvercommitted() {
        return bytes > total - heap - direct - jvm;
    }

    /// The most that loaded models may take: five eighths.
    public long models() {
        return bytes - tensors() - runs();
    }

    /// What runs have at least for what they compute in between: one eighth.
    public long runs() {
        return bytes / EIGHTHS;
    }

    /// The most that queues and tensors of requests may take: a quarter.
    public long tensors() {
        return bytes / EIGHTHS * 2;
    }

    /// The limit of the allocator that models and runs share.
    public long arena() {
        return models() + runs();
    }

    /// The plan in one line, for the log.
    public String describe() {
        return "native memory " + mib(bytes) + " MiB (models " + mib(models()) + ", runs " + mib(runs()) + ", tensors "
                + mib(tensors()) + "), " + (given ? "as asked for; there are " : "from ") + mib(total)
                + " MiB less heap " + mib(heap) + ", direct buffers " + mib(direct) + ", other JVM " + mib(jvm);
    }

    private static long mib(long bytes) {
        return bytes >> 20;
    }

    /// The container's limit as the JVM reads it from its cgroups, or the machine's memory.
    private static long totalMemory() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    /// What `-XX:MaxDirectMemorySize` says; without it 0, as this library makes no direct buffers.
    private static long directLimit() {
        return Long.parseLong(ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("MaxDirectMemorySize")
                .getValue());
    }
}
