// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// A raw value: a field of the request or of a feature view.
///
/// @param required whether a row without it is rejected; only fields of the request may be
/// @param fallback what stands in for a stored value that is stale or not there, where its view
///     says so; null for none
public record FieldSpec(String name, ValueType type, boolean required, Literal fallback) {}
