// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

/// A time in a message whose type says that it is one.
///
/// @param micros since 1970
record Moment(long micros) {}
