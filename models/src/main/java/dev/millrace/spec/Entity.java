// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// What stored values are about, such as a user.
///
/// @param joinKey the request's field whose value says which one
/// @param type the key's, [ValueType#INT64] or [ValueType#STRING]
public record Entity(String name, String joinKey, ValueType type) {}
