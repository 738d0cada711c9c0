// SPDX-License-Identifier: Apache-2.0
/// `millrace score`: a model's answers for all rows of a file, written to another. Rows go the way
/// that requests go; many are on the way at a time, and answers are written in the order of the
/// rows.
package dev.millrace.score;
