// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import dev.millrace.memory.Hot;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// How many rows each client of a server has left, by the client's key.
///
/// There are never more buckets than [Limit#MAX_CLIENTS]. To make room, buckets that are full again are dropped, for a
/// new one would be as full. If there is no such bucket, clients that are not known yet share one. So whoever makes up
/// keys cannot push others' buckets out and have them start full, and in all gets no more rows than the number of
/// buckets allows.
///
/// Threads: any. All event loops share it, so their number does not change what a client gets.
public final class Clients {
    /// Longer keys are kept as their digest, so that memory is bounded whatever they are.
    private static final int MAX_KEY_CHARS = 64;
    /// The part of an IPv6 address that tells networks apart: one customer has all the rest.
    private static final int NETWORK_BYTES = 8;
    /// To look for full buckets takes longer than anything else here.
    private static final long SWEEP_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final long rate;
    private final long burst;
    private final int max;
    private final LongSupplier clock;
    private final long origin;
    private final Map<String, RowBucket> buckets = new ConcurrentHashMap<>();
    private final RowBucket shared;
    private long nextSweep;

    /// @param limits say how many rows, and how many clients
    /// @param clock nanoseconds
    public Clients(Limits limits, LongSupplier clock) {
        this.rate = limits.get(Limit.CLIENT_LIMIT);
        this.burst = limits.get(Limit.CLIENT_BURST);
        this.max = limits.count(Limit.MAX_CLIENTS);
        this.clock = clock;
        this.origin = clock.getAsLong();
        this.shared = new RowBucket(rate, burst);
    }

    /// The client that calls itself `name`, in a header.
    public Client named(String name) {
        return new Client(name.length() <= MAX_KEY_CHARS ? "name " + name : "digest " + digest(name));
    }

    private static String digest(String name) {
        try {
            byte[] bytes = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// The client at an address; for IPv6, in a network of 2^64 addresses.
    public Client at(InetAddress address) {
        byte[] bytes = address.getAddress();
        return new Client("address "
                + HexFormat.of()
                        .formatHex(address instanceof Inet6Address ? Arrays.copyOf(bytes, NETWORK_BYTES) : bytes));
    }

    /// Takes rows from what a client has left, all or none.
    ///
    /// @param rows no more than [Limit#CLIENT_BURST]
    /// @return 0 if they were taken; otherwise after how many nanoseconds they could be, if nobody else takes any
    @Hot
    public long take(Client client, long rows) {
        long now = clock.getAsLong() - origin;
        long wait = RowBucket.GONE;
        while (wait == RowBucket.GONE) {
            wait = bucket(client, now).take(rows, now);
            if (wait == RowBucket.GONE) {
                client.bucket(null);
            }
        }
        return wait;
    }

    /// After how many nanoseconds a client has a row left; 0 if it has one.
    @Hot
    public long untilRow(Client client) {
        long now = clock.getAsLong() - origin;
        return bucket(client, now).untilRow(now);
    }

    /// Whoever shares a bucket gets one of its own as soon as there is room.
    @Hot
    private RowBucket bucket(Client client, long now) {
        RowBucket bucket = client.bucket();
        if (bucket == null || bucket == shared) {
            bucket = find(client.key(), now);
            client.bucket(bucket);
        }
        return bucket;
    }

    private RowBucket find(String key, long now) {
        RowBucket known = buckets.get(key);
        return known != null ? known : add(key, now);
    }

    private synchronized RowBucket add(String key, long now) {
        if (buckets.size() >= max) {
            sweep(now);
        }
        return buckets.size() >= max
                ? buckets.getOrDefault(key, shared)
                : buckets.computeIfAbsent(key, _ -> new RowBucket(rate, burst));
    }

    private void sweep(long now) {
        if (now >= nextSweep) {
            nextSweep = now + SWEEP_PAUSE_NANOS;
            buckets.values().removeIf(bucket -> bucket.retire(now));
        }
    }

    /// What a client is told that has too few rows left.
    ///
    /// @param rows what it asked for
    /// @param waitNanos when there will be so many
    public static String tooManyRows(Limits limits, long rows, long waitNanos) {
        long millis = Math.ceilDiv(waitNanos, TimeUnit.MILLISECONDS.toNanos(1));
        return "this client has no " + rows + (rows == 1 ? " row" : " rows") + " left, at most "
                + limits.get(Limit.CLIENT_LIMIT) + " per second are allowed (" + Limit.CLIENT_LIMIT.option()
                + "); there will be in " + millis + " ms";
    }

    /// How many clients have a bucket of their own.
    public int size() {
        return buckets.size();
    }
}
