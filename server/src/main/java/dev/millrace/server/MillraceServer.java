// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.control.AdminAccess;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.control.RepositoryControl;
import dev.millrace.grpc.GrpcServer;
import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.limit.ReceivingBudget;
import dev.millrace.manage.Management;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.online.OnlineFeatures;
import dev.millrace.redis.RedisStore;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.trace.Tracing;
import dev.millrace.update.Feeds;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
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
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    /// Of up to 64 KiB, from a connection before others have their turn. With one alone, requests of 44 KB that come on
    /// 32 connections are 11 % fewer.
    private static final int READS = 4;
    /// Connections over the limit that are at least told so.
    private static final int MAX_SURPLUS = 64;
    /// Bodies that have not come wholly may take this part of the heap, or of what buffers may take, whatever the limit
    /// says.
    private static final int MEMORY_PART = 4;

    private static final Logger LOG = LoggerFactory.getLogger(MillraceServer.class);

    private final ServerConfig config;
    private final MultiThreadIoEventLoopGroup group;
    private final Channel listener;
    /// Null without an admin port.
    private final Channel adminListener;
    private final Map<EventLoop, Loop> loops = new IdentityHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final HttpCounters counters = new HttpCounters();
    private final LongSupplier clock;
    private final Limits limits;
    private final ReceivingBudget receiving;
    /// Null if clients' rows are not limited.
    private final Clients clients;
    /// Null without gRPC.
    private final GrpcServer grpc;
    private final Tracing tracing;
    private final Feeds feeds;
    private Millrace millrace;
    private Metrics metrics;
    private RepositoryControl control;
    private AdminAccess admin;
    private Management management;
    private OnlineFeatures features;
    /// Null without one.
    private RedisStore redis;
    private Endpoints endpoints;

    private MillraceServer(ServerConfig config, LongSupplier clock) throws IOException {
        this.config = config;
        this.tracing = Tracing.into(config.traceFolder());
        this.clock = clock;
        this.feeds = Feeds.prepare(config.updates(), config.runtime().featureStore(), InstantSource.system());
        Transport transport = Transport.best();
        this.group = new MultiThreadIoEventLoopGroup(
                config.eventLoops(), new DefaultThreadFactory("millrace-http", true), transport.handlers());
        long receivable = Math.min(
                config.limits().get(Limit.MAX_RECEIVING_BYTES),
                Math.min(Runtime.getRuntime().maxMemory(), PlatformDependent.maxDirectMemory()) / MEMORY_PART);
        this.receiving = new ReceivingBudget(receivable);
        this.limits = limits(receivable);
        this.clients = limits.get(Limit.CLIENT_LIMIT) > 0 ? new Clients(limits, clock) : null;
        try {
            this.listener = bind(transport, config.host(), config.port(), false);
            this.adminListener = bindAdmin(transport);
            this.grpc = config.grpcPort() == ServerConfig.NO_PORT ? null : bindGrpc(transport);
        } catch (IOException e) {
            feeds.close();
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
            throw e;
        }
    }

    private GrpcServer bindGrpc(Transport transport) throws IOException {
        InetSocketAddress address = new InetSocketAddress(config.host(), config.grpcPort());
        try {
            return GrpcServer.bind(
                    address,
                    group,
                    transport.channel(),
                    limits,
                    clients,
                    config.clientKey(),
                    new HttpCounters.OfGrpc(counters, receiving));
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on " + config.host() + ":" + config.grpcPort() + " for gRPC: "
                            + cause(e).getMessage(),
                    e);
        }
    }

    private static Throwable cause(Throwable problem) {
        return problem.getCause() == null ? problem : problem.getCause();
    }

    /// Loads the models and starts to listen.
    ///
    /// @throws IOException if it cannot listen there
    /// @throws java.io.UncheckedIOException if a repository is not a readable folder
    public static MillraceServer start(ServerConfig config) throws IOException {
        return start(config, () -> {}, System::nanoTime);
    }

    /// As [#start(ServerConfig)].
    ///
    /// @param opening told when the models are loaded, just before the first client is let in
    public static MillraceServer start(ServerConfig config, Runnable opening) throws IOException {
        return start(config, opening, System::nanoTime);
    }

    /// The same with another clock for the time limits of connections, in nanoseconds.
    static MillraceServer start(ServerConfig config, LongSupplier clock) throws IOException {
        return start(config, () -> {}, clock);
    }

    private static MillraceServer start(ServerConfig config, Runnable opening, LongSupplier clock) throws IOException {
        // The port first: that it is taken should not be said after a minute of loading. Clients wait until then.
        MillraceServer server = new MillraceServer(config, clock);
        try {
            server.load();
            server.open(opening);
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /// Only this machine reaches it, so that everybody there may do everything.
    private Channel bindAdmin(Transport transport) throws IOException {
        int port = config.control().adminPort();
        return port == ControlConfig.NO_PORT ? null : bind(transport, adminHost(), port, true);
    }

    private Channel bind(Transport transport, String host, int port, boolean admin) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(transport.channel())
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(READS))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        if (admin) {
            bootstrap.childAttr(Connection.ADMIN, true);
        }
        ChannelFuture bound = bootstrap.bind(new InetSocketAddress(host, port)).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + host + ":" + port + ": "
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
        // Whoever runs the server is let in however many clients there are.
        boolean admin = channel.hasAttr(Connection.ADMIN);
        int surplus = admin ? Connection.WELCOME : place - limits.count(Limit.MAX_CONNECTIONS);
        if (surplus > MAX_SURPLUS) {
            counters.limited(Limit.MAX_CONNECTIONS);
            var _ = channel.close();
            return;
        }
        HttpDecoderConfig http = new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.count(Limit.MAX_LINE_BYTES))
                .setMaxHeaderSize(limits.count(Limit.MAX_HEADER_BYTES))
                .setMaxChunkSize(MAX_CHUNK_BYTES);
        Http1Connection connection = new Http1Connection(
                loops.get(channel.eventLoop()), endpoints, surplus > 0 ? place : Connection.WELCOME);
        channel.pipeline().addLast(new RequestDecoder(http, connection)).addLast(connection);
    }

    private void load() {
        millrace = Millrace.open(runtimeConfig(), config.repositories().toArray(Path[]::new));
        control = new RepositoryControl(
                config.control(), limits, counters::limited, config.repositories(), millrace.lifecycle());
        management = new Management(millrace, control, config.control().strictReadiness(), tracing);
        // Of other stores that are far away nothing is known here.
        redis = config.runtime().remoteStore().orElse(null) instanceof RedisStore opened ? opened : null;
        metrics = new Metrics(millrace, counters, clients, management, feeds, redis);
        features = new OnlineFeatures(millrace, config.runtime(), InstantSource.system());
        endpoints = new Endpoints(metrics, management, features);
        admin = new AdminAccess(config.control());
        Loop.Shared shared =
                new Loop.Shared(counters, limits, receiving, clients, config.clientKey(), clock, admin, tracing);
        for (EventExecutor executor : group) {
            SingleThreadEventLoop eventLoop = (SingleThreadEventLoop) executor;
            Loop loop = new Loop(eventLoop, millrace, shared);
            loops.put(eventLoop, loop);
            if (grpc != null) {
                grpc.add(eventLoop, loop.wakeUp(), loop.pools(), clock);
            }
        }
        if (redis != null) {
            redis.attach(loops.keySet());
        }
    }

    private void open(Runnable opening) {
        // Removes what others left before anything of this process is written there.
        control.start();
        feeds.start();
        opening.run();
        // Publishes all that was loaded to the event loops.
        listener.config().setAutoRead(true);
        if (adminListener != null) {
            adminListener.config().setAutoRead(true);
        }
        if (grpc != null) {
            grpc.open(millrace, management, admin, features, Version.number());
        }
    }

    /// A body that is larger than all together may be is too large, not one for later.
    private Limits limits(long receivable) {
        if (config.limits().get(Limit.MAX_BODY_BYTES) <= receivable) {
            return config.limits();
        }
        LOG.info(
                "bodies may have {} bytes instead of {}: more than {} are not received at a time",
                receivable,
                config.limits().get(Limit.MAX_BODY_BYTES),
                receivable);
        return config.limits().with(Limit.MAX_BODY_BYTES, receivable);
    }

    /// Unlike a library a server also needs direct buffers, which leave less for models.
    private RuntimeConfig runtimeConfig() {
        MemoryPlan plan = MemoryPlan.ofServer(config.runtime().memoryBytes());
        LOG.info("{}", plan.describe());
        if (plan.isOvercommitted()) {
            LOG.warn("together this may be more memory than there is: give the heap less, by -Xmx, or --memory-limit");
        }
        RuntimeConfig runtime = config.runtime().withMemoryBytes(plan.bytes());
        if (config.control().mode() != ControlMode.EXPLICIT) {
            return runtime;
        }
        Set<String> models = config.control().startUpModels();
        return models.contains(ControlConfig.ALL) ? runtime : runtime.withStartUpModels(models);
    }

    /// The port that it listens on.
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// The port that it answers gRPC on; [ServerConfig#NO_PORT] without gRPC.
    public int grpcPort() {
        return grpc == null ? ServerConfig.NO_PORT : grpc.port();
    }

    /// The port where everybody has admin access; [ControlConfig#NO_PORT] without one.
    public int adminPort() {
        return adminListener == null
                ? ControlConfig.NO_PORT
                : ((InetSocketAddress) adminListener.localAddress()).getPort();
    }

    /// Where it is reached, without a slash at the end.
    public String url() {
        return "http://" + authority(port());
    }

    /// Where gRPC is reached; null without gRPC.
    public String grpcUrl() {
        return grpc == null ? null : "grpc://" + authority(grpc.port());
    }

    /// Where everybody has admin access; null without such a port.
    public String adminUrl() {
        return adminListener == null ? null : "http://" + adminHost() + ":" + adminPort();
    }

    private static String adminHost() {
        return InetAddress.getLoopbackAddress().getHostAddress();
    }

    private String authority(int port) {
        String host = config.host();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }

    /// Looks now whose client takes too long, and not when it is time to.
    void lookAtConnections() {
        onEachLoop(loop -> loop.connections().lookAtAll());
        if (grpc != null) {
            grpc.lookAtCalls();
        }
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

    /// Begins to stop: the server is not ready any more, and goes on serving all who come, whom it tells to ask another
    /// one. That gives balancers time to notice, before [#close].
    ///
    /// @param grace how long it goes on; this method returns then, or when its thread is interrupted
    /// @throws InterruptedException if it is
    public void leave(Duration grace) throws InterruptedException {
        management.leave();
        if (grpc != null) {
            grpc.leave();
        }
        onEachLoop(Loop::leave);
        LOG.info("about to stop; serving for {} ms more", grace.toMillis());
        Thread.sleep(grace);
    }

    /// Accepts no more connections, answers what was taken in, and frees everything. After the runtime's drain timeout
    /// what is left is cut off.
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        long end = System.nanoTime() + config.runtime().drainTimeout().toNanos();
        if (management != null) {
            management.leave();
        }
        listener.close().awaitUninterruptibly();
        if (adminListener != null) {
            adminListener.close().awaitUninterruptibly();
        }
        if (grpc != null) {
            grpc.drain();
        }
        onEachLoop(Loop::drain);
        awaitConnections(end);
        onEachLoop(Loop::closeConnections);
        if (grpc != null) {
            grpc.close(end - System.nanoTime());
        }
        feeds.close(until(end));
        if (millrace != null) {
            control.close(until(end));
            millrace.close(until(end));
            control.deleteFiles();
            onEachLoop(Loop::close);
            metrics.close();
            tracing.close();
        }
        if (redis != null) {
            redis.detach(loops.keySet());
        }
        group.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static Duration until(long end) {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    private void onEachLoop(Consumer<Loop> action) {
        loops.values()
                .forEach(loop ->
                        loop.executor().submit(() -> action.accept(loop)).awaitUninterruptibly());
    }

    private void awaitConnections(long end) {
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
