// SPDX-License-Identifier: Apache-2.0
/// Feature specifications as ONNX graphs: [dev.millrace.preprocess.PreprocessingGraph].
///
/// Every value of a row is a column, `[batch, 1]`, of doubles, longs or texts, and beside it a
/// column of truth values that says where it is null. Each class writes the nodes of some operators;
/// what cannot be said in ONNX to the last bit, apart from functions that are more than arithmetic,
/// is refused before anything is written.
package dev.millrace.preprocess;
