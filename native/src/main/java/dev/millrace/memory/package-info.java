// SPDX-License-Identifier: Apache-2.0
/// Memory this project owns outside the Java heap: regions, the tags they are accounted under, and the counters.
///
/// Every allocation has exactly one owner, which closes it; [dev.millrace.memory.NativeMemory] tells what is held.
package dev.millrace.memory;
