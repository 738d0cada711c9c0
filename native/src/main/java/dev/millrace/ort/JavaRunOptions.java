// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.RunOptions;

/// Run options of ONNX Runtime's Java API that can end the run they are used in.
///
/// Threads: [#terminate()] from any; the rest by the runner that owns it.
final class JavaRunOptions implements AutoCloseable {
    private final RunOptions options;
    private volatile boolean terminated;

    JavaRunOptions() {
        try {
            options = new RunOptions();
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        }
    }

    RunOptions options() {
        return options;
    }

    void terminate() {
        set(true);
        terminated = true;
    }

    /// Makes the next run possible again. After every run.
    void reset() {
        if (terminated) {
            terminated = false;
            set(false);
        }
    }

    private void set(boolean terminate) {
        try {
            options.setTerminate(terminate);
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        }
    }

    @Override
    public void close() {
        options.close();
    }
}
