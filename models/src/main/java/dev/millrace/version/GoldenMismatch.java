// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.io.Serial;

/// A model does not answer a golden as it should; the message has the file, the output, the element, what came and what
/// was expected.
public final class GoldenMismatch extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    GoldenMismatch(String message) {
        super(message);
    }
}
