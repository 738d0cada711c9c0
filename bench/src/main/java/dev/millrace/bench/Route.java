// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// The ways to an answer that are compared.
public enum Route {
    /// What the hardware and ONNX Runtime leave to nobody: everything prepared, then `Run` alone.
    FLOOR("C API, prebound: the floor"),
    ROW_RUNNER("C API, values made per run (`RowRunner`)"),
    ORT_TYPICAL("ONNX Runtime Java, arrays in and out"),
    ORT_PINNED("ONNX Runtime Java, prepared tensors, pinned output"),
    CALL("Millrace `Call.run()`"),
    PREDICT("Millrace `Model.predict()`");

    private final String title;

    Route(String title) {
        this.title = title;
    }

    /// What a table calls it.
    String title() {
        return title;
    }

    /// Whether it goes through this project's pipeline.
    boolean isPipeline() {
        return this == CALL || this == PREDICT;
    }
}
