// SPDX-License-Identifier: Apache-2.0
/// The models that are benched, and what writes them as ONNX files.
package dev.millrace.bench.model;
