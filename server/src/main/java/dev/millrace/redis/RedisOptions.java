// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.JoinKey;
import dev.millrace.feast.KeyVersion;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// How a store in Redis is asked. Immutable; start from [#of(String, String)].
///
/// @param connection as Feast writes it: `host:port,db=0,ssl=true,username=..,password=..`, or a `redis://` address
/// @param project whose rows these are; it is part of every key
/// @param keys how entities are written as keys
/// @param joinKeyTypes by name, the types of join keys that are not INT64 for whole numbers and STRING for texts
/// @param views by name, what is known of views beside what served models say
/// @param timeout how long a read may take, whatever time a request has
/// @param cacheAge how long what was read is used again; zero: never
/// @param cacheBytes the most memory that rows may take which are kept, for that and for when the store cannot be asked
/// @param maxPending the most rows that may be asked for and not answered yet; for more the store counts as away,
/// unless
/// nothing else is on its way
/// @param breakerFailures reads in a row that fail before only one in a second is tried; 0: always tried
public record RedisOptions(
        String connection,
        String project,
        KeyVersion keys,
        Map<String, JoinKey.Type> joinKeyTypes,
        Map<String, DeclaredView> views,
        Duration timeout,
        Duration cacheAge,
        long cacheBytes,
        int maxPending,
        int breakerFailures) {
    private static final Duration TIMEOUT = Duration.ofMillis(20);
    private static final long CACHE_BYTES = 64L << 20;
    private static final int MAX_PENDING = 16_384;
    private static final int BREAKER_FAILURES = 5;

    /// A view.
    ///
    /// @param joinKeys of its entity; empty if served models say it, or requests
    /// @param ttl how old its values may be; null if served models say it
    public record DeclaredView(List<String> joinKeys, Duration ttl) {
        /// The list cannot change.
        public DeclaredView {
            joinKeys = List.copyOf(joinKeys);
        }
    }

    /// Checks every value.
    public RedisOptions {
        joinKeyTypes = Map.copyOf(joinKeyTypes);
        views = Map.copyOf(views);
        if (timeout.isNegative() || timeout.isZero() || cacheAge.isNegative() || cacheBytes < 0) {
            throw new IllegalArgumentException("timeout " + timeout + ", cacheAge " + cacheAge + ", cacheBytes "
                    + cacheBytes + " came, expected a timeout above 0, and none below");
        }
        if (maxPending < 1 || breakerFailures < 0) {
            throw new IllegalArgumentException("maxPending " + maxPending + ", breakerFailures " + breakerFailures
                    + " came, expected 1 at least, and 0 at least");
        }
    }

    /// Rows of a project, with the defaults of all else.
    public static RedisOptions of(String connection, String project) {
        return new RedisOptions(
                connection,
                project,
                KeyVersion.V3,
                Map.of(),
                Map.of(),
                TIMEOUT,
                Duration.ZERO,
                CACHE_BYTES,
                MAX_PENDING,
                BREAKER_FAILURES);
    }

    /// These with another way to write keys.
    public RedisOptions withKeys(KeyVersion version) {
        return new RedisOptions(
                connection,
                project,
                version,
                joinKeyTypes,
                views,
                timeout,
                cacheAge,
                cacheBytes,
                maxPending,
                breakerFailures);
    }

    /// These with types of join keys.
    public RedisOptions withJoinKeyTypes(Map<String, JoinKey.Type> types) {
        return new RedisOptions(
                connection, project, keys, types, views, timeout, cacheAge, cacheBytes, maxPending, breakerFailures);
    }

    /// These with what is known of views.
    public RedisOptions withViews(Map<String, DeclaredView> declared) {
        return new RedisOptions(
                connection,
                project,
                keys,
                joinKeyTypes,
                declared,
                timeout,
                cacheAge,
                cacheBytes,
                maxPending,
                breakerFailures);
    }

    /// These with another time limit of reads.
    public RedisOptions withTimeout(Duration limit) {
        return new RedisOptions(
                connection,
                project,
                keys,
                joinKeyTypes,
                views,
                limit,
                cacheAge,
                cacheBytes,
                maxPending,
                breakerFailures);
    }

    /// These with other bounds of what is kept.
    public RedisOptions withCache(Duration age, long bytes) {
        return new RedisOptions(
                connection, project, keys, joinKeyTypes, views, timeout, age, bytes, maxPending, breakerFailures);
    }

    /// These with other bounds of what is tried.
    public RedisOptions withBounds(int pending, int failures) {
        return new RedisOptions(
                connection, project, keys, joinKeyTypes, views, timeout, cacheAge, cacheBytes, pending, failures);
    }
}
