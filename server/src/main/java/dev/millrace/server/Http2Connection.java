// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A connection that speaks HTTP/2: a request on every stream, and an answer goes out as soon as it is there.
///
/// Threads: its event loop's. What a client may have under way is bounded by the number of streams, and by flow
/// control: while requests with [#MAX_WAITING_BYTES] of bodies wait for answers, other bodies get no new window. Only
/// a client that does not take what is written is not read from, as windows come by the same socket.
final class Http2Connection extends Connection {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    /// So much of an answer is handed over at a time, to see how far the client takes it.
    static final int PIECE_BYTES = 1 << 16;

    private final Http2Codec codec;
    private final io.netty.handler.codec.http2.Http2Connection.PropertyKey key;
    private long requests;
    /// Streams that are open.
    private int streams;
    private int waitingBytes;
    private long unsent;
    /// Some streams may have come to more than they were given new window for.
    private boolean withholding;
    /// No more streams are taken in: the connection ends with the last one.
    private boolean draining;
    private boolean retired;

    private boolean reading = true;

    /// @param surplus [#WELCOME], or which connection it is of too many
    Http2Connection(Loop loop, Endpoints endpoints, int surplus) {
        super(loop, endpoints, surplus);
        this.codec = Http2Codec.of(loop.limits(), this, new Frames());
        this.key = codec.connection().newKey();
        codec.connection().addListener(new Http2ConnectionAdapter() {
            @Override
            public void onStreamClosed(Http2Stream stream) {
                closed(stream);
            }
        });
    }

    /// Puts itself at the end of a pipeline.
    void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(codec, this);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        super.handlerAdded(ctx);
        loop.opened(this);
    }

    /// Takes in the request that asked for HTTP/2 in HTTP/1.1; it is answered on the first stream.
    ///
    /// @param settings the client's
    /// @throws Http2Exception if they cannot be met
    void upgraded(Http2Settings settings, HttpRequest request, ByteBuf body) throws Http2Exception {
        codec.onHttpServerUpgrade(settings);
        // It was met in HTTP/1.1.
        request.headers().remove(HttpHeaderNames.EXPECT);
        RequestStream stream = open(codec.connection().stream(1), request);
        stream.begin(request, null, !body.isReadable());
        if (body.isReadable()) {
            stream.receive(body, 0, true);
        }
    }

    /// What comes from the client.
    private final class Frames extends Http2FrameAdapter {
        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean end) {
            Http2Stream stream = codec.connection().stream(streamId);
            RequestStream known = stream.getProperty(key);
            if (known == null) {
                begin(stream, headers, end);
            } else if (end) {
                known.end();
            }
        }

        @Override
        @SuppressWarnings("ParameterNumber") // Netty's
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int dependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean end) {
            onHeadersRead(ctx, streamId, headers, padding, end);
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean end) {
            RequestStream stream = codec.connection().stream(streamId).getProperty(key);
            // Without a request it is about to be reset.
            return stream == null ? data.readableBytes() + padding : stream.receive(data, padding, end);
        }
    }

    private void begin(Http2Stream stream, Http2Headers headers, boolean end) {
        HttpRequest request = RequestHead.request(headers);
        if (request == null) {
            codec.reset(stream, Http2Error.PROTOCOL_ERROR);
            return;
        }
        open(stream, request).begin(request, heads.tooLong(headers), end);
        if (surplus != WELCOME) {
            retire();
        }
    }

    private RequestStream open(Http2Stream stream, HttpRequest request) {
        requests++;
        RequestStream opened = new RequestStream(this, stream, request);
        stream.setProperty(key, opened);
        streams++;
        return opened;
    }

    private void closed(Http2Stream stream) {
        RequestStream request = stream.getProperty(key);
        if (request == null) {
            return;
        }
        streams--;
        request.close();
        if (withholding && !isFull()) {
            withholding = false;
            forEach(this::giveWindow);
        }
        closeIfDone();
    }

    /// Lets the client send as much as has come while it was to send no more.
    private void giveWindow(RequestStream request) {
        int bytes = request.release();
        if (bytes == 0 || !context().channel().isActive()) {
            return;
        }
        try {
            codec.decoder().flowController().consumeBytes(request.stream(), bytes);
            flushLater();
        } catch (Http2Exception e) {
            codec.onError(codec.context(), false, e);
        }
    }

    private void forEach(Consumer<RequestStream> action) {
        try {
            codec.connection().forEachActiveStream(stream -> {
                RequestStream request = stream.getProperty(key);
                if (request != null) {
                    action.accept(request);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// Requests with so many more bytes of bodies have come wholly, or with so many less are left.
    void taken(int bytes) {
        waitingBytes += bytes;
    }

    /// Whether bodies get no new window for what has come of them, as enough requests wait for answers.
    boolean withholds() {
        withholding |= isFull();
        return withholding;
    }

    private boolean isFull() {
        return waitingBytes >= MAX_WAITING_BYTES;
    }

    int maxBodyBytes() {
        return loop.limits().count(Limit.MAX_BODY_BYTES);
    }

    RequestBody newBody() {
        return new RequestBody(maxBodyBytes(), loop.receiving());
    }

    /// The client may send its body.
    void goOn(Http2Stream stream) {
        ChannelHandlerContext ctx = codec.context();
        var _ = codec.encoder().writeHeaders(ctx, stream.id(), Answer.http2GoOn(), 0, false, ctx.newPromise());
        flushLater();
    }

    /// Sends the answer that is there.
    void write(RequestStream request) {
        Exchange exchange = request.exchange();
        Answer answer;
        try {
            answer = loop.responses().joined(codec.context().alloc(), exchange);
        } catch (OutOfMemoryError e) {
            LOG.warn("there is no memory for any answer: a connection is closed", e);
            close();
            return;
        } finally {
            exchange.release();
        }
        int length = exchange.isHead() ? 0 : answer.length();
        request.sending(length);
        unsent += length;
        watch().queued(length);
        write(request.stream(), answer, length, request);
    }

    private void write(Http2Stream stream, Answer answer, int length, ChannelFutureListener taken) {
        ChannelHandlerContext ctx = codec.context();
        Http2ConnectionEncoder encoder = codec.encoder();
        ChannelFuture head = encoder.writeHeaders(ctx, stream.id(), answer.http2(), 0, length == 0, ctx.newPromise());
        if (length == 0) {
            head.addListener(taken);
        }
        int left = length;
        while (left > 0) {
            int piece = Math.min(left, PIECE_BYTES);
            ByteBuf bytes = answer.part(length - left, piece);
            left -= piece;
            encoder.writeData(ctx, stream.id(), bytes, 0, left == 0, ctx.newPromise())
                    .addListener(taken);
        }
        flushLater();
    }

    /// The client has taken so many bytes of answers, or will not.
    void sent(int bytes) {
        unsent -= bytes;
    }

    /// Whether the client has to give a stream more window for its answer.
    boolean isBlocked(Http2Stream stream) {
        return codec.encoder().flowController().windowSize(stream) <= 0;
    }

    /// The stream's answer is out; the rest of its request is not wanted.
    void reset(Http2Stream stream) {
        codec.reset(stream, Http2Error.NO_ERROR);
        flushLater();
    }

    /// The client does not take the stream's answer.
    void cancel(Http2Stream stream) {
        codec.reset(stream, Http2Error.CANCEL);
        flushLater();
    }

    /// A stream is refused that would be one too many.
    void refusedStream() {
        loop.counters().limited(Limit.MAX_PIPELINED);
    }

    /// A head is so large that it was not decoded to its end.
    void headersTooLarge(Http2Stream stream) {
        Answer answer = loop.responses().joined(codec.context().alloc(), heads.headersTooLong());
        write(stream, answer, answer.length(), _ -> {});
        try {
            codec.encoder().flowController().writePendingBytes();
        } catch (Http2Exception e) {
            codec.onError(codec.context(), true, e);
        }
    }

    @Override
    void leave() {
        drain();
    }

    @Override
    void drain() {
        if (draining) {
            return;
        }
        draining = true;
        codec.goAway(Integer.MAX_VALUE);
        flushLater();
        var _ = context().executor().schedule(this::retire, IDLE_GRACE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /// Takes in no more streams, and closes the connection after the last answer.
    private void retire() {
        if (!retired && context().channel().isActive()) {
            retired = true;
            codec.goAway();
            flushLater();
            closeIfDone();
        }
    }

    private void closeIfDone() {
        if (retired && streams == 0) {
            context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        boolean read = ctx.channel().isWritable();
        if (read != reading) {
            reading = read;
            ctx.channel().config().setAutoRead(read);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.closed(this);
    }

    @Override
    void look(long nowNanos) {
        if (outbound() == null) {
            return;
        }
        Limit awaited = awaited();
        long number = awaited == Limit.HEAD_TIMEOUT ? codec.frames() : requests;
        Limit late = watch().late(awaited, number, 0, isHeldUp(), unsent, nowNanos);
        if (late == null) {
            forEach(request -> request.look(nowNanos));
            return;
        }
        loop.counters().limited(late);
        if (late != Limit.WRITE_TIMEOUT) {
            codec.goAway();
            codec.flush(codec.context());
        }
        close();
    }

    /// What the client has to send; null while it is the server's turn, or streams wait for something of their own.
    private Limit awaited() {
        if (streams == 0) {
            return codec.isInFrame() || surplus != WELCOME ? Limit.HEAD_TIMEOUT : Limit.IDLE_TIMEOUT;
        }
        return codec.isInFrame() && receivedBytes() == 0 ? Limit.HEAD_TIMEOUT : null;
    }

    private boolean isHeldUp() {
        boolean[] found = {false};
        forEach(request -> found[0] |= request.isHeldUp());
        return found[0];
    }

    @Override
    int receivedBytes() {
        int[] bytes = {0};
        forEach(request -> bytes[0] += request.receivedBytes());
        return bytes[0];
    }

    @Override
    int waiting() {
        return streams;
    }

    @Override
    boolean isReading() {
        return reading;
    }
}
