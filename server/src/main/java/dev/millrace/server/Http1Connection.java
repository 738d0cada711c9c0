// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.runtime.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A connection that speaks HTTP/1.1 or 1.0: takes in requests, and sends answers in the order of the requests.
///
/// Threads: its event loop's. It stops reading while too many requests wait for answers, or the client does not take
/// them.
final class Http1Connection extends Connection implements Requester {
    private static final Logger LOG = LoggerFactory.getLogger(Http1Connection.class);
    /// How long the client may take to read the last answer and to stop sending. Closing a socket with unread bytes
    /// would reset the connection, and the answer might be lost.
    private static final long LINGER_MILLIS = 1000;

    private final int maxWaiting;
    private final RequestBody body;
    private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();
    private long requests;
    private int waitingBytes;
    private Exchange receiving;
    /// The request after whose end the client speaks HTTP/2; null while none asked for that.
    private HttpRequest upgrade;

    private Exchange lastBegun;
    /// Nothing that still comes in is a request.
    private boolean deaf;
    /// The last answer is written.
    private boolean finished;

    private boolean reading = true;

    /// @param surplus [#WELCOME], or which connection it is of too many
    Http1Connection(Loop loop, Endpoints endpoints, int surplus) {
        super(loop, endpoints, surplus);
        this.maxWaiting = loop.limits().count(Limit.MAX_PIPELINED);
        this.body = new RequestBody(loop.limits().count(Limit.MAX_BODY_BYTES), loop.receiving());
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
        if (requests == 0 && Http2Upgrade.isPreface(request)) {
            upgrade = request;
            return;
        }
        begin(heads.exchange(this, request, surplus == WELCOME));
        Page refusal = heads.check(receiving, request);
        if (refusal == null) {
            refusal = noRoomFor(receiving);
        }
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        if (waiting.size() == 1 && surplus == WELCOME && Http2Upgrade.isWanted(request)) {
            upgrade = request;
        }
        if (receiving.isContinueWanted()) {
            advance();
        }
    }

    private void begin(Exchange exchange) {
        requests++;
        receiving = exchange;
        lastBegun = exchange;
        waiting.add(exchange);
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
            context().write(Unpooled.EMPTY_BUFFER).addListener(_ -> linger());
            flushLater();
        }
    }

    private void receive(HttpContent content) {
        if (receiving == null) {
            Http2Upgrade.afterPreface(this);
            return;
        }
        if (content.decoderResult().isFailure()) {
            String problem = content.decoderResult().cause().getMessage();
            refuse(Page.error(HttpStatus.BAD_REQUEST, "malformed HTTP body: " + problem));
            return;
        }
        RequestBody.Verdict verdict = body.append(content.content());
        if (verdict != RequestBody.Verdict.ADDED) {
            refuse(
                    verdict == RequestBody.Verdict.NO_MEMORY
                            ? tooMuchReceiving()
                            : heads.tooLarge("more than " + body.limit() + " bytes"));
            return;
        }
        receiving.continueWanted(false);
        if (content instanceof LastHttpContent) {
            dispatch();
        } else if (!body.hold(context().alloc())) {
            refuse(tooMuchReceiving());
        }
    }

    private void dispatch() {
        if (upgrade != null) {
            Http2Upgrade.after(this, upgrade, body.bytes());
            return;
        }
        Exchange exchange = receiving;
        if (isReceivingUnanswered()) {
            count(exchange, body.bytes().readableBytes());
        }
        receiving = null;
        deaf = !exchange.isKeepAlive();
        serve(exchange, body.bytes(), body.bytes().readableBytes());
        body.clear();
        advance();
        stopReadingIfFull();
    }

    /// Sends the answers that are there, as far as their order allows.
    @Override
    public void advance() {
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
            var _ = context().write(Answer.goOn(context().alloc()), context().voidPromise());
            flushLater();
        }
        if (wrote) {
            updateReading();
        }
    }

    private void write(Exchange exchange) {
        boolean more = !waiting.isEmpty() || (receiving != null && receiving != exchange);
        boolean last = !more && (deaf || loop.isLeaving() || !exchange.isKeepAlive());
        ByteBuf bytes;
        try {
            bytes = loop.responses().http1(context().alloc(), exchange, last);
        } catch (OutOfMemoryError e) {
            LOG.warn("there is no memory for any answer: a connection is closed", e);
            close();
            return;
        } finally {
            exchange.release();
        }
        long before = pendingBytes();
        if (last) {
            writeLast(bytes, receiving == exchange);
        } else {
            var _ = context().write(bytes, context().voidPromise());
        }
        watch().queued(pendingBytes() - before);
        flushLater();
    }

    /// Writes the last answer, and closes the connection after it.
    ///
    /// @param cutShort whether the client may still be sending
    private void writeLast(ByteBuf bytes, boolean cutShort) {
        deaf = true;
        finished = true;
        ChannelFuture written = context().write(bytes);
        if (cutShort) {
            written.addListener(_ -> linger());
            updateReading();
        } else {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void linger() {
        var _ = ((DuplexChannel) context().channel()).shutdownOutput();
        closeAfter(LINGER_MILLIS);
    }

    private void closeAfter(long millis) {
        var _ = context().executor().schedule(this::close, millis, TimeUnit.MILLISECONDS);
    }

    /// The next answer tells.
    @Override
    void leave() {}

    @Override
    void drain() {
        if (waiting.isEmpty() && receiving == null && !finished) {
            var _ = context().executor().schedule(this::closeIfIdle, IDLE_GRACE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void closeIfIdle() {
        if (waiting.isEmpty() && receiving == null) {
            close();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        updateReading();
    }

    private void updateReading() {
        boolean read = finished || (!isFull() && context().channel().isWritable());
        if (read != reading) {
            reading = read;
            context().channel().config().setAutoRead(read);
        }
    }

    /// Another version of HTTP goes on here.
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        loop.closed(this);
        deaf = true;
        body.clear();
        waiting.clear();
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

    @Override
    void look(long nowNanos) {
        ChannelOutboundBuffer buffer = outbound();
        if (buffer == null) {
            return;
        }
        long pending = buffer.totalPendingWriteBytes();
        long left = pending - buffer.currentProgress();
        Limit late = watch().late(awaited(), requests, receivedBytes(), pending > 0, left, nowNanos);
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

    @Override
    int receivedBytes() {
        return body.bytes().readableBytes();
    }

    @Override
    int waiting() {
        return waiting.size();
    }

    @Override
    boolean isReading() {
        return reading;
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
        return context().pipeline().get(RequestDecoder.class).isInHead();
    }
}
