// SPDX-License-Identifier: Apache-2.0
/// Reads from the embedded feature store while it is written to, beside reads of as many bytes from
/// a mapped file.
package dev.millrace.bench.store;
