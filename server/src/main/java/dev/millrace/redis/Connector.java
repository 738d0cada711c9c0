// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a connection to Redis: makes a new one whenever there is none, again and again, with pauses. What was asked
/// over one that is lost fails at once.
///
/// Threads: any. Ownership: it owns the client, but not the client's resources; whoever made it closes it.
final class Connector implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Connector.class);
    private static final long FIRST_PAUSE_MILLIS = 20;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    /// Reads in a row that are not answered in time before their connection is given up.
    private static final int LATE = 5;

    private final RedisClient client;
    private final RedisURI uri;
    private final ScheduledExecutorService timer;
    private final Runnable whenConnected;
    private final boolean tells;
    private volatile StatefulRedisConnection<byte[], byte[]> connection;
    private final AtomicInteger lateInARow = new AtomicInteger();
    private volatile String problem = "it is not connected yet";
    private long pauseMillis = FIRST_PAUSE_MILLIS;
    private boolean closed;
    private boolean complained;

    /// Begins to connect.
    ///
    /// @param longest what a read may take; commands are given up by the client long after that
    /// @param resources the client's threads
    /// @param whenConnected done whenever there is a connection again
    /// @param tells whether the log has when it is away, and when it is back
    Connector(
            RedisURI uri,
            Duration longest,
            ClientResources resources,
            ScheduledExecutorService timer,
            Runnable whenConnected,
            boolean tells) {
        this.tells = tells;
        this.uri = uri;
        this.whenConnected = whenConnected;
        // Of the handshake, too.
        uri.setTimeout(longest.compareTo(CONNECT_TIMEOUT) < 0 ? CONNECT_TIMEOUT : longest.multipliedBy(2));
        this.timer = timer;
        client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                .autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(CONNECT_TIMEOUT)
                        .tcpNoDelay(true)
                        .keepAlive(true)
                        .build())
                .build());
        connect();
    }

    /// The connection; null if there is none.
    StatefulRedisConnection<byte[], byte[]> connection() {
        return connection;
    }

    /// Why there is none.
    String problem() {
        return problem;
    }

    /// A read over a connection was answered in time.
    void answered() {
        if (lateInARow.get() != 0) {
            lateInARow.set(0);
        }
    }

    /// A read over a connection was not. If that goes on it is given up: what is stuck in it would be in the way of all
    /// that follows.
    void late(StatefulRedisConnection<byte[], byte[]> of) {
        if (lateInARow.incrementAndGet() >= LATE) {
            lateInARow.set(0);
            lost(of);
        }
    }

    private void connect() {
        var _ = client.connectAsync(ByteArrayCodec.INSTANCE, uri).whenComplete((made, error) -> {
            if (made != null) {
                connected(made);
            } else {
                failed(error);
            }
        });
    }

    private void connected(StatefulRedisConnection<byte[], byte[]> made) {
        made.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                lost(made);
            }
        });
        synchronized (this) {
            if (closed) {
                var _ = made.closeAsync();
                return;
            }
            whenConnected.run();
            connection = made;
            pauseMillis = FIRST_PAUSE_MILLIS;
            if (complained) {
                LOG.info("the feature store in Redis at {} is connected again", uri);
                complained = false;
            }
        }
        if (!made.isOpen()) {
            // Nobody was told: it was not the connection yet.
            lost(made);
        }
    }

    private synchronized void failed(Throwable error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        problem = "it cannot be connected: " + cause.getMessage();
        if (tells && !complained) {
            complained = true;
            LOG.warn(
                    "the feature store in Redis at {} cannot be connected, it is tried again: {}",
                    uri,
                    cause.toString());
        }
        again();
    }

    /// Gives a connection up that is of no use any more; another one is made.
    @SuppressWarnings("ReferenceEquality") // a connection is what it is
    void lost(StatefulRedisConnection<byte[], byte[]> given) {
        synchronized (this) {
            if (connection != given) {
                return;
            }
            connection = null;
            problem = "its connection was lost";
            again();
        }
        // Also of one that has ended by itself: the client keeps it otherwise.
        var _ = given.closeAsync();
    }

    private void again() {
        if (closed) {
            return;
        }
        try {
            var _ = timer.schedule(this::connect, pauseMillis, TimeUnit.MILLISECONDS);
            pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
        } catch (RejectedExecutionException e) {
            // It is being closed.
        }
    }

    @Override
    public void close() {
        StatefulRedisConnection<byte[], byte[]> last;
        synchronized (this) {
            closed = true;
            last = connection;
            connection = null;
            problem = "it was closed";
        }
        if (last != null) {
            last.close();
        }
        client.shutdown(0, 1, TimeUnit.SECONDS);
    }
}
