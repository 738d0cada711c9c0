// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.runtime.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/// One client connection: takes in requests, and sends answers in the order of the requests.
///
/// Threads: its event loop's. It stops reading while too many requests wait for answers, or the client does not take
/// them.
final class Connection extends ChannelInboundHandlerAdapter {
    private static final int MAX_WAITING = 256;
    /// How long an idle connection stays open when the server stops: a request may be on its way already.
    private static final long IDLE_GRACE_MILLIS = 200;
    /// How long the client may take to read the last answer and to stop sending. Closing a socket with unread bytes
    /// would reset the connection, and the answer might be lost.
    private static final long LINGER_MILLIS = 1000;

    private final Loop loop;
    private final Endpoints endpoints;
    private final RequestHead heads;
    private final RequestBody body;
    private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();
    private ChannelHandlerContext context;
    private Exchange receiving;
    private Exchange lastBegun;
    /// Nothing that still comes in is a request.
    private boolean deaf;
    /// The last answer is written.
    private boolean finished;

    private boolean unflushed;
    private boolean reading = true;

    Connection(Loop loop, Endpoints endpoints, int maxBodyBytes) {
        this.loop = loop;
        this.endpoints = endpoints;
        this.heads = new RequestHead(loop, maxBodyBytes);
        this.body = new RequestBody(maxBodyBytes);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        loop.opened(this);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (deaf) {
                return;
            }
            if (message instanceof HttpRequest request) {
                begin(request);
            }
            if (message instanceof HttpContent content && !deaf) {
                receive(content);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(HttpRequest request) {
        receiving = heads.exchange(this, request);
        lastBegun = receiving;
        waiting.add(receiving);
        Page refusal = heads.check(receiving, request);
        if (refusal != null) {
            refuse(refusal);
        } else if (receiving.isContinueWanted()) {
            advance();
        }
        if (waiting.size() >= MAX_WAITING) {
            updateReading();
        }
    }

    /// The request whose head came last, or null.
    Exchange lastBegun() {
        return lastBegun;
    }

    /// Whether the next bytes are the beginning of a request, and it will be listened to.
    boolean isBetweenRequests() {
        return receiving == null && !deaf;
    }

    /// Takes in a whole inference request whose head is that of another one, and moves `bytes` behind it.
    ///
    /// @return false if its body is larger than allowed; then nothing is taken in
    boolean repeat(Exchange example, ByteBuf bytes, int headBytes, int bodyBytes) {
        if (bodyBytes > body.limit()) {
            return false;
        }
        Exchange exchange = example.again();
        waiting.add(exchange);
        int end = bytes.readerIndex() + headBytes + bodyBytes;
        bytes.skipBytes(headBytes);
        loop.infer(exchange, bytes, bodyBytes);
        bytes.readerIndex(end);
        if (exchange.isAnswered()) {
            advance();
        }
        if (waiting.size() >= MAX_WAITING) {
            updateReading();
        }
        return true;
    }

    /// Answers the request that is being received before its end, and stops listening: its rest is no request.
    private void refuse(Page refusal) {
        deaf = true;
        body.clear();
        receiving.answer(refusal);
        advance();
    }

    private void receive(HttpContent content) {
        if (content.decoderResult().isFailure()) {
            String problem = content.decoderResult().cause().getMessage();
            refuse(Page.error(HttpStatus.BAD_REQUEST, "malformed HTTP body: " + problem));
            return;
        }
        if (!body.append(content.content(), context.alloc())) {
            refuse(heads.tooLarge("more than " + body.limit() + " bytes"));
            return;
        }
        receiving.continueWanted(false);
        if (content instanceof LastHttpContent) {
            dispatch();
        }
    }

    private void dispatch() {
        Exchange exchange = receiving;
        receiving = null;
        deaf = !exchange.isKeepAlive();
        try {
            if (!exchange.isAnswered()) {
                answer(exchange);
            }
        } catch (RuntimeException e) {
            exchange.answer(Loop.bug(e));
        } finally {
            body.clear();
        }
        advance();
    }

    private void answer(Exchange exchange) {
        if (exchange.route().target() == Route.Target.INFER) {
            loop.infer(exchange, body.bytes(), body.bytes().readableBytes());
        } else {
            endpoints.answer(exchange, loop);
        }
    }

    /// Sends the answers that are there, as far as their order allows.
    void advance() {
        boolean wrote = false;
        for (Exchange first = waiting.peek(); first != null && first.isAnswered(); first = waiting.peek()) {
            waiting.poll();
            write(first);
            wrote = true;
        }
        Exchange first = waiting.peek();
        if (first != null && first.isContinueWanted()) {
            first.continueWanted(false);
            var _ = context.write(Responses.goOn(context.alloc()), context.voidPromise());
            flushLater();
        }
        if (wrote) {
            updateReading();
        }
    }

    private void write(Exchange exchange) {
        boolean more = !waiting.isEmpty() || (receiving != null && receiving != exchange);
        boolean last = !more && (deaf || loop.isDraining() || !exchange.isKeepAlive());
        ByteBuf bytes = encode(exchange, last);
        exchange.release();
        if (last) {
            writeLast(bytes, receiving == exchange);
        } else {
            var _ = context.write(bytes, context.voidPromise());
        }
        flushLater();
    }

    private ByteBuf encode(Exchange exchange, boolean last) {
        try {
            return loop.responses().encode(exchange, context.alloc(), last);
        } catch (RuntimeException e) {
            exchange.answer(Loop.bug(e));
            return loop.responses().encode(exchange, context.alloc(), last);
        }
    }

    /// Writes the last answer, and closes the connection after it.
    ///
    /// @param cutShort whether the client may still be sending
    private void writeLast(ByteBuf bytes, boolean cutShort) {
        deaf = true;
        finished = true;
        ChannelFuture written = context.write(bytes);
        if (cutShort) {
            written.addListener(_ -> linger());
            updateReading();
        } else {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void linger() {
        var _ = ((DuplexChannel) context.channel()).shutdownOutput();
        closeAfter(LINGER_MILLIS);
    }

    private void flushLater() {
        if (!unflushed) {
            unflushed = true;
            loop.flushLater(this);
        }
    }

    private void closeAfter(long millis) {
        var _ = context.executor().schedule(this::close, millis, TimeUnit.MILLISECONDS);
    }

    void flush() {
        unflushed = false;
        context.flush();
    }

    /// Closes the connection when everything that was taken in is answered.
    void drain() {
        if (waiting.isEmpty() && receiving == null && !finished) {
            var _ = context.executor().schedule(this::closeIfIdle, IDLE_GRACE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void closeIfIdle() {
        if (waiting.isEmpty() && receiving == null) {
            close();
        }
    }

    void close() {
        var _ = context.close();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        updateReading();
    }

    private void updateReading() {
        boolean read =
                finished || (waiting.size() < MAX_WAITING && context.channel().isWritable());
        if (read != reading) {
            reading = read;
            context.channel().config().setAutoRead(read);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.closed(this);
        deaf = true;
        body.clear();
        receiving = null;
        for (Exchange exchange = waiting.poll(); exchange != null; exchange = waiting.poll()) {
            loop.responses().count(HttpStatus.of(Outcome.CANCELLED));
            exchange.drop();
        }
    }

    /// Whatever it is, it is about this connection: a reset, mostly.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        var _ = ctx.close();
    }
}
