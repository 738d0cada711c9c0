// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import java.util.Locale;

/// What can be set about traces. Values are texts, as in the protocol's trace extension.
public enum Setting {
    /// `TIMESTAMPS`, `TENSORS`, both with a comma between, or `OFF`.
    TRACE_LEVEL("OFF"),
    /// One of so many requests is traced.
    TRACE_RATE("1000"),
    /// How many more are; -1 for no end.
    TRACE_COUNT("-1"),
    /// How many traces a file has; 0 for all in one.
    LOG_FREQUENCY("0"),
    /// The name of the file, in the server's folder for traces.
    TRACE_FILE("trace.json");

    private final String initial;

    Setting(String initial) {
        this.initial = initial;
    }

    /// Its name in requests and answers.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Its value where nobody says otherwise.
    String initial() {
        return initial;
    }
}
