// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.djl.engine.Engine;
import dev.millrace.ort.OrtLibrary;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Deep Java Library's engine for ONNX Runtime: offline, over the native library that everybody here uses.
///
/// It insists on making ONNX Runtime's environment itself, with options, and fails in a process that has one. So it is
/// started before anything else uses ONNX Runtime, and only in processes that want it.
///
/// Threads: any.
public final class DjlEngine {
    static final String NAME = "OnnxRuntime";

    /// Kept: a logger that nobody holds forgets its level.
    private static final Logger ENVIRONMENT = Logger.getLogger("ai.onnxruntime.OrtEnvironment");

    private static Engine engine;

    private DjlEngine() {}

    /// Starts it. Must come before any other use of ONNX Runtime in this process; a second call does nothing.
    ///
    /// @throws IllegalStateException if this process uses ONNX Runtime already
    public static synchronized void start() {
        if (engine != null) {
            return;
        }
        // No downloads, no look at whether this is a cloud's machine to tell its maker, no other engine to help out.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.onnx.disable_alternative", "true");
        System.setProperty("ai.djl.default_engine", NAME);
        OrtLibrary.prepare();
        engine = Engine.getEngine(NAME);
        // Millrace asks for the environment under its own name, gets this one, and ONNX Runtime remarks on it.
        ENVIRONMENT.setLevel(Level.SEVERE);
    }

    /// @throws Unavailable if it was not started
    static synchronized void require() {
        if (engine == null) {
            throw new Unavailable("DJL's engine was not started before ONNX Runtime was used in this process");
        }
    }
}
