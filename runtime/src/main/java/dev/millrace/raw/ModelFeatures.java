// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.spec.FeatureSpec;

/// The features of a model version that is asked by raw values, and what became of them.
///
/// @param spec what they are
/// @param counts of all requests since it was loaded
public record ModelFeatures(String model, long version, FeatureSpec spec, FeatureCounts counts) {}
