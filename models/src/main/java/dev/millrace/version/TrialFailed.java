// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.io.Serial;

/// A model did not pass its trial; the message says why.
public final class TrialFailed extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What happened.
    public enum Kind {
        /// It was refused as it would have been here: the message is that of the load.
        REFUSED,
        /// It does not answer a golden as it should.
        GOLDEN,
        /// It ended the process.
        CRASHED,
        /// It did not end in time.
        HUNG,
        /// It asked for more memory than it may have.
        MEMORY,
        /// There was no trial.
        NOT_TRIED
    }

    private final Kind kind;

    TrialFailed(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    TrialFailed(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /// What happened.
    public Kind kind() {
        return kind;
    }
}
