// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.control.AdminAccess;
import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.loop.CallPools;
import dev.millrace.loop.WakeUp;
import dev.millrace.manage.Management;
import dev.millrace.online.OnlineFeatures;
import dev.millrace.runtime.Millrace;
import io.grpc.Attributes;
import io.grpc.Codec;
import io.grpc.DecompressorRegistry;
import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerTransportFilter;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// Answers gRPC on a port of its own, on the event loops of somebody else.
///
/// It listens from the beginning, and accepts connections from [#open] on. Threads: any. Ownership: event loops, models
/// and calls are somebody else's, who closes them after this.
public final class GrpcServer {
    private static final Attributes.Key<GrpcLoop> LOOP = Attributes.Key.create("millrace-loop");

    private static final Attributes.Key<ConnectionWrites> CONNECTION = Attributes.Key.create("millrace-connection");

    private final Server server;
    private final Shared shared;
    private final HealthStatusManager health = new HealthStatusManager();
    private final Map<SingleThreadEventLoop, GrpcLoop> loops = new ConcurrentHashMap<>();
    private final Map<SocketAddress, ConnectionWrites> connections = new ConcurrentHashMap<>();
    private volatile ServerChannel listener;
    private volatile ManagementMessages management;
    private volatile AdminAccess admin;
    private volatile OnlineFeatures features;
    private volatile boolean leaving;
    private volatile boolean draining;

    /// What all event loops share.
    ///
    /// @param limits what clients may take
    /// @param clients what they have left, or null if that is not limited
    /// @param clientKey the header that tells them apart, or empty
    /// @param limited told of what was over a limit
    record Shared(Limits limits, Clients clients, String clientKey, Consumer<Limit> limited) {}

    private GrpcServer(
            InetSocketAddress address,
            EventLoopGroup group,
            Class<? extends ServerChannel> channel,
            Shared shared,
            GrpcEvents events) {
        this.shared = shared;
        health.setStatus(Methods.SERVICE, ServingStatus.SERVING);
        health.setStatus(FeatureService.SERVICE, ServingStatus.SERVING);
        Limits limits = shared.limits();
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                .bossEventLoopGroup(group)
                .workerEventLoopGroup(group)
                .channelFactory(
                        () -> listen(channel, new Doorkeeper(events, limits.count(Limit.MAX_CONNECTIONS), connections)))
                .withOption(ChannelOption.AUTO_READ, false)
                .withOption(ChannelOption.SO_REUSEADDR, true)
                .directExecutor()
                // Tracers and what decompresses know what a message may have, and say it better.
                .maxInboundMessageSize(Integer.MAX_VALUE)
                .decompressorRegistry(DecompressorRegistry.emptyInstance()
                        .with(Codec.Identity.NONE, false)
                        .with(new BoundedGzip(limits), true))
                .maxInboundMetadataSize(limits.count(Limit.MAX_HEADER_BYTES))
                .maxConcurrentCallsPerConnection(limits.count(Limit.MAX_PIPELINED))
                .addTransportFilter(new LoopFinder())
                .intercept(GuardedCall.all(this::place))
                .addStreamTracerFactory(CallTracer.factory(events, limits))
                .addService(InferenceService.of(this))
                .addService(FeatureService.of(this))
                .addService(health.getHealthService())
                .addService(ProtoReflectionServiceV1.newInstance());
        if (limits.get(Limit.IDLE_TIMEOUT) > 0) {
            builder.maxConnectionIdle(limits.get(Limit.IDLE_TIMEOUT), TimeUnit.MILLISECONDS);
        }
        this.server = builder.build();
    }

    /// Listens on a port.
    ///
    /// @param group the event loops
    /// @param channel what listens, and fits the event loops
    /// @param limits what clients may take
    /// @param clients what they have left, or null if that is not limited
    /// @param clientKey the header that tells them apart, or empty
    /// @throws IOException if it cannot listen there
    public static GrpcServer bind(
            InetSocketAddress address,
            EventLoopGroup group,
            Class<? extends ServerChannel> channel,
            Limits limits,
            Clients clients,
            String clientKey,
            GrpcEvents events)
            throws IOException {
        GrpcServer bound = new GrpcServer(
                address, group, channel, new Shared(limits, clients, clientKey, events::limited), events);
        bound.server.start();
        return bound;
    }

    private ServerChannel listen(Class<? extends ServerChannel> channel, Doorkeeper doorkeeper) {
        ServerChannel made = new ReflectiveChannelFactory<>(channel).newChannel();
        made.pipeline().addLast(doorkeeper);
        listener = made;
        return made;
    }

    /// What an event loop shares with others than gRPC: before [#open].
    ///
    /// @param clock nanoseconds, for time limits
    public void add(SingleThreadEventLoop executor, WakeUp wakeUp, CallPools pools, LongSupplier clock) {
        CallWatch watch = new CallWatch(executor, shared.limits(), clock);
        loops.put(executor, new GrpcLoop(wakeUp, pools, shared, watch));
    }

    /// Accepts connections from now on.
    ///
    /// @param access decides who may change models
    /// @param stored answers requests for stored features
    /// @param version the server's
    public void open(Millrace runtime, Management asked, AdminAccess access, OnlineFeatures stored, String version) {
        admin = access;
        features = stored;
        management = new ManagementMessages(runtime, asked, version);
        listener.config().setAutoRead(true);
    }

    /// The port that it listens on.
    public int port() {
        return server.getPort();
    }

    /// Says that it is about to stop, and goes on answering.
    public void leave() {
        if (!leaving) {
            leaving = true;
            health.enterTerminalState();
        }
    }

    /// Accepts no more connections and no more calls, and answers those that there are.
    public void drain() {
        if (!draining) {
            draining = true;
            leave();
            server.shutdown();
        }
    }

    /// Waits until all is answered, and then cuts off what is left.
    ///
    /// @param nanos how long it waits at most
    public void close(long nanos) {
        drain();
        try {
            if (!server.awaitTermination(Math.max(0, nanos), TimeUnit.NANOSECONDS)) {
                server.shutdownNow();
                server.awaitTermination(1, TimeUnit.SECONDS);
            }
        } catch (InterruptedException _) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    boolean isReady() {
        return !draining && management.isReady();
    }

    ManagementMessages management() {
        return management;
    }

    /// Answers requests for stored features.
    OnlineFeatures features() {
        return features;
    }

    /// Decides who may change models.
    AdminAccess admin() {
        return admin;
    }

    /// What the event loop works with that a call came to.
    GrpcLoop loop(ServerCall<?, ?> call) {
        return call.getAttributes().get(LOOP);
    }

    private GuardedCall.Place place(ServerCall<?, ?> call) {
        return new GuardedCall.Place(loop(call).watch(), call.getAttributes().get(CONNECTION));
    }

    /// Looks now whose client takes too long, and not when it is time to.
    public void lookAtCalls() {
        loops.forEach((executor, loop) ->
                executor.submit(() -> loop.watch().lookAtAll()).awaitUninterruptibly());
    }

    /// Finds a connection's event loop when it is made, which is the one that tells of it.
    private final class LoopFinder extends ServerTransportFilter {
        @Override
        public Attributes transportReady(Attributes attributes) {
            GrpcLoop found = loops.entrySet().stream()
                    .filter(entry -> entry.getKey().inEventLoop())
                    .map(Map.Entry::getValue)
                    .findAny()
                    .orElseThrow();
            ConnectionWrites connection = connections.get(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
            return attributes.toBuilder()
                    .set(LOOP, found)
                    .set(CONNECTION, connection)
                    .build();
        }
    }
}
