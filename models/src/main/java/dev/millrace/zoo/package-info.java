// SPDX-License-Identifier: Apache-2.0

/// How the example models under `models/zoo` are trained, in plain Java and repeatable to the bit.
///
///     PaymentSimulator ─► Dataset ─► AdamTrainer ─► Scorer ─► model.onnx, goldens, metrics.json
///                                      Mlp            └─► Evaluation
///
/// Cold code for offline use: it wants `tribuo-util-onnx`, `protobuf-java` and `jackson-core`, which this module
/// declares as optional, so that an embedder who only runs models inherits none of them. Nothing here is thread-safe.
package dev.millrace.zoo;
