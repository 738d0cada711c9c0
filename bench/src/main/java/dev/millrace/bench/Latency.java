// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// What one round found out about one case, of calls timed one by one.
///
/// @param mean nanoseconds per call
/// @param p50 nanoseconds that half of the calls did not exceed
/// @param p99 as `p50`, 99 of 100 calls
/// @param p999 as `p50`, 999 of 1000 calls
/// @param bytes allocated on the heap per call
record Latency(double mean, double p50, double p99, double p999, double bytes) {}
