// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.FeastView;
import java.util.List;

/// Rows of a view that are asked for.
///
/// @param keys of the entities: values of the view's join keys, in their order, each a [Long] or a [String]
/// @param stale whether older rows are taken if the store cannot be asked
public record RowsWanted(FeastView view, List<List<Object>> keys, boolean stale) {}
