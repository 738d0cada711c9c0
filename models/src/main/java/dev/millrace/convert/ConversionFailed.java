// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import java.io.Serial;

/// A model cannot be made as it was asked for; nothing was written. The message says what is in the way, and where.
public final class ConversionFailed extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    ConversionFailed(String message) {
        super(message);
    }

    ConversionFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
