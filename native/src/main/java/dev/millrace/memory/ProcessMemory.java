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

    private ProcessMemory() {}

    /// Bytes in RAM that are not mapped from files; -1 where the system does not tell.
    public static long anonymous() {
        return field("RssAnon:");
    }

    /// Bytes in RAM; -1 where the system does not tell.
    public static long resident() {
        return field("VmRSS:");
    }

    private static long field(String name) {
        if (!Files.isReadable(STATUS)) {
            return -1;
        }
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(name)) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            LOG.debug("cannot read {}", STATUS, e);
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
}
