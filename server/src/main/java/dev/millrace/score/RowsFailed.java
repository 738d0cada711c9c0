// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import java.io.IOException;

/// Rows have no answer, and there is no going on. The message names the file, the row, and what is
/// wrong with it.
final class RowsFailed extends IOException {
    private static final long serialVersionUID = 1;

    RowsFailed(String message) {
        super(message);
    }
}
