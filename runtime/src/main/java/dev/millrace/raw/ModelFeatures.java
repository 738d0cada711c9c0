// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

/// What became of the features of requests to a model version.
///
/// @param counts since it was loaded
public record ModelFeatures(String model, long version, FeatureCounts counts) {}
