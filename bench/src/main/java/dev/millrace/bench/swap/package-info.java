// SPDX-License-Identifier: Apache-2.0
/// Models that are replaced again and again while clients ask for them as fast as they are answered: whether anybody
/// notices, and whether anything stays behind. `bench/run.sh --swaps` runs it.
package dev.millrace.bench.swap;
