// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.file.Path;

/// A file of a store is not as the store left it. Nothing was changed.
public final class CorruptStoreException extends IOException {
    /// @param file which one
    /// @param problem what is wrong with it
    CorruptStoreException(Path file, String problem) {
        super(file + ": " + problem);
    }
}
