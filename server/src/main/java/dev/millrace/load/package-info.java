// SPDX-License-Identifier: Apache-2.0
/// `millrace load`: an open-loop load generator for servers that speak the Open Inference Protocol V2 over HTTP.
///
/// ```
/// PoissonArrivals ─► Generator ─► a free HttpLine ─► server        on the one thread of a PacedLoop
///                       │ none free: waits in line        │
///                     Tally ◄── latency from the time the request was due
///                       └─► LoadRun: progress, once a second ─► LoadResult ─► TextReport, JsonReport
/// ```
///
/// Requests are due at times that the server cannot influence. A server that stalls is charged with the wait of every
/// request that was due meanwhile, also of those that no connection was free for. What the generator itself is late by
/// is recorded apart.
///
/// The package knows nothing of the server's own classes; [dev.millrace.load.LoadCommand] is what the command line
/// sees.
package dev.millrace.load;
