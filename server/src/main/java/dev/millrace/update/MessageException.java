// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

/// Why a record is no row: what came, and what was expected. It has no stack, as there may be many.
final class MessageException extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    MessageException(String reason) {
        super(reason, null, false, false);
    }
}
