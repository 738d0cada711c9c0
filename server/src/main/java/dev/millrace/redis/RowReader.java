// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// Reads rows from Redis. Those that somebody waits for already are not asked for again; all others of a request go out
/// together, one command for each entity with the fields of all its views. Each read ends in time: what Redis has not
/// answered by then could not be had.
///
/// Threads: any.
final class RowReader {
    private final Connector connector;
    private final RowCache cache;
    private final Breaker breaker;
    private final ScheduledExecutorService timer;
    private final LongSupplier clock;
    private final long timeoutNanos;
    private final int maxPending;
    private final Map<RowKey, CompletableFuture<FeastRow>> coming = new ConcurrentHashMap<>();
    private final AtomicInteger pending = new AtomicInteger();
    final LongAdder joined = new LongAdder();
    final LongAdder read = new LongAdder();
    final LongAdder late = new LongAdder();

    RowReader(
            RedisOptions options,
            Connector connector,
            RowCache cache,
            Breaker breaker,
            ScheduledExecutorService timer,
            LongSupplier clock) {
        this.connector = connector;
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
        private final AtomicInteger left;
        private ScheduledFuture<?> limit;

        Sent(int commands) {
            left = new AtomicInteger(commands);
        }
    }

    /// Reads rows that are not at hand.
    ///
    /// @return for each what comes, in time; it fails with a [StoreAwayException], or with a [FeastFormatException]
    List<CompletableFuture<FeastRow>> read(Collection<RowKey> keys) {
        List<CompletableFuture<FeastRow>> all = new ArrayList<>(keys.size());
        Map<RowKey, Entity> entities = new HashMap<>();
        int count = 0;
        for (RowKey key : keys) {
            CompletableFuture<FeastRow> mine = new CompletableFuture<>();
            CompletableFuture<FeastRow> first = coming.putIfAbsent(key, mine);
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
            send(new ArrayList<>(entities.values()), count);
        }
        return all;
    }

    private void send(List<Entity> entities, int rows) {
        String problem = reserve(rows);
        StatefulRedisConnection<byte[], byte[]> connection = connector.connection();
        if (problem == null && connection == null) {
            problem = connector.problem();
            breaker.failed(clock.getAsLong(), problem);
            pending.addAndGet(-rows);
        }
        if (problem != null) {
            StoreAwayException away = new StoreAwayException(problem);
            entities.forEach(entity -> fail(entity, away));
            return;
        }
        Sent sent = new Sent(entities.size());
        // Most entities of a request are asked for the same.
        Map<List<PreparedView>, FieldSet> sets = new HashMap<>();
        List<AsyncCommand<byte[], byte[], byte[][]>> commands = new ArrayList<>(entities.size());
        for (Entity entity : entities) {
            FieldSet fields = sets.computeIfAbsent(entity.views(), FieldSet::new);
            HashReply reply = new HashReply(fields);
            AsyncCommand<byte[], byte[], byte[][]> command =
                    new AsyncCommand<>(new Command<>(fields.command(), reply, fields.arguments(entity.key)));
            var _ = command.whenComplete((values, error) -> answered(sent, entity, reply, values, error));
            commands.add(command);
        }
        sent.limit = timer.schedule(() -> tooLate(connection, entities), timeoutNanos, TimeUnit.NANOSECONDS);
        try {
            connection.dispatch(commands);
        } catch (RuntimeException e) {
            commands.forEach(command -> command.completeExceptionally(e));
        }
    }

    /// Why rows cannot be asked for now; null if they can, and are counted.
    private String reserve(int rows) {
        if (breaker.isOpen() && !breaker.admits(clock.getAsLong())) {
            return breaker.reason();
        }
        if (pending.addAndGet(rows) > maxPending) {
            int others = pending.addAndGet(-rows);
            return others + " rows are on their way already, at most " + maxPending + " may be";
        }
        return null;
    }

    private void answered(Sent sent, Entity entity, HashReply reply, byte[][] values, Throwable error) {
        pending.addAndGet(-entity.rows.size());
        if (error != null || reply.hasError() || !reply.isComplete()) {
            String why = error != null ? error.getMessage() : reply.hasError() ? reply.getError() : "it is cut off";
            breaker.failed(clock.getAsLong(), "Redis did not answer: " + why);
            fail(entity, new StoreAwayException("Redis did not answer: " + why));
        } else {
            breaker.succeeded();
            read.add(entity.rows.size());
            take(entity, values);
        }
        if (sent.left.decrementAndGet() == 0) {
            sent.limit.cancel(false);
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
                cache.put(key, row, now);
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

    /// What was not answered by now could not be had. If that goes on the connection is given up: what is stuck in it
    /// would be in the way of all that follows.
    private void tooLate(StatefulRedisConnection<byte[], byte[]> connection, List<Entity> entities) {
        String why = "Redis did not answer in " + TimeUnit.NANOSECONDS.toMicros(timeoutNanos) / 1e3 + " ms";
        StoreAwayException problem = new StoreAwayException(why);
        boolean any = false;
        for (Entity entity : entities) {
            if (!entity.futures.getFirst().isDone()) {
                any = true;
                late.add(entity.rows.size());
                fail(entity, problem);
            }
        }
        if (any && breaker.failed(clock.getAsLong(), why)) {
            connector.lost(connection);
        }
    }
}
