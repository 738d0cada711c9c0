// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

/// A stretch of a load.
///
/// @param rate requests that arrive per second
/// @param nanos how long it is
public record Phase(double rate, long nanos) {}
