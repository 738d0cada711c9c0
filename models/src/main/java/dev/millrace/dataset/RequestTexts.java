// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.Closeable;
import java.io.IOException;

/// Requests in the Open Inference Protocol's JSON, one after the other. Threads: one. Ownership: whoever opened it
/// closes it.
interface RequestTexts extends Closeable {
    /// The next one, perhaps blank; null after the last.
    String next() throws IOException;

    /// Where the last one is, for messages.
    String place();

    /// Opens them, from the beginning.
    @FunctionalInterface
    interface Opener {
        RequestTexts open() throws IOException;
    }
}
