// SPDX-License-Identifier: Apache-2.0
/// What speaks to servers in processes of their own: load generators, clients that look at the answers, and the floors,
/// servers that answer with the same bytes whatever they are asked.
package dev.millrace.bench.wire;
