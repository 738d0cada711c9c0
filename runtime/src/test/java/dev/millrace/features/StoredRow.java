// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import java.util.Map;

/// A stored row: values by field and a time in microseconds.
///
/// @param values null if there is none at hand, because the store could not be asked
/// @param unavailable whether it could not
record StoredRow(Map<String, Object> values, long eventTime, boolean unavailable) {
    StoredRow(Map<String, Object> values, long eventTime) {
        this(values, eventTime, false);
    }
}
