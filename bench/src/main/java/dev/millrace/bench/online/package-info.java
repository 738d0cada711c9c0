// SPDX-License-Identifier: Apache-2.0
/// Stored features by themselves, out of Redis, beside Redis alone and what Feast publishes of its own server.
package dev.millrace.bench.online;
