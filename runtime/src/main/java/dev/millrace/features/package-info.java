// SPDX-License-Identifier: Apache-2.0
/// A feature specification at work: compiled once into a plan, which writes the model's input row
/// from raw values without a single object. What each operator means is in `docs/features.md`.
///
///     raw values ─► FeatureRow ─┐
///     stored ─► ViewReader ─────┴─► treat ─► transform ─► validate ─► columns of doubles ─► floats in the tensor
package dev.millrace.features;
