// SPDX-License-Identifier: Apache-2.0
/// A row's features by a compiled plan, with and without reads of the embedded feature store, beside
/// the exported graph of the same specification run by ONNX Runtime.
package dev.millrace.bench.features;
