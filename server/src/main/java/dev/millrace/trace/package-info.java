// SPDX-License-Identifier: Apache-2.0

/// Traces of single requests: which are taken, and the files that they are written to, in Triton's format.
package dev.millrace.trace;
