// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import java.util.List;
import java.util.Map;

/// An answer as columns, before anybody writes it: join keys first, as if they were features, then
/// the features in the order of the request. Threads: as its columns.
///
/// @param keys by join key, as the request has them
/// @param features in the order of the answer
record FeatureAnswer(Map<String, List<Object>> keys, List<Feature> features) {
    /// A feature of the answer.
    ///
    /// @param name what it is called there
    /// @param columns its view's
    /// @param place among them
    record Feature(String name, FeatureColumns columns, int place) {
        FeatureColumn column() {
            return columns.column(place);
        }

        FieldStatus status(int row) {
            return columns.status(place, row);
        }
    }

    /// How many rows it has.
    int rows() {
        return keys.values().iterator().next().size();
    }
}
