// SPDX-License-Identifier: Apache-2.0
/// ONNX files as data: read, looked at, changed and written without losing anything, and without running them. What the
/// messages and their fields are called is ONNX's; what the project does not know is kept byte by byte.
///
/// Nothing that a file claims is trusted: what is wrong with it is an [dev.millrace.onnx.InvalidModelException].
package dev.millrace.onnx;
