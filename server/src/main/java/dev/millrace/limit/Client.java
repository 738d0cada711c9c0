// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

/// Somebody whose rows are counted, as one event loop sees them. Threads: one.
public final class Client {
    private final String key;
    private RowBucket bucket;

    Client(String key) {
        this.key = key;
    }

    String key() {
        return key;
    }

    /// Where its rows were counted last; null before the first.
    RowBucket bucket() {
        return bucket;
    }

    void bucket(RowBucket found) {
        bucket = found;
    }
}
