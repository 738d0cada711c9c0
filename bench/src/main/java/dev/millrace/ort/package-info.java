// SPDX-License-Identifier: Apache-2.0
/// The benches' way to ONNX Runtime's C API: one class, in the package of the API it calls.
package dev.millrace.ort;
