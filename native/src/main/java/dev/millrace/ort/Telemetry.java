// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Switches ONNX Runtime's telemetry off before its environment is made. The API can do that only afterwards, and that
/// is too late: on Linux the environment matches regular expressions against the command line, which recurse once per
/// character. A command line of some 4000 characters overflows the stack and takes the JVM with it, without a report.
@SuppressWarnings("restricted") // calls the C library
final class Telemetry {
    static final String VARIABLE = "ORT_DISABLE_TELEMETRY";

    private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);

    private Telemetry() {}

    /// Sets the variable in this process's environment, where the C library can, unless the user has set it.
    static void disable() {
        if (System.getenv(VARIABLE) != null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        // int setenv(const char *name, const char *value, int overwrite)
        Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
        if (setenv.isPresent()) {
            call(linker.downcallHandle(setenv.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT)));
        }
    }

    private static void call(MethodHandle setenv) {
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) setenv.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom("1"), 1);
            if (result != 0) {
                LOG.warn("{} cannot be set", VARIABLE);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("setenv failed", e);
        }
    }
}
