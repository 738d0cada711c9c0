// SPDX-License-Identifier: Apache-2.0
/// A store of features in Redis, as Feast fills it ([dev.millrace.redis.RedisStore]): what many requests need is read
/// in one go, kept for a while, and asked for once however many wait for it.
package dev.millrace.redis;
