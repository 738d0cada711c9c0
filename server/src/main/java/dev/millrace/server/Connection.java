// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/// One client connection: takes in requests, and sends answers in the order of the requests.
///
/// Threads: its event loop's. It stops reading while too many requests wait for answers, or the client does not take
/// them.
final class Connection extends ChannelInboundHandlerAdapter {
    /// In place of a number: the connection is one of those that the server has room for.
    static final int WELCOME = 0;

    /// Bodies of requests that wait for answers; more requests are not read meanwhile. A client that sends such bodies
    /// gains nothing by sending more of them at once.
    private static final int MAX_WAITING_BYTES = 1 << 20;
    /// How long an idle connection stays open when the server stops: a request may be on its way already.
    private static final long IDLE_GRACE_MILLIS = 200;
    /// How long the client may take to read the last answer and to stop sending. Closing a socket with unread bytes
    /// would reset the connection, and the answer might be lost.
    private static final long LINGER_MILLIS = 1000;

    private final Loop loop;
    private final Endpoints endpoints;
    private final int surplus;
    private final int maxWaiting;
    private final RequestHead heads;
    private final RequestBody body;
    private final Watch watch;
    private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();
    private ChannelHandlerContext context;
    private int place = -1;
    private long requests;
    private int waitingBytes;
    private Exchange receiving;
    private Exchange lastBegun;
    /// Nothing that still comes in is a request.
    private boolean deaf;
    /// The last answer is written.
    private boolean finished;

    private boolean unflushed;
    private boolean reading = true;

    /// @param surplus [#WELCOME], or which connection it is of too many: then it is answered once, and only about how
    /// the
    ///     server is
    Connection(Loop loop, Endpoints endpoints, int surplus) {
        this.loop = loop;
        this.endpoints = endpoints;
        this.surplus = surplus;
        this.maxWaiting = loop.limits().count(Limit.MAX_PIPELINED);
        this.heads = new RequestHead(loop);
        this.body = new RequestBody(loop.limits().count(Limit.MAX_BODY_BYTES), loop.receiving());
        this.watch = new Watch(loop.limits());
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
        begin(heads.exchange(this, request, surplus == WELCOME));
        Page refusal = heads.check(receiving, request);
        if (refusal == null && surplus != WELCOME && !receiving.isAboutServer()) {
            refusal = tooManyConnections();
        }
        if (refusal != null) {
            refuse(refusal);
        } else if (receiving.isContinueWanted()) {
            advance();
        }
    }

    private void begin(Exchange exchange) {
        requests++;
        receiving = exchange;
        lastBegun = exchange;
        waiting.add(exchange);
    }

    private Page tooManyConnections() {
        loop.counters().limited(Limit.MAX_CONNECTIONS);
        return Page.retryLater(
                HttpStatus.UNAVAILABLE,
                loop.limits().over(Limit.MAX_CONNECTIONS, "this is open connection " + surplus),
                1);
    }

    private void stopReadingIfFull() {
        if (isFull()) {
            updateReading();
        }
    }

    /// Whether as many requests as may have come wholly and wait. The one that is on its way has to be read to its end.
    private boolean isFull() {
        int incomplete = isReceivingUnanswered() ? 1 : 0;
        return waiting.size() - incomplete >= maxWaiting || waitingBytes >= MAX_WAITING_BYTES;
    }

    /// Whether the request that is on its way has not been answered by its head alone.
    private boolean isReceivingUnanswered() {
        return receiving != null && waiting.peekLast() == receiving;
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
        requests++;
        waiting.add(exchange);
        count(exchange, bodyBytes);
        int end = bytes.readerIndex() + headBytes + bodyBytes;
        bytes.skipBytes(headBytes);
        loop.infer(exchange, bytes, bodyBytes);
        bytes.readerIndex(end);
        if (exchange.isAnswered()) {
            advance();
        }
        stopReadingIfFull();
        return true;
    }

    private void count(Exchange exchange, int bodyBytes) {
        exchange.bodyBytes(bodyBytes);
        waitingBytes += bodyBytes;
    }

    /// Answers the request that is being received before its end, and stops listening: its rest is no request.
    private void refuse(Page refusal) {
        deaf = true;
        body.clear();
        if (isReceivingUnanswered()) {
            receiving.answer(refusal);
            advance();
        } else {
            // It was answered by its head alone, and the answer is on its way.
            finished = true;
            updateReading();
            context.write(Unpooled.EMPTY_BUFFER).addListener(_ -> linger());
            flushLater();
        }
    }

    private void receive(HttpContent content) {
        if (content.decoderResult().isFailure()) {
            String problem = content.decoderResult().cause().getMessage();
            refuse(Page.error(HttpStatus.BAD_REQUEST, "malformed HTTP body: " + problem));
            return;
        }
        if (!body.append(content.content())) {
            refuse(heads.tooLarge("more than " + body.limit() + " bytes"));
            return;
        }
        receiving.continueWanted(false);
        if (content instanceof LastHttpContent) {
            dispatch();
        } else if (!body.hold(context.alloc())) {
            refuse(tooMuchReceiving());
        }
    }

    private Page tooMuchReceiving() {
        loop.counters().limited(Limit.MAX_RECEIVING_BYTES);
        ReceivingBudget budget = loop.receiving();
        return Page.retryLater(
                HttpStatus.UNAVAILABLE,
                "bodies on their way take " + budget.used() + " bytes, at most " + budget.limit() + " are allowed ("
                        + Limit.MAX_RECEIVING_BYTES.option() + ")",
                1);
    }

    private void dispatch() {
        Exchange exchange = receiving;
        if (isReceivingUnanswered()) {
            count(exchange, body.bytes().readableBytes());
        }
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
        stopReadingIfFull();
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
            waitingBytes -= first.bodyBytes();
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
        long before = pendingBytes();
        if (last) {
            writeLast(bytes, receiving == exchange);
        } else {
            var _ = context.write(bytes, context.voidPromise());
        }
        watch.queued(pendingBytes() - before);
        flushLater();
    }

    private ByteBuf encode(Exchange exchange, boolean last) {
        try {
            return loop.responses().encode(exchange, context.alloc(), last);
        } catch (MemoryExceededException e) {
            InferenceException refusal = InferenceException.of(e, 0);
            exchange.answer(Page.error(HttpStatus.of(refusal.outcome()), refusal.getMessage()));
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
        boolean read = finished || (!isFull() && context.channel().isWritable());
        if (read != reading) {
            reading = read;
            context.channel().config().setAutoRead(read);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.closed(this);
        deaf = true;
        waitingBytes = 0;
        body.clear();
        receiving = null;
        for (Exchange exchange = waiting.poll(); exchange != null; exchange = waiting.poll()) {
            loop.responses().count(HttpStatus.of(Outcome.CANCELLED));
            exchange.drop();
        }
    }

    /// Bytes that the socket has not taken, as the channel counts them.
    long pendingBytes() {
        ChannelOutboundBuffer buffer = context.channel().unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /// Looks whether the client takes too long with what it has to do.
    void look(long nowNanos) {
        ChannelOutboundBuffer buffer = context.channel().unsafe().outboundBuffer();
        if (buffer == null) {
            return;
        }
        Limit late = watch.late(awaited(), requests, receivedBytes(), buffer, nowNanos);
        if (late == null) {
            return;
        }
        loop.counters().limited(late);
        if (late == Limit.BODY_TIMEOUT) {
            refuse(tooLate(late, "the body of the request did not come"));
        } else if (late == Limit.HEAD_TIMEOUT && isInHead()) {
            begin(new Exchange(loop, this, false, false, false));
            refuse(tooLate(late, "the head of the request did not come"));
        } else {
            close();
        }
    }

    /// Where the client calls from.
    InetAddress peer() {
        return context.channel().remoteAddress() instanceof InetSocketAddress address
                ? address.getAddress()
                : InetAddress.getLoopbackAddress();
    }

    /// Bytes of the body that is on its way.
    int receivedBytes() {
        return body.bytes().readableBytes();
    }

    /// Requests that wait for answers, and answers that wait for others.
    int waiting() {
        return waiting.size();
    }

    boolean isReading() {
        return reading;
    }

    Watch watch() {
        return watch;
    }

    private Page tooLate(Limit limit, String what) {
        return Page.error(HttpStatus.REQUEST_TIMEOUT, loop.limits().late(limit, what));
    }

    /// What the client has to send; null while it is the server's turn, or the server does not read.
    private Limit awaited() {
        if (deaf || !reading || (receiving != null && receiving.isContinueWanted())) {
            return null;
        }
        if (receiving != null) {
            return Limit.BODY_TIMEOUT;
        }
        if (isInHead() || (surplus != WELCOME && waiting.isEmpty())) {
            return Limit.HEAD_TIMEOUT;
        }
        return waiting.isEmpty() ? Limit.IDLE_TIMEOUT : null;
    }

    private boolean isInHead() {
        return context.pipeline().get(RequestDecoder.class).isInHead();
    }

    /// Where it is among its loop's connections; -1 for nowhere.
    int place() {
        return place;
    }

    void place(int index) {
        place = index;
    }

    /// Whatever it is, it is about this connection: a reset, mostly.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        var _ = ctx.close();
    }
}
