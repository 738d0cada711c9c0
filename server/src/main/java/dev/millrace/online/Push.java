// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import java.util.List;
import java.util.Map;

/// Rows for a view of the store, by columns.
///
/// @param view which
/// @param columns values by the names of columns: Long, Double, String, Boolean or null each
record Push(String view, Map<String, List<Object>> columns) {}
