// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An HTTP server for the models of one or more repositories.
///
/// ```
/// try (MillraceServer server = MillraceServer.start(ServerConfig.of(Path.of("models")).withPort(0))) {
///     URI live = URI.create(server.url() + "/v2/health/live");
/// }
/// ```
///
/// Threads: any. Ownership: it owns the runtime, the event loops and the native memory until it is closed.
public final class MillraceServer implements AutoCloseable {
    private static final int BACKLOG = 1024;
    /// A piece of a body is as large as what was read from the socket at once.
    private static final int MAX_CHUNK_BYTES = 1 << 20;

    private static final long SHUTDOWN_SECONDS = 10;
    /// Connections over the limit that are at least told so.
    private static final int MAX_SURPLUS = 64;
    /// Bodies that have not come wholly may take this part of the heap, whatever the limit says.
    private static final int HEAP_PART = 4;

    private static final Logger LOG = LoggerFactory.getLogger(MillraceServer.class);

    private final ServerConfig config;
    private final MultiThreadIoEventLoopGroup group;
    private final Channel listener;
    private final Map<EventLoop, Loop> loops = new IdentityHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final HttpCounters counters = new HttpCounters();
    private final LongSupplier clock;
    private Millrace millrace;
    private Metrics metrics;
    private Endpoints endpoints;

    private MillraceServer(ServerConfig config, LongSupplier clock) throws IOException {
        this.config = config;
        this.clock = clock;
        Transport transport = Transport.best();
        this.group = new MultiThreadIoEventLoopGroup(
                config.eventLoops(), new DefaultThreadFactory("millrace-http", true), transport.handlers());
        try {
            this.listener = bind(transport);
        } catch (IOException e) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
            throw e;
        }
    }

    /// Loads the models and starts to listen.
    ///
    /// @throws IOException if it cannot listen there
    /// @throws java.io.UncheckedIOException if a repository is not a readable folder
    public static MillraceServer start(ServerConfig config) throws IOException {
        return start(config, System::nanoTime);
    }

    /// The same with another clock for the time limits of connections, in nanoseconds.
    static MillraceServer start(ServerConfig config, LongSupplier clock) throws IOException {
        // The port first: that it is taken should not be said after a minute of loading. Clients wait until then.
        MillraceServer server = new MillraceServer(config, clock);
        try {
            server.load();
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    private Channel bind(Transport transport) throws IOException {
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(transport.channel())
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                })
                .bind(new InetSocketAddress(config.host(), config.port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + config.host() + ":" + config.port() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        return bound.channel();
    }

    /// Whoever comes when there are enough connections is told so, and may ask how the server is: waiting in the
    /// kernel's queue, they would not know better than to wait. If even they are too many, they are closed at once.
    private void accept(Channel channel) {
        Limits limits = config.limits();
        int place = counters.opened();
        channel.closeFuture().addListener(_ -> counters.closed());
        int surplus = place - limits.count(Limit.MAX_CONNECTIONS);
        if (surplus > MAX_SURPLUS) {
            counters.limited(Limit.MAX_CONNECTIONS);
            var _ = channel.close();
            return;
        }
        HttpDecoderConfig http = new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.count(Limit.MAX_LINE_BYTES))
                .setMaxHeaderSize(limits.count(Limit.MAX_HEADER_BYTES))
                .setMaxChunkSize(MAX_CHUNK_BYTES);
        Connection connection =
                new Connection(loops.get(channel.eventLoop()), endpoints, surplus > 0 ? place : Connection.WELCOME);
        channel.pipeline().addLast(new RequestDecoder(http, connection)).addLast(connection);
    }

    private void load() {
        millrace = Millrace.open(runtimeConfig(), config.repositories().toArray(Path[]::new));
        long receiving = Math.min(
                config.limits().get(Limit.MAX_RECEIVING_BYTES),
                Runtime.getRuntime().maxMemory() / HEAP_PART);
        Clients clients = config.limits().get(Limit.CLIENT_LIMIT) > 0 ? new Clients(config.limits(), clock) : null;
        metrics = new Metrics(millrace, counters, clients);
        endpoints = new Endpoints(millrace, metrics);
        Loop.Shared shared = new Loop.Shared(
                counters, limits(receiving), new ReceivingBudget(receiving), clients, config.clientKey(), clock);
        for (EventExecutor executor : group) {
            SingleThreadEventLoop loop = (SingleThreadEventLoop) executor;
            loops.put(loop, new Loop(loop, millrace, shared));
        }
        // Publishes all this to the event loops.
        listener.config().setAutoRead(true);
    }

    /// A body that is larger than all together may be is too large, not one for later.
    private Limits limits(long receiving) {
        if (config.limits().get(Limit.MAX_BODY_BYTES) <= receiving) {
            return config.limits();
        }
        LOG.info(
                "bodies may have {} bytes instead of {}: more than {} are not received at a time",
                receiving,
                config.limits().get(Limit.MAX_BODY_BYTES),
                receiving);
        return config.limits().with(Limit.MAX_BODY_BYTES, receiving);
    }

    /// Unlike a library a server also needs direct buffers, which leave less for models.
    private RuntimeConfig runtimeConfig() {
        MemoryPlan plan = MemoryPlan.ofServer(config.runtime().memoryBytes());
        LOG.info("{}", plan.describe());
        if (plan.isOvercommitted()) {
            LOG.warn("together this may be more memory than there is: give the heap less, by -Xmx, or --memory-limit");
        }
        return config.runtime().withMemoryBytes(plan.bytes());
    }

    /// The port that it listens on.
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// Where it is reached, without a slash at the end.
    public String url() {
        String host = config.host();
        return "http://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port();
    }

    /// Looks now whose client takes too long, and not when it is time to.
    void lookAtConnections() {
        onEachLoop(loop -> loop.connections().lookAtAll());
    }

    /// The open connections.
    List<Connection> connections() {
        return loops.values().stream()
                .flatMap(loop ->
                        loop.executor().submit(() -> loop.connections().all()).awaitUninterruptibly().getNow().stream())
                .toList();
    }

    HttpCounters counters() {
        return counters;
    }

    /// The runtime that answers.
    public Millrace runtime() {
        return millrace;
    }

    /// Accepts no more connections, answers what was taken in, and frees everything. After the runtime's drain timeout
    /// what is left is cut off.
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        listener.close().awaitUninterruptibly();
        onEachLoop(Loop::drain);
        awaitConnections(config.runtime().drainTimeout());
        onEachLoop(Loop::closeConnections);
        if (millrace != null) {
            millrace.close();
            onEachLoop(Loop::close);
            metrics.close();
        }
        group.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private void onEachLoop(Consumer<Loop> action) {
        loops.values()
                .forEach(loop ->
                        loop.executor().submit(() -> action.accept(loop)).awaitUninterruptibly());
    }

    private void awaitConnections(Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        while (anyLoop(Loop::hasConnections) && System.nanoTime() - end < 0) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private boolean anyLoop(Predicate<Loop> condition) {
        return loops.values().stream()
                .anyMatch(loop -> loop.executor()
                        .submit(() -> condition.test(loop))
                        .awaitUninterruptibly()
                        .getNow());
    }
}
