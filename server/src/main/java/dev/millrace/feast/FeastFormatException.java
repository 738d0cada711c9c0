// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

/// What is stored is not as Feast writes it.
public final class FeastFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message what came, and what was expected
    public FeastFormatException(String message) {
        super(message);
    }
}
