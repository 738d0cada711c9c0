// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this process takes as the system sees it. Threads: any.
public final class ProcessMemory {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessMemory.class);
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path PROCESSES = Path.of("/proc");

    private ProcessMemory() {}

    /// Bytes in RAM that are not mapped from files; -1 where the system does not tell.
    public static long anonymous() {
        return field(STATUS, "RssAnon:");
    }

    /// As [#anonymous()], of another process.
    ///
    /// @param pid its id
    public static long anonymous(long pid) {
        return field(PROCESSES.resolve(Long.toString(pid)).resolve("status"), "RssAnon:");
    }

    /// Bytes of memory that is this process's own, in RAM or not yet; -1 where the system does not tell.
    static long data() {
        return field(STATUS, "VmData:");
    }

    /// Bytes in RAM; -1 where the system does not tell.
    public static long resident() {
        return field(STATUS, "VmRSS:");
    }

    private static long field(Path status, String name) {
        if (!Files.isReadable(status)) {
            return -1;
        }
        try {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith(name)) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            LOG.debug("cannot read {}", status, e);
        }
        return -1;
    }

    /// Makes the C library give large blocks back to the system as soon as they are freed. By itself it
    /// learns from the first large block that is freed to keep the next ones, up to 32 MiB each. This is
    /// about the whole process, so it is for programs, not for libraries.
    ///
    /// @return false where the C library has no such setting
    public static boolean returnFreedBlocks() {
        return LibC.mapBlocksFrom(1 << 20);
    }

    /// Has the C library give back to the system what it keeps of memory that was freed. Of what lies between
    /// blocks in use it gives nothing back by itself: what a model leaves is spread over the heaps of all
    /// threads that it was made and run by, and every replacement leaves more. It takes about a millisecond,
    /// in which threads that want memory of the same heap wait.
    public static void trim() {
        LibC.trim();
    }
}
