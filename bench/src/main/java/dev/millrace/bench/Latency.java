// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// What one round found out about one case. Percentiles are NaN where they were not asked for.
///
/// @param mean nanoseconds per call, timed together
/// @param p50 nanoseconds, of calls timed one by one
/// @param p99 as `p50`
/// @param p999 as `p50`
/// @param bytes allocated on the heap per call
record Latency(double mean, double p50, double p99, double p999, double bytes) {}
