// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

/// A file is no dump of an ensemble, contradicts itself, or is of a kind that cannot be imported. The message names the
/// place, what came and what was expected.
public final class InvalidDumpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// With the message for whoever has the file.
    public InvalidDumpException(String message) {
        super(message);
    }
}
