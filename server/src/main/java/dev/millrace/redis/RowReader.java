// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.millrace.feast.FeastFormatException;
import dev.millrace.feast.FeastRow;
import dev.millrace.policy.Breaker;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// Reads rows from Redis. Those that somebody waits for already are not asked for again; all others of a request go out
/// together, one command for each entity with the fields of all its views. Each read ends in time: what Redis has not
/// answered by then could not be had.
///
/// Threads: any.
final class RowReader {
    private static final int MAX_SETS = 256;

    private final Connections connections;
    private final RowCache cache;
    private final Breaker breaker;
    private final ScheduledExecutorService timer;
    private final LongSupplier clock;
    private final long timeoutNanos;
    private final int maxPending;
    private final Map<RowKey, CompletableFuture<FeastRow>> coming = new ConcurrentHashMap<>();
    /// Most entities are asked for the same.
    private final Cache<List<PreparedView>, FieldSet> sets =
            Caffeine.newBuilder().maximumSize(MAX_SETS).executor(Runnable::run).build();
    private final AtomicInteger pending = new AtomicInteger();
    final LongAdder joined = new LongAdder();
    final LongAdder read = new LongAdder();
    final LongAdder late = new LongAdder();

    RowReader(
            RedisOptions options,
            Connections connections,
            RowCache cache,
            Breaker breaker,
            ScheduledExecutorService timer,
            LongSupplier clock) {
        this.connections = connections;
        this.cache = cache;
        this.breaker = breaker;
        this.timer = timer;
        this.clock = clock;
        this.timeoutNanos = options.timeout().toNanos();
        this.maxPending = options.maxPending();
    }

    int pending() {
        return pending.get();
    }

    /// An entity's rows, all in one hash.
    private static final class Entity {
        private final byte[] key;
        private final List<RowKey> rows = new ArrayList<>();
        private final List<CompletableFuture<FeastRow>> futures = new ArrayList<>();

        Entity(byte[] key) {
            this.key = key;
        }

        List<PreparedView> views() {
            return rows.stream().map(RowKey::view).toList();
        }
    }

    /// What was sent together, until all of it is answered or it is too late.
    private static final class Sent {
        private final Connector connector;
        private final StatefulRedisConnection<byte[], byte[]> connection;
        private final List<Entity> entities;
        private final List<AsyncCommand<byte[], byte[], byte[][]>> commands = new ArrayList<>();
        private final AtomicInteger left;
        /// Whether it is tried although the breaker is open.
        private final boolean probe;
        /// Whether it has failed: that counts once, whatever becomes of its commands.
        private final AtomicBoolean failed = new AtomicBoolean();
        private ScheduledFuture<?> limit;

        Sent(
                Connector connector,
                StatefulRedisConnection<byte[], byte[]> connection,
                List<Entity> entities,
                boolean probe) {
            this.connector = connector;
            this.connection = connection;
            this.entities = entities;
            this.probe = probe;
            left = new AtomicInteger(entities.size());
        }
    }

    /// Reads rows that are not at hand.
    ///
    /// @return for each what comes, in time; it fails with a [StoreAwayException], or with a [FeastFormatException]
    List<CompletableFuture<FeastRow>> read(Collection<RowKey> keys, ReadBy by) {
        List<CompletableFuture<FeastRow>> all = new ArrayList<>(keys.size());
        Map<RowKey, Entity> entities = new HashMap<>();
        int count = 0;
        for (RowKey key : keys) {
            CompletableFuture<FeastRow> mine = new CompletableFuture<>();
            CompletableFuture<FeastRow> first = by == ReadBy.OTHERS_ALONE ? null : coming.putIfAbsent(key, mine);
            if (first != null) {
                joined.increment();
                all.add(first);
                continue;
            }
            Entity entity = entities.computeIfAbsent(new RowKey(null, key.bytes()), _ -> new Entity(key.bytes()));
            entity.rows.add(key);
            entity.futures.add(mine);
            all.add(mine);
            count++;
        }
        if (count > 0) {
            List<Entity> missing = new ArrayList<>(entities.values());
            try {
                send(connections.here(by), missing, count);
            } catch (RuntimeException | Error e) {
                // Whoever asks next must not wait for what nobody asked for.
                missing.forEach(entity -> fail(entity, new StoreAwayException("it cannot be asked: " + e)));
                throw e;
            }
        }
        return all;
    }

    private void send(Connector connector, List<Entity> entities, int rows) {
        StatefulRedisConnection<byte[], byte[]> connection = connector.connection();
        boolean probe = breaker.isOpen();
        String problem = connection == null ? connector.problem() : reserve(rows, probe);
        if (problem != null) {
            StoreAwayException away = new StoreAwayException(problem);
            entities.forEach(entity -> fail(entity, away));
            return;
        }
        Sent sent = new Sent(connector, connection, entities, probe);
        for (Entity entity : entities) {
            FieldSet fields = sets.get(entity.views(), FieldSet::new);
            HashReply reply = new HashReply(fields);
            AsyncCommand<byte[], byte[], byte[][]> command =
                    new AsyncCommand<>(new Command<>(fields.command(), reply, fields.arguments(entity.key)));
            var _ = command.whenComplete((values, error) -> answered(sent, entity, reply, values, error));
            sent.commands.add(command);
        }
        sent.limit = timer.schedule(() -> tooLate(sent), timeoutNanos, TimeUnit.NANOSECONDS);
        try {
            connection.dispatch(sent.commands);
        } catch (RuntimeException e) {
            sent.commands.forEach(command -> command.completeExceptionally(e));
        }
    }

    /// Why rows cannot be asked for now; null if they can, and are counted. A request by itself may have more than
    /// may be on their way: it waits for nobody.
    private String reserve(int rows, boolean probe) {
        if (probe && !breaker.admits(clock.getAsLong())) {
            return breaker.reason();
        }
        int all = pending.addAndGet(rows);
        if (all > maxPending && all > rows) {
            int others = pending.addAndGet(-rows);
            return others + " rows are on their way already, at most " + maxPending + " may be";
        }
        return null;
    }

    private void answered(Sent sent, Entity entity, HashReply reply, byte[][] values, Throwable error) {
        pending.addAndGet(-entity.rows.size());
        if (error != null || (!reply.hasError() && !reply.isComplete())) {
            String why = "Redis did not answer: " + (error == null ? "it is cut off" : error.getMessage());
            failed(sent, why);
            fail(entity, new StoreAwayException(why));
        } else if (reply.hasError()) {
            // It has answered: this is about the key, not about Redis.
            fail(entity, new StoreAwayException("Redis has refused: " + reply.getError()));
        } else {
            sent.connector.answered();
            if (!sent.failed.get()) {
                breaker.succeeded();
            }
            read.add(entity.rows.size());
            take(entity, values);
        }
        if (sent.left.decrementAndGet() == 0) {
            sent.limit.cancel(false);
        }
    }

    /// While the breaker is open only the probe tells anything new.
    private void failed(Sent sent, String why) {
        if (sent.failed.compareAndSet(false, true) && (sent.probe || !breaker.isOpen())) {
            breaker.failed(clock.getAsLong(), why);
        }
    }

    private void take(Entity entity, byte[][] values) {
        int at = 0;
        long now = clock.getAsLong();
        for (int i = 0; i < entity.rows.size(); i++) {
            RowKey key = entity.rows.get(i);
            int end = at + key.view().fields().length - 1;
            CompletableFuture<FeastRow> future = entity.futures.get(i);
            try {
                FeastRow row = new FeastRow(Arrays.copyOfRange(values, at, end), values[end]);
                if (key.view().isKept()) {
                    cache.put(key, row, now);
                }
                coming.remove(key, future);
                future.complete(row);
            } catch (FeastFormatException e) {
                coming.remove(key, future);
                future.completeExceptionally(e);
            }
            at = end + 1;
        }
    }

    private void fail(Entity entity, RuntimeException problem) {
        for (int i = 0; i < entity.rows.size(); i++) {
            CompletableFuture<FeastRow> future = entity.futures.get(i);
            coming.remove(entity.rows.get(i), future);
            future.completeExceptionally(problem);
        }
    }

    /// What was not answered by now could not be had.
    @SuppressWarnings("ReferenceEquality") // a connection is what it is
    private void tooLate(Sent sent) {
        String why = "Redis did not answer in " + TimeUnit.NANOSECONDS.toMicros(timeoutNanos) / 1e3 + " ms";
        StoreAwayException problem = new StoreAwayException(why);
        boolean any = false;
        for (Entity entity : sent.entities) {
            if (!entity.futures.getFirst().isDone()) {
                any = true;
                late.add(entity.rows.size());
                fail(entity, problem);
            }
        }
        if (any) {
            failed(sent, why);
            sent.connector.late(sent.connection);
        }
        if (sent.connector.connection() != sent.connection) {
            // Nobody answers these any more.
            sent.commands.forEach(command -> command.cancel(true));
        }
    }
}
