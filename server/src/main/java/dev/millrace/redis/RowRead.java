// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.FeastRow;

/// What became of a row that was asked for.
///
/// @param row null if it could not be had
/// @param problem why the store could not be asked; null if it was. With a row that is an older one
public record RowRead(FeastRow row, String problem) {}
