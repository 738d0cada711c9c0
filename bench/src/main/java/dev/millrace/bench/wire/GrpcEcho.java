// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Base64;

/// The floor of gRPC: grpc-java alone, on one event loop and no other thread, that takes in a whole request and answers
/// every `ModelInfer` with the same bytes. What is in a message nobody looks at.
///
/// Threads: any. Ownership: it owns the event loop until it is closed.
public final class GrpcEcho implements AutoCloseable {
    static final String SERVICE = "inference.GRPCInferenceService";
    static final String METHOD = "ModelInfer";

    private final MultiThreadIoEventLoopGroup group;
    private final Server server;

    private GrpcEcho(byte[] answer) throws IOException {
        boolean epoll = Epoll.isAvailable();
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("echo"), epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .bossEventLoopGroup(group)
                .workerEventLoopGroup(group)
                .channelType(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .directExecutor()
                .addService(ServerServiceDefinition.builder(SERVICE)
                        .addMethod(method(), ServerCalls.asyncUnaryCall((_, observer) -> {
                            observer.onNext(answer);
                            observer.onCompleted();
                        }))
                        .build())
                .build()
                .start();
    }

    /// `ModelInfer` with messages that are bytes.
    static MethodDescriptor<byte[], byte[]> method() {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, METHOD))
                .setRequestMarshaller(new Bytes())
                .setResponseMarshaller(new Bytes())
                .build();
    }

    /// Starts to answer with `answer`, a message, on a free port of this machine.
    public static GrpcEcho start(byte[] answer) throws IOException {
        return new GrpcEcho(answer);
    }

    /// The program: `GrpcEcho ANSWER`, a message in Base64, says where it listens, and runs until it is told to end.
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("use: ANSWER");
            System.exit(2);
        }
        // The event loop keeps the process running.
        GrpcEcho echo = start(Base64.getDecoder().decode(arguments[0]));
        System.out.println("Echo ready at http://127.0.0.1:" + echo.port());
    }

    /// The port that it listens on.
    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.shutdownNow();
        group.shutdownGracefully(0, 10, java.util.concurrent.TimeUnit.SECONDS).syncUninterruptibly();
    }

    /// A message as it is.
    private record Bytes() implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] message) {
            return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream message) {
            try {
                return message.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
