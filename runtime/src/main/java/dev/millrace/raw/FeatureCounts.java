// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.FeatureStatus;
import java.util.List;
import java.util.Map;

/// What has become of the features of many rows.
///
/// @param rows that were written
/// @param degraded how many of them were degraded
/// @param rejected how many were rejected
/// @param features how often each feature, by its name and in the order of the specification, had a
///     status
public record FeatureCounts(long rows, long degraded, long rejected, List<OfFeature> features) {
    /// One feature.
    public record OfFeature(String name, Map<FeatureStatus, Long> statuses) {}
}
