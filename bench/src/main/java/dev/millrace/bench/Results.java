// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.Saturation.Scenario;
import dev.millrace.bench.Saturation.Throughput;
import dev.millrace.bench.report.Section;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All that a run found out.
///
/// @param taken when it began
/// @param effort how long was measured
/// @param machine where, by [Machine#describe(String)]
/// @param latencies per case one per round; empty if none were measured
/// @param throughputs per scenario one per repeat; empty if none were measured
/// @param mix a light model among heavy ones, if that was measured
/// @param neighbours by number of spinning processes one per repeat; empty if that was not measured
/// @param http the servers, if they were measured
/// @param sections of the parts that report themselves, those that were measured
record Results(
        Instant taken,
        Effort effort,
        Map<String, String> machine,
        Map<Case, List<Latency>> latencies,
        Map<Scenario, List<Throughput>> throughputs,
        Optional<Mix.Findings> mix,
        Map<Integer, List<Neighbours.Trial>> neighbours,
        Optional<HttpBench.Findings> http,
        List<Section> sections) {}
