// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// A view was opened with another schema than it has. The message names the view, the field, and
/// both types.
public final class SchemaMismatchException extends IllegalArgumentException {
    SchemaMismatchException(String message) {
        super(message);
    }
}
