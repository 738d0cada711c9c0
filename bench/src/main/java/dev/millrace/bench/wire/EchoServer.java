// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/// The floor of the HTTP bench: Netty alone, on one event loop, that takes in a whole request and answers every POST
/// with the same bytes.
///
/// Sockets, their options and the HTTP decoder are those of the server. Head and body of the answer are encoded once,
/// and the answers to what one read brought go out together. What is in a body nobody looks at.
///
/// Threads: any. Ownership: it owns the event loop and the answer until it is closed.
public final class EchoServer implements AutoCloseable {
    private static final int BACKLOG = 1024;
    private static final int MAX_CHUNK_BYTES = 1 << 20;
    private static final int MAX_LINE_BYTES = 8192;
    private static final int MAX_HEADER_BYTES = 32768;

    private final MultiThreadIoEventLoopGroup group;
    private final Channel listener;
    private final ByteBuf answer;
    private final ByteBuf refusal =
            encoded("HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));

    private EchoServer(byte[] wire) {
        answer = encoded(wire);
        boolean epoll = Epoll.isAvailable();
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("echo"), epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        listener = new ServerBootstrap()
                .group(group)
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .syncUninterruptibly()
                .channel();
    }

    /// Starts to answer with the JSON `body` on a free port of this machine.
    public static EchoServer start(String body) {
        int length = body.getBytes(StandardCharsets.UTF_8).length;
        String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + length + "\r\n\r\n";
        return start((head + body).getBytes(StandardCharsets.UTF_8));
    }

    /// Starts to answer with exactly these bytes, head and body.
    public static EchoServer start(byte[] wire) {
        return new EchoServer(wire);
    }

    /// The program: `EchoServer ANSWER`, a whole answer in Base64, says where it listens, and runs until it is told to
    /// end.
    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("use: ANSWER");
            System.exit(2);
        }
        // The event loop keeps the process running.
        EchoServer server = start(Base64.getDecoder().decode(arguments[0]));
        System.out.println("Echo ready at http://127.0.0.1:" + server.port());
    }

    /// An answer as the program wants it.
    public static String argument(byte[] wire) {
        return Base64.getEncoder().encodeToString(wire);
    }

    /// The port that it listens on.
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    private static ByteBuf encoded(byte[] bytes) {
        return Unpooled.unreleasableBuffer(Unpooled.directBuffer(bytes.length).writeBytes(bytes));
    }

    private void accept(Channel channel) {
        HttpDecoderConfig http = new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_LINE_BYTES)
                .setMaxHeaderSize(MAX_HEADER_BYTES)
                .setMaxChunkSize(MAX_CHUNK_BYTES);
        channel.pipeline().addLast(new HttpRequestDecoder(http)).addLast(new Connection());
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
        answer.unwrap().release();
        refusal.unwrap().release();
    }

    /// One client. Threads: the event loop's.
    private final class Connection extends ChannelInboundHandlerAdapter {
        private boolean post;
        private boolean keepAlive;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            try {
                if (((HttpObject) message).decoderResult().isFailure()) {
                    var _ = context.close();
                    return;
                }
                if (message instanceof HttpRequest request) {
                    post = request.method().equals(HttpMethod.POST);
                    keepAlive = HttpUtil.isKeepAlive(request);
                }
                if (message instanceof LastHttpContent) {
                    answer(context);
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        private void answer(ChannelHandlerContext context) {
            ByteBuf bytes = (post ? answer : refusal).duplicate();
            if (keepAlive) {
                var _ = context.write(bytes, context.voidPromise());
            } else {
                var _ = context.write(bytes).addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        /// Whatever it is, it is about this connection: a reset, mostly.
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            var _ = context.close();
        }
    }
}
