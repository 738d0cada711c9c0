// SPDX-License-Identifier: Apache-2.0
/// Batching under a ramp of loads: fixed settings beside the objective. `bench/run.sh --ramp` runs it.
package dev.millrace.bench.ramp;
