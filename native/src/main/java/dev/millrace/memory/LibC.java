// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Memory from the C library's `calloc`: large blocks are zeroed by the system page by page when they are first
/// touched. A long queue of large rows then takes memory for the rows that it holds, not for those that it could hold,
/// which an `Arena`'s own allocation, zeroed at once, would.
@SuppressWarnings("restricted") // calling the C library is what this class is for
final class LibC {
    /// The number of the setting in `malloc.h`.
    private static final int M_MMAP_THRESHOLD = -3;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle CALLOC = handle("calloc", FunctionDescriptor.of(ADDRESS, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FREE = handle("free", FunctionDescriptor.ofVoid(ADDRESS));

    /// Of glibc alone.
    private static final Optional<MethodHandle> TRIM = LINKER.defaultLookup()
            .find("malloc_trim")
            .map(address -> LINKER.downcallHandle(address, FunctionDescriptor.of(JAVA_INT, JAVA_LONG)));

    private LibC() {}

    /// Allocates zeroed memory that is freed when `arena` closes.
    static MemorySegment allocate(long bytes, long alignment, Arena arena) {
        MemorySegment block = calloc(Math.addExact(bytes, alignment));
        long padding = -block.address() & (alignment - 1);
        return block.reinterpret(bytes + alignment, arena, LibC::free).asSlice(padding, bytes);
    }

    /// Asks for blocks from `bytes` on to be mapped one by one, for good; false where that cannot be asked for.
    static boolean mapBlocksFrom(int bytes) {
        Optional<MemorySegment> function = LINKER.defaultLookup().find("mallopt");
        if (function.isEmpty()) {
            return false;
        }
        MethodHandle mallopt =
                LINKER.downcallHandle(function.get(), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        try {
            return (int) mallopt.invokeExact(M_MMAP_THRESHOLD, bytes) == 1;
        } catch (Throwable t) {
            throw new IllegalStateException("mallopt cannot be called", t);
        }
    }

    /// Gives whole pages that nothing is in back to the system; does nothing where that cannot be asked for.
    static void trim() {
        if (TRIM.isEmpty()) {
            return;
        }
        try {
            int _ = (int) TRIM.get().invokeExact(0L);
        } catch (Throwable t) {
            throw new IllegalStateException("malloc_trim cannot be called", t);
        }
    }

    private static MemorySegment calloc(long bytes) {
        MemorySegment block;
        try {
            block = (MemorySegment) CALLOC.invokeExact(1L, bytes);
        } catch (Throwable t) {
            throw new IllegalStateException("calloc cannot be called", t);
        }
        if (block.address() == 0) {
            throw new OutOfMemoryError("no native memory for " + bytes + " bytes");
        }
        return block;
    }

    private static void free(MemorySegment block) {
        try {
            FREE.invokeExact(block);
        } catch (Throwable t) {
            throw new IllegalStateException("free cannot be called", t);
        }
    }

    private static MethodHandle handle(String function, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), descriptor);
    }
}
