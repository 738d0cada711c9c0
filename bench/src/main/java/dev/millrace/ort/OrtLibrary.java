// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

/// For peers that load ONNX Runtime by themselves and have to be first: the same native library for them and for us.
public final class OrtLibrary {
    private OrtLibrary() {}

    /// Puts the native library where ONNX Runtime's own loader finds it and switches its telemetry off, which crashes
    /// on long command lines. Loads nothing.
    public static void prepare() {
        NativeLibraries.prepare();
        Telemetry.disable();
    }
}
