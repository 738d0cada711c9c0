// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.online;

import dev.millrace.feast.EntityKeys;
import dev.millrace.feast.FeastView;
import dev.millrace.feast.JoinKey;
import dev.millrace.feast.KeyVersion;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A Redis of its own, with rows as Feast writes them: fifty doubles of each entity in five views.
///
/// Threads: one. Ownership: the process ends when this is closed.
final class FilledRedis implements AutoCloseable {
    static final String PROJECT = "bench";
    static final String KEY = "driver_id";
    static final int VIEWS = 5;
    static final int FIELDS = 10;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final int PIPELINE = 200;
    private static final int DOUBLE = 0x29;
    private static final byte[] TIME = {0x08, (byte) 0x80, (byte) 0x9c, (byte) 0xd7, (byte) 0xca, 0x06};

    private final int port;
    private final Process process;
    private final RedisClient client;
    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final EntityKeys keys =
            new EntityKeys(KeyVersion.V3, PROJECT, List.of(new JoinKey(KEY, JoinKey.Type.INT64)));
    private final byte[][] fields;

    private FilledRedis(int port, Process process) {
        this.port = port;
        this.process = process;
        client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        connection = client.connect(ByteArrayCodec.INSTANCE);
        List<byte[]> all = new ArrayList<>();
        for (int view = 0; view < VIEWS; view++) {
            all.addAll(List.of(view(view).hashFields()));
        }
        fields = all.toArray(byte[][]::new);
    }

    private static FeastView view(int view) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < FIELDS; i++) {
            names.add("f" + i);
        }
        return new FeastView("v" + view, List.of(), names);
    }

    /// Starts and fills one.
    ///
    /// @throws IOException if there is no redis-server
    static FilledRedis start(int entities) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String text = Integer.toString(port);
        Process process = new ProcessBuilder(
                        "redis-server", "--port", text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            await(port, process);
            FilledRedis redis = new FilledRedis(port, process);
            redis.fill(entities);
            return redis;
        } catch (IOException | RuntimeException e) {
            process.destroy();
            throw e;
        }
    }

    private static void await(int port, Process process) throws IOException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                if (socket.isConnected()) {
                    return;
                }
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() > end) {
                    throw e;
                }
            }
        }
    }

    private void fill(int entities) {
        List<RedisFuture<Long>> written = new ArrayList<>();
        for (int entity = 0; entity < entities; entity++) {
            Map<byte[], byte[]> row = new HashMap<>();
            for (int i = 0; i < fields.length; i++) {
                boolean time = i % (FIELDS + 1) == FIELDS;
                row.put(fields[i], time ? TIME : value(entity + i / 64.0));
            }
            written.add(connection.async().hset(key(entity), row));
            if (written.size() == PIPELINE) {
                written.forEach(FilledRedis::join);
                written.clear();
            }
        }
        written.forEach(FilledRedis::join);
    }

    private static byte[] value(double value) {
        return ByteBuffer.allocate(1 + Double.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) DOUBLE)
                .putDouble(value)
                .array();
    }

    private static void join(RedisFuture<?> future) {
        future.toCompletableFuture().join();
    }

    private byte[] key(long entity) {
        return keys.key(entity);
    }

    int port() {
        return port;
    }

    /// Reads all fields of entities at once, as little as a client can do; how many values came.
    int read(long[] entities) {
        List<RedisFuture<?>> all = new ArrayList<>(entities.length);
        for (long entity : entities) {
            all.add(connection.async().hmget(key(entity), fields));
        }
        int values = 0;
        for (RedisFuture<?> each : all) {
            values += ((List<?>) each.toCompletableFuture().join()).size();
        }
        return values;
    }

    @Override
    public void close() {
        connection.close();
        client.shutdown(0, 1, TimeUnit.SECONDS);
        process.destroy();
    }
}
