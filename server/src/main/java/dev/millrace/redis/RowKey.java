// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import java.util.Arrays;

/// A row of a view: whose it is.
///
/// @param bytes the key in Redis, which nobody changes
record RowKey(PreparedView view, byte[] bytes) {
    @Override
    @SuppressWarnings("ReferenceEquality") // there is one object for each view
    public boolean equals(Object other) {
        return other instanceof RowKey key && key.view == view && Arrays.equals(key.bytes, bytes);
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(view) * 31 + Arrays.hashCode(bytes);
    }
}
