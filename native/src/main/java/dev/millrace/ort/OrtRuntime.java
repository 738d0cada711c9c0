// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The process-wide ONNX Runtime: its environment, its version, and by which way sessions are driven.
///
/// Threads: any. It is initialised at first use and lives as long as the process.
public final class OrtRuntime {
    /// Set to `java` to drive sessions through ONNX Runtime's Java API instead of its C API.
    public static final String BINDING_PROPERTY = "millrace.ort.binding";

    private static final Logger LOG = LoggerFactory.getLogger(OrtRuntime.class);
    private static final OrtEnvironment ENVIRONMENT = createEnvironment();
    /// The `OrtEnv*`, or 0 without the C API.
    private static final long C_ENVIRONMENT = openCApi();

    private static long allocationLimit = Long.MAX_VALUE;

    /// How sessions are driven.
    public enum Binding {
        /// The C API through `java.lang.foreign`.
        NATIVE,
        /// ONNX Runtime's Java API, slower and with garbage per run.
        JAVA
    }

    private OrtRuntime() {}

    /// The version of the loaded library.
    public static String version() {
        return ENVIRONMENT.getVersion();
    }

    /// The folder with the libraries, for another process to load the same ones; empty where ONNX Runtime's own loader
    /// chose it.
    public static Optional<Path> libraries() {
        return Optional.ofNullable(System.getProperty(NativeLibraries.PATH_PROPERTY))
                .map(Path::of);
    }

    /// Where the classes of ONNX Runtime's Java API are.
    public static Optional<URL> javaApi() {
        return Optional.ofNullable(OrtEnvironment.class.getProtectionDomain().getCodeSource())
                .map(CodeSource::getLocation);
    }

    /// The binding for sessions opened now: the C API where it is to be had, unless the property forbids it.
    public static Binding binding() {
        boolean forced = "java".equalsIgnoreCase(System.getProperty(BINDING_PROPERTY));
        return C_ENVIRONMENT != 0 && !forced ? Binding.NATIVE : Binding.JAVA;
    }

    /// Limits what all sessions that are opened from now on allocate together, weights and what runs compute in
    /// between. A run that needs more fails. The process has one limit: the first that is set.
    ///
    /// @param bytes the limit
    /// @return the limit in force; [Long#MAX_VALUE] where none can be had, because there is no C API
    public static synchronized long limitAllocations(long bytes) {
        if (allocationLimit == Long.MAX_VALUE && bytes != Long.MAX_VALUE && C_ENVIRONMENT != 0) {
            OrtApi.registerArena(C_ENVIRONMENT, bytes);
            allocationLimit = bytes;
        }
        return allocationLimit;
    }

    /// Whether sessions are to share the limited allocator.
    public static synchronized boolean isLimited() {
        return allocationLimit != Long.MAX_VALUE;
    }

    static OrtEnvironment environment() {
        return ENVIRONMENT;
    }

    /// The `OrtSession*` behind a session of the Java API: a private field, which a new version may move.
    static long handle(OrtSession session) throws ReflectiveOperationException {
        Field field = OrtSession.class.getDeclaredField("nativeHandle");
        field.setAccessible(true);
        return field.getLong(session);
    }

    private static OrtEnvironment createEnvironment() {
        NativeLibraries.prepare();
        Telemetry.disable();
        // Every error also comes as a status. A line on stderr per failed run would let whoever sends bad input fill
        // logs.
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "millrace");
        try {
            environment.setTelemetry(false);
        } catch (OrtException e) {
            LOG.debug("telemetry cannot be switched off here", e);
        }
        return environment;
    }

    private static long openCApi() {
        try {
            OrtSession.class.getDeclaredField("nativeHandle").setAccessible(true);
            return OrtApi.keepEnvironment();
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            LOG.warn("ONNX Runtime's C API cannot be used, its Java API stands in, slower: {}", e.toString());
            return 0;
        }
    }
}
