// SPDX-License-Identifier: Apache-2.0
/// What the runtime counts and records, as Prometheus reads it, by our own names and by Triton's. `docs/metrics.md`
/// lists it all.
///
/// Nothing is measured here: counters and recorders are the runtime's own, and are read when somebody asks.
package dev.millrace.metrics;
