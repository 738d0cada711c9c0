// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

/// A route cannot ask this model, or the model cannot be asked like this: the message says why.
public final class Unavailable extends RuntimeException {
    Unavailable(String message) {
        super(message);
    }

    Unavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
