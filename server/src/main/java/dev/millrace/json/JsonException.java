// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

/// The text is no JSON; the message says where and why.
public final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// Without a stack: what strangers send must not cost that much.
    JsonException(String message) {
        super(message, null, false, false);
    }
}
