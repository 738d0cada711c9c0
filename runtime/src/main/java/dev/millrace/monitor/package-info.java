// SPDX-License-Identifier: Apache-2.0
/// What is seen of a model version at work: where the time of its requests goes, and how large its batches are.
///
/// The runtime writes, from any thread, into a [dev.millrace.monitor.LaneRecorder] per model version; whoever
/// wants to know takes [dev.millrace.monitor.Distribution]s out of it, at any time and without stopping
/// anybody. It knows nothing of rings and requests.
package dev.millrace.monitor;
