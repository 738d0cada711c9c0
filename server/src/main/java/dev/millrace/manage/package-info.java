// SPDX-License-Identifier: Apache-2.0
/// What is asked of a server beside inference: statistics, configurations, the repository's index, loading and
/// unloading, and the log's settings.
///
/// Answers are data first: the types here know no protocol. `ManagementJson` writes them as the Open Inference
/// Protocol's extensions do, `ManagementRequests` reads what came with a request.
package dev.millrace.manage;
