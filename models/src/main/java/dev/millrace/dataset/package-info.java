// SPDX-License-Identifier: Apache-2.0
/// Data for models: rows of their inputs, and labels, from files.
package dev.millrace.dataset;
