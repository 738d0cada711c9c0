// SPDX-License-Identifier: Apache-2.0
/// The gRPC front end of Millrace: `inference.GRPCInferenceService`, health and reflection.
///
/// ```
/// event loop, one wake-up
///   grpc-java ► InferHandler ► RequestReader ─► Infer ► WakeUp: submit all, turn once ► AnswerStream ► grpc-java
/// ```
///
/// gRPC's own event loops are those of HTTP, so what both bring in one wake-up is one batch. Inference is read from the
/// wire straight into a call's tensors and written from them; everything else is generated messages
/// ([dev.millrace.grpc.InferenceService]).
///
/// [dev.millrace.grpc.GrpcServer] starts and stops it.
package dev.millrace.grpc;
