// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/// A real Redis for tests, on a free port, without files but what [#save()] writes. Where there is none installed the
/// test is skipped.
public final class TestRedis implements AutoCloseable {
    private static final HexFormat HEX = HexFormat.of();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final int port;
    private final Path folder;
    private Process process;

    private TestRedis(int port, Path folder) {
        this.port = port;
        this.folder = folder;
    }

    /// Starts one that keeps nothing.
    public static TestRedis start() {
        return start(Path.of(System.getProperty("java.io.tmpdir")));
    }

    /// Starts one that has what was saved in a folder.
    static TestRedis start(Path folder) {
        boolean installed = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(each -> Files.isExecutable(Path.of(each, "redis-server")));
        Assumptions.assumeTrue(installed, "redis-server is not installed: Debian's package of that name has it");
        TestRedis redis = new TestRedis(freePort(), folder);
        redis.begin();
        return redis;
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Starts it again, with what was saved.
    void begin() {
        try {
            process = new ProcessBuilder(
                            "redis-server",
                            "--port",
                            Integer.toString(port),
                            "--bind",
                            "127.0.0.1",
                            "--save",
                            "",
                            "--appendonly",
                            "no",
                            "--dir",
                            folder.toString(),
                            "--dbfilename",
                            "test-" + port + ".rdb")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!isReachable()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException("redis-server does not answer on port " + port);
            }
            Thread.onSpinWait();
        }
    }

    private boolean isReachable() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /// Its port.
    public int port() {
        return port;
    }

    /// Writes a hash, all in hexadecimal digits.
    ///
    /// @param fields names and values
    public void write(String key, Map<String, String> fields) {
        write(Map.of(key, fields));
    }

    /// Writes hashes by their keys, all in hexadecimal digits.
    void write(Map<String, Map<String, String>> hashes) {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        try (StatefulRedisConnection<byte[], byte[]> connection = client.connect(ByteArrayCodec.INSTANCE)) {
            hashes.forEach((key, fields) -> fields.forEach((name, value) ->
                    connection.sync().hset(HEX.parseHex(key), HEX.parseHex(name), HEX.parseHex(value))));
        } finally {
            client.shutdown(0, 1, java.util.concurrent.TimeUnit.SECONDS);
        }
    }

    /// Writes all that it has to its folder.
    void save() {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        try (var connection = client.connect()) {
            connection.sync().save();
        } finally {
            client.shutdown(0, 1, java.util.concurrent.TimeUnit.SECONDS);
        }
    }

    /// How many clients are connected, this question's among them.
    int connections() {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        try (var connection = client.connect()) {
            return (int) connection.sync().clientList().lines().count();
        } finally {
            client.shutdown(0, 1, java.util.concurrent.TimeUnit.SECONDS);
        }
    }

    /// How often HMGET was asked.
    long reads() {
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        try (var connection = client.connect()) {
            String stats = connection.sync().info("commandstats");
            return stats.lines()
                    .filter(line -> line.startsWith("cmdstat_hmget:calls="))
                    .mapToLong(line -> Long.parseLong(line.substring(line.indexOf('=') + 1, line.indexOf(','))))
                    .sum();
        } finally {
            client.shutdown(0, 1, java.util.concurrent.TimeUnit.SECONDS);
        }
    }

    /// Stops it at once.
    void stop() {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop();
    }
}
