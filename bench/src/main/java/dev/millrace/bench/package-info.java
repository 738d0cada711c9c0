// SPDX-License-Identifier: Apache-2.0
/// What the parts cost, beside a floor: the same rows through ONNX Runtime's C API, its Java API as it is mostly
/// written, and this project's ways, in one run.
///
/// ```
/// Main ─► LatencyBench (JMH, a process per figure) ─► Saturation ─► Mix ─► Neighbours ─► HttpBench ─► reports
///                                                                                           │
/// BenchCommand ─► ModelBench ─► LatencyBench ─► ModelReport                                 ▼
///                                                               Wrk ─► ServerProcess (EchoServer, the server)
/// ```
///
/// Nothing is timed that has not answered like the floor: [dev.millrace.bench.route.Gate].
package dev.millrace.bench;
