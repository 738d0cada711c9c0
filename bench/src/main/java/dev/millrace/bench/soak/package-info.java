// SPDX-License-Identifier: Apache-2.0
/// The soak: one process with a server, library callers of every kind and HTTP clients of every kind, at random, for as
/// long as asked; every answer is compared, everything is counted, and at the end nothing may be left.
package dev.millrace.bench.soak;
