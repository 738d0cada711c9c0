// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import java.util.Map;

/// What came of a view.
///
/// @param rows for each key that was wanted
/// @param problem why rows are unavailable; null if none is
public record FetchedView(Map<Object, FetchedRow> rows, String problem) {}
