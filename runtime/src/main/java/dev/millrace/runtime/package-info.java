// SPDX-License-Identifier: Apache-2.0
/// The spine: from a request to its answer.
///
/// ```
/// caller / event loop                    whoever takes a slice
///   Call: own tensors, checked
///     │ commit: claim slots, copy rows, publish
///     ▼
///   Lane ── Ring ─────────────────────► take a slice (token) ► Backend.start ► finished:
///                                         rows copied out, tickets ended, slots freed
/// ```
///
/// [dev.millrace.runtime.Millrace] opens repositories; [dev.millrace.runtime.Model] answers requests in three ways,
/// from convenient to free of garbage: `predict`, `predictAsync`, and the reusable [dev.millrace.runtime.Call].
/// [dev.millrace.runtime.Millrace#recordings()] tells where the time goes, [dev.millrace.runtime.Timing] of one
/// call.
///
/// **Exactly one answer per accepted request**: accepted == ok + expired + failed + cancelled + unavailable, and
/// nothing is
/// in flight at the end.
package dev.millrace.runtime;
