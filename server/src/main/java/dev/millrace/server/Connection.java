// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.AttributeKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// One client connection, of any version of HTTP: what its loop does with it, and what a request goes through whatever
/// way it came.
///
/// Threads: its event loop's.
abstract class Connection extends ChannelInboundHandlerAdapter {
    /// In place of a number: the connection is one of those that the server has room for.
    static final int WELCOME = 0;

    /// Bodies of requests that wait for answers; more requests are not read meanwhile. A client that sends such bodies
    /// gains nothing by sending more of them at once.
    static final int MAX_WAITING_BYTES = 1 << 20;

    /// How long an idle connection stays open when the server stops: a request may be on its way already.
    static final long IDLE_GRACE_MILLIS = 200;

    /// What a channel of the admin port has.
    static final AttributeKey<Boolean> ADMIN = AttributeKey.valueOf("millrace-admin");

    final Loop loop;
    final Endpoints endpoints;
    final int surplus;
    final RequestHead heads;
    private final Watch watch;
    private ChannelHandlerContext context;
    private int place = -1;
    private boolean unflushed;

    /// @param surplus [#WELCOME], or which connection it is of too many: then it is answered once, and only about how
    /// the
    ///     server is
    Connection(Loop loop, Endpoints endpoints, int surplus) {
        this.loop = loop;
        this.endpoints = endpoints;
        this.surplus = surplus;
        this.heads = new RequestHead(loop);
        this.watch = new Watch(loop.limits());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    final ChannelHandlerContext context() {
        return context;
    }

    /// The answer to a request for which there is no room, as the connection is one too many; null if there is.
    final Page noRoomFor(Exchange exchange) {
        if (surplus == WELCOME || exchange.isAboutServer()) {
            return null;
        }
        loop.counters().limited(Limit.MAX_CONNECTIONS);
        return Page.retryLater(
                HttpStatus.UNAVAILABLE,
                loop.limits().over(Limit.MAX_CONNECTIONS, "this is open connection " + surplus),
                1);
    }

    /// The answer to a piece of a body for which there is no memory.
    final Page tooMuchReceiving() {
        return loop.tooMuchReceiving();
    }

    final Page tooLate(Limit limit, String what) {
        return Page.error(HttpStatus.REQUEST_TIMEOUT, loop.limits().late(limit, what));
    }

    /// Answers a request that has come wholly, now or later.
    ///
    /// @param length bytes of the body, which is what `body` has next; none is read
    final void serve(Exchange exchange, ByteBuf body, int length) {
        try {
            if (exchange.isAnswered()) {
                return;
            }
            if (exchange.route().target().isInference()) {
                loop.infer(exchange, body, length);
            } else {
                endpoints.answer(exchange, loop, body.slice(body.readerIndex(), length));
            }
        } catch (RuntimeException e) {
            exchange.answer(Loop.bug(e));
        }
    }

    final void flushLater() {
        if (!unflushed) {
            unflushed = true;
            loop.flushLater(this);
        }
    }

    final void flush() {
        unflushed = false;
        context.flush();
    }

    /// Tells the client to ask another server, and goes on answering it.
    abstract void leave();

    /// Closes the connection when everything that was taken in is answered.
    abstract void drain();

    final void close() {
        var _ = context.close();
    }

    /// Looks whether the client takes too long with what it has to do.
    abstract void look(long nowNanos);

    /// Bytes that the socket has not taken, as the channel counts them.
    final long pendingBytes() {
        ChannelOutboundBuffer buffer = outbound();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /// What waits for the socket; null if that is closed.
    final ChannelOutboundBuffer outbound() {
        return context.channel().unsafe().outboundBuffer();
    }

    /// Where the client calls from.
    public final InetAddress peer() {
        return context.channel().remoteAddress() instanceof InetSocketAddress address
                ? address.getAddress()
                : InetAddress.getLoopbackAddress();
    }

    /// Whether it came by the admin port.
    public final boolean isLocal() {
        return context.channel().hasAttr(ADMIN);
    }

    /// Bytes of bodies that have not come wholly.
    abstract int receivedBytes();

    /// Requests that wait for answers, and answers that wait for others.
    abstract int waiting();

    abstract boolean isReading();

    final Watch watch() {
        return watch;
    }

    /// Where it is among its loop's connections; -1 for nowhere.
    final int place() {
        return place;
    }

    final void place(int index) {
        place = index;
    }

    /// Whatever it is, it is about this connection: a reset, mostly.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        var _ = ctx.close();
    }
}
