// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

/// The store could not be asked.
final class StoreAwayException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StoreAwayException(String message) {
        super(message, null, false, false);
    }
}
