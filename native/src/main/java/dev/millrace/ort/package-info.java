// SPDX-License-Identifier: Apache-2.0
/// Everything that touches ONNX Runtime, through its Java API or its C API. No `ai.onnxruntime` type leaves this
/// package.
///
/// ONNX Runtime's Java API is the control plane: environment, session options, providers, metadata. The data plane
/// calls the C API of the same shared library through `java.lang.foreign`, where a run costs no garbage; the Java API's
/// `run` stands in when that is not possible or not wanted.
package dev.millrace.ort;
