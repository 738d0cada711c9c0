// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this process takes less of because it says so itself: memory, processor time, files after a crash. Each says
/// whether the system has it; none of it can be taken back.
///
/// Threads: any.
@SuppressWarnings("restricted") // calling the C library is what this class is for
public final class ProcessLimits {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessLimits.class);
    private static final boolean LINUX =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux");
    private static final Path TASKS = Path.of("/proc/self/task");
    private static final Path OOM_SCORE = Path.of("/proc/self/oom_score_adj");

    private static final int RLIMIT_DATA = 2;
    private static final int RLIMIT_CORE = 4;
    private static final int PRIO_PROCESS = 0;
    private static final int LOWEST = 19;
    // struct sched_attr, as it was at first.
    private static final int SCHED_ATTR_BYTES = 48;
    private static final int SCHED_NICE = 16;
    private static final int SCHED_RUNTIME = 24;
    /// The shortest that there is.
    private static final long SLICE_NANOS = 100_000;

    private ProcessLimits() {}

    /// Limits the memory that is this process's own to what it has now and `bytes` more. What asks for more is told
    /// that there is none.
    public static boolean limitData(long bytes) {
        long now = ProcessMemory.data();
        return now >= 0 && limit(RLIMIT_DATA, Math.addExact(now, bytes));
    }

    /// Has no core file written when this process crashes.
    public static boolean writeNoCore() {
        return limit(RLIMIT_CORE, 0);
    }

    /// Gives the calling thread, and those that it starts from now on, only the processor time that nobody else wants.
    public static boolean lowerThread() {
        return lower(0);
    }

    /// Threads as another factory makes them, which get only the processor time that nobody else wants.
    public static ThreadFactory lowered(ThreadFactory threads) {
        return task -> threads.newThread(() -> {
            lowerThread();
            task.run();
        });
    }

    /// Gives all threads of this process only the processor time that nobody else wants, and has the system end this
    /// process before others when it is out of memory.
    public static boolean lowerProcess() {
        if (!LINUX) {
            return false;
        }
        boolean all = true;
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
            for (Path task : tasks) {
                all &= lower(Integer.parseInt(task.getFileName().toString()));
            }
            Files.writeString(OOM_SCORE, "1000");
        } catch (IOException e) {
            LOG.debug("this process cannot be made to yield", e);
            return false;
        }
        return all;
    }

    /// On other systems than Linux it would be about the whole process.
    private static boolean lower(int thread) {
        return LINUX && (shorten(thread) || setNice(thread));
    }

    /// Also has the kernel look after every tenth of a millisecond whether another thread waits, where it can (6.12):
    /// otherwise one that wakes up waits for a slice of some milliseconds, however little this one is worth.
    private static boolean shorten(int thread) {
        // long syscall(SYS_sched_setattr, pid_t pid, struct sched_attr *attr, unsigned int flags)
        Optional<Integer> number = schedSetattr();
        Optional<MethodHandle> syscall = function(
                "syscall",
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT),
                Linker.Option.firstVariadicArg(1));
        if (number.isEmpty() || syscall.isEmpty()) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(SCHED_ATTR_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, SCHED_ATTR_BYTES);
            attributes.set(JAVA_INT, SCHED_NICE, LOWEST);
            attributes.set(JAVA_LONG, SCHED_RUNTIME, SLICE_NANOS);
            return (long) syscall.get().invokeExact((long) number.get(), thread, attributes, 0) == 0;
        } catch (Throwable t) {
            throw new IllegalStateException("sched_setattr cannot be called", t);
        }
    }

    /// The number by which the C library asks the kernel; it has no function for it before 2.41.
    private static Optional<Integer> schedSetattr() {
        return switch (System.getProperty("os.arch")) {
            case "amd64" -> Optional.of(314);
            case "aarch64" -> Optional.of(274);
            default -> Optional.empty();
        };
    }

    private static boolean setNice(int thread) {
        // int setpriority(int which, id_t who, int priority)
        Optional<MethodHandle> setpriority =
                function("setpriority", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
        try {
            return setpriority.isPresent() && (int) setpriority.get().invokeExact(PRIO_PROCESS, thread, LOWEST) == 0;
        } catch (Throwable t) {
            throw new IllegalStateException("setpriority cannot be called", t);
        }
    }

    private static boolean limit(int resource, long value) {
        // int setrlimit(int resource, const struct rlimit *limit)
        Optional<MethodHandle> setrlimit = function("setrlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
        if (setrlimit.isEmpty()) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment both = arena.allocateFrom(JAVA_LONG, value, value);
            return (int) setrlimit.get().invokeExact(resource, both) == 0;
        } catch (Throwable t) {
            throw new IllegalStateException("setrlimit cannot be called", t);
        }
    }

    private static Optional<MethodHandle> function(
            String name, FunctionDescriptor descriptor, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, descriptor, options));
    }
}
