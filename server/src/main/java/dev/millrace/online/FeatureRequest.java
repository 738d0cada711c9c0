// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import java.util.List;
import java.util.Map;

/// Which features of which entities are asked for.
///
/// @param references `view:feature` each; null if a service is asked for
/// @param service the name of one, or null
/// @param entities by join key, in the order of the request, a value for each row: Long, String,
///     another type that no key has, or null
/// @param fullNames whether features are called `view__feature` in the answer
record FeatureRequest(List<String> references, String service, Map<String, List<Object>> entities, boolean fullNames) {
    /// How many rows it has.
    int rows() {
        return entities.values().iterator().next().size();
    }
}
