// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.io.Serial;

/// ONNX Runtime refused or failed an operation; the message is its own.
public final class OrtFailure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What its arena says when it may not grow as far as it would have to.
    private static final String ARENA_FULL = "is smaller than requested bytes of";

    private final int code;

    OrtFailure(int code, String message) {
        super(message);
        this.code = code;
    }

    OrtFailure(String message, Throwable cause) {
        super(message, cause);
        this.code = -1;
    }

    /// ONNX Runtime's error code, or -1 where only its Java API reported the failure.
    public int code() {
        return code;
    }

    /// Whether the limit of [OrtRuntime#limitAllocations(long)] was reached; the message has the numbers. ONNX Runtime
    /// has no code for it.
    public boolean isOutOfMemory() {
        return getMessage().contains(ARENA_FULL);
    }
}
