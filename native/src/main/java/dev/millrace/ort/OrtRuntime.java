// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.lang.reflect.Field;
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
    private static final boolean C_API_AVAILABLE = openCApi();

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

    /// The binding for sessions opened now: the C API where it is to be had, unless the property forbids it.
    public static Binding binding() {
        boolean forced = "java".equalsIgnoreCase(System.getProperty(BINDING_PROPERTY));
        return C_API_AVAILABLE && !forced ? Binding.NATIVE : Binding.JAVA;
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

    private static boolean openCApi() {
        try {
            OrtSession.class.getDeclaredField("nativeHandle").setAccessible(true);
            OrtApi.keepEnvironment();
            return true;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            LOG.warn("ONNX Runtime's C API cannot be used, its Java API stands in, slower: {}", e.toString());
            return false;
        }
    }
}
