// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

/// The load cannot be made; the message is for the user. Threads: any.
final class LoadException extends Exception {
    LoadException(String message) {
        super(message);
    }

    LoadException(String message, Throwable cause) {
        super(message, cause);
    }
}
