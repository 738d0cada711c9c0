// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.IOException;
import java.nio.file.Path;

/// A file of data says something that the model does not take, or is not what its name says. The message names the
/// file, the place in it, what came and what was expected.
public final class InvalidDataException extends IOException {
    private static final long serialVersionUID = 1;

    /// @param problem what is wrong, and where
    public InvalidDataException(Path file, String problem) {
        super(file + ": " + problem);
    }

    /// @param problem what is wrong, and where
    public InvalidDataException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
