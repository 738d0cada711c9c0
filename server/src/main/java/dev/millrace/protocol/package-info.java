// SPDX-License-Identifier: Apache-2.0
/// The bodies of the Open Inference Protocol V2 as JSON, between bytes and the tensors of a call: requests are read by
/// [dev.millrace.protocol.InferDecoder], answers are written by [dev.millrace.protocol.OutputWriter]. What cannot be
/// read is a [dev.millrace.protocol.Refusal]. It knows nothing of how bytes come and go.
package dev.millrace.protocol;
