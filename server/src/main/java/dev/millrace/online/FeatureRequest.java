// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.protocol.Refusal;
import java.util.List;
import java.util.Map;

/// Which features of which entities are asked for.
///
/// @param references `view:feature` each; null if a service is asked for
/// @param service the name of one, or null
/// @param entities by join key, in the order of the request, a value for each row: Long, Integer,
///     String, another type that no key has, or null
/// @param fullNames whether features are called `view__feature` in the answer
record FeatureRequest(List<String> references, String service, Map<String, List<Object>> entities, boolean fullNames) {
    /// One that is complete, whatever form it came in.
    ///
    /// @throws Refusal if it is not
    static FeatureRequest checked(
            List<String> references, String service, Map<String, List<Object>> entities, boolean fullNames) {
        if ((references == null) == (service == null)) {
            String came = references == null
                    ? "neither features nor feature_service came"
                    : "both features and feature_service came";
            throw Refusal.invalid(came + ", expected one of them");
        }
        if (references != null && references.isEmpty()) {
            throw Refusal.invalid("features is empty, expected at least one view:feature");
        }
        return new FeatureRequest(references, service, entities, fullNames);
    }

    /// How many rows it has.
    int rows() {
        return entities.values().iterator().next().size();
    }
}
