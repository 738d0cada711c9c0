// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import java.io.IOException;

/// A row is rejected, and none may be. The message names the file, the row, the feature, what came
/// and what was expected.
final class RowRejected extends IOException {
    private static final long serialVersionUID = 1;

    RowRejected(String message) {
        super(message);
    }
}
