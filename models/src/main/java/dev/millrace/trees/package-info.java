// SPDX-License-Identifier: Apache-2.0
/// Ensembles of decision trees, from what LightGBM and XGBoost save to ONNX: [dev.millrace.trees.TreeImport].
///
/// A reader of either format makes an `Ensemble`, whose splits are bounds among floats; what is made of it takes the
/// same way through each tree as the library does, whatever float comes.
///
/// Nothing that a dump claims is trusted: what is wrong with it is an [dev.millrace.trees.InvalidDumpException].
package dev.millrace.trees;
