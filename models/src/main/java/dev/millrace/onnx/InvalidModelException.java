// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

/// A file is no ONNX model, or one that contradicts itself. The message names what is wrong, what came and what was
/// expected.
public final class InvalidModelException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// With the message for whoever has the file.
    public InvalidModelException(String message) {
        super(message);
    }

    /// With what the problem was noticed by.
    public InvalidModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
