// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

/// The ways to an answer that are compared.
public enum Route {
    /// What the hardware and ONNX Runtime leave to nobody: everything prepared, then `Run` alone.
    FLOOR("C API, prebound: the floor"),
    ROW_RUNNER("C API, values made per run (`RowRunner`)"),
    ORT_TYPICAL("ONNX Runtime Java, arrays in and out"),
    ORT_PINNED("ONNX Runtime Java, prepared tensors, pinned output"),
    DJL("DJL `Predictor`, arrays in and out"),
    CALL("Millrace `Call.run()`"),
    PREDICT("Millrace `Model.predict()`");

    private final String title;

    Route(String title) {
        this.title = title;
    }

    /// What a table calls it.
    public String title() {
        return title;
    }

    /// The option's word for it: `ort-typical`.
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
