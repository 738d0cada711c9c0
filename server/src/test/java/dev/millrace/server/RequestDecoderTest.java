// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.control.AdminAccess;
import dev.millrace.control.ControlConfig;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.limit.ReceivingBudget;
import dev.millrace.manage.Management;
import dev.millrace.online.OnlineFeatures;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.trace.Tracing;
import dev.millrace.update.Feeds;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Which requests are parsed, and which take the shorter way: only the first pass what is between decoder and
/// connection. Client and server are in one process, so that every request comes in one piece.
class RequestDecoderTest {
    private static final int MAX_BODY_BYTES = 1000;
    private static final int PATIENCE_SECONDS = 30;

    private final AtomicInteger parsed = new AtomicInteger();
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private MultiThreadIoEventLoopGroup group;
    private Millrace millrace;
    private Metrics metrics;
    private Loop loop;
    private Channel client;

    @BeforeEach
    void connect() {
        group = new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory());
        millrace = Millrace.open(TestServer.models());
        HttpCounters counters = new HttpCounters();
        Management management = new Management(millrace, null, false, Tracing.into(null));
        metrics = new Metrics(millrace, counters, null, management, Feeds.none(), null);
        Limits limits = Limits.DEFAULT.with(Limit.MAX_BODY_BYTES, MAX_BODY_BYTES);
        Loop.Shared shared = new Loop.Shared(
                counters,
                limits,
                new ReceivingBudget(MAX_BODY_BYTES),
                null,
                "",
                System::nanoTime,
                new AdminAccess(ControlConfig.DEFAULT),
                Tracing.into(null));
        loop = new Loop((SingleThreadEventLoop) group.next(), millrace, shared);
        Endpoints endpoints = new Endpoints(
                metrics, management, new OnlineFeatures(millrace, RuntimeConfig.DEFAULT, InstantSource.system()));
        LocalAddress address = new LocalAddress(RequestDecoderTest.class);
        new ServerBootstrap()
                .group(group)
                .channel(LocalServerChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        Http1Connection connection = new Http1Connection(loop, endpoints, Connection.WELCOME);
                        channel.pipeline()
                                .addLast(new RequestDecoder(new HttpDecoderConfig(), connection))
                                .addLast(new Counter())
                                .addLast(connection);
                    }
                })
                .bind(address)
                .syncUninterruptibly();
        client = new Bootstrap()
                .group(group)
                .channel(LocalChannel.class)
                .handler(new Answers())
                .connect(address)
                .syncUninterruptibly()
                .channel();
    }

    @AfterEach
    void close() {
        client.close().syncUninterruptibly();
        millrace.close();
        loop.executor().submit(loop::close).syncUninterruptibly();
        metrics.close();
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /// Asks with a head that has this number in it.
    private void ask(int head) throws InterruptedException {
        String request = RawClient.post("/v2/models/linear/infer", Bodies.LINEAR, "X-Trace: " + head + "\r\n");
        client.writeAndFlush(Unpooled.copiedBuffer(request, StandardCharsets.UTF_8))
                .syncUninterruptibly();
        assertThat(answers.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)).startsWith("HTTP/1.1 200 ");
    }

    private void askWithDifferentHeads(int count) throws InterruptedException {
        for (int head = 0; head < count; head++) {
            ask(head);
        }
    }

    private void askAgain(int head, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            ask(head);
        }
    }

    @Test
    void shouldParseAHeadOnceWhenItComesAgain() throws InterruptedException {
        askAgain(0, 5);
        assertThat(parsed).hasValue(1);
        askAgain(1, 5);
        assertThat(parsed).hasValue(2);
    }

    @Test
    void shouldRememberAHeadAfterFewThatDidNotComeAgain() throws InterruptedException {
        askWithDifferentHeads(RequestDecoder.MAX_IN_VAIN);
        askAgain(RequestDecoder.MAX_IN_VAIN - 1, 5);

        assertThat(parsed).hasValue(RequestDecoder.MAX_IN_VAIN);
    }

    @Test
    void shouldRememberNoHeadAfterManyThatDidNotComeAgain() throws InterruptedException {
        askWithDifferentHeads(RequestDecoder.MAX_IN_VAIN + 1);
        askAgain(RequestDecoder.MAX_IN_VAIN, 5);

        assertThat(parsed).hasValue(RequestDecoder.MAX_IN_VAIN + 1 + 5);
    }

    @Test
    void shouldCountFromTheBeginningWhenAHeadComesAgain() throws InterruptedException {
        askWithDifferentHeads(RequestDecoder.MAX_IN_VAIN);
        askAgain(RequestDecoder.MAX_IN_VAIN - 1, 1);
        assertThat(parsed).hasValue(RequestDecoder.MAX_IN_VAIN);
        askWithDifferentHeads(RequestDecoder.MAX_IN_VAIN - 1);
        askAgain(RequestDecoder.MAX_IN_VAIN - 2, 5);

        assertThat(parsed).hasValue(2 * RequestDecoder.MAX_IN_VAIN - 1);
    }

    /// Sees what the decoder hands on as Netty's does. Threads: the event loop's.
    private final class Counter extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof HttpRequest) {
                parsed.incrementAndGet();
            }
            var _ = context.fireChannelRead(message);
        }
    }

    /// The client. Threads: the event loop's.
    private final class Answers extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            answers.add(message.toString(StandardCharsets.UTF_8));
        }
    }
}
