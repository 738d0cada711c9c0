// SPDX-License-Identifier: Apache-2.0
/// What specifications of features learn from data: [dev.millrace.fit.SpecFit] fills the gaps of a template from rows
/// that it is shown.
package dev.millrace.fit;
