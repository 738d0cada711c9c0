// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.List;

/// Netty's codec of HTTP/2 with what this server allows its clients.
///
/// Threads: its event loop's.
final class Http2Codec extends Http2ConnectionHandler {
    /// Bytes of bodies that a client may send before it is told that they were taken in.
    private static final int WINDOW_BYTES = Connection.MAX_WAITING_BYTES;
    /// Streams that a client may reset, and that the server has to: whoever lets go of so many that were begun only to
    /// be reset does nothing else.
    private static final int MAX_RESETS = 1000;

    private static final int RESETS_SECONDS = 10;
    /// Answers to pings and settings that the client does not take.
    private static final int MAX_CONTROL_FRAMES = 1000;
    /// How long a client that broke the protocol may take to read that it did.
    private static final long LINGER_MILLIS = 1000;
    /// What HPACK counts for a header beside its bytes.
    private static final int HEADER_OVERHEAD = 32;

    private final Http2Connection connection;
    private ChannelHandlerContext context;
    private long frames;

    private Http2Codec(
            Http2ConnectionDecoder decoder,
            Http2ConnectionEncoder encoder,
            Http2Settings settings,
            Http2Connection connection) {
        super(decoder, encoder, settings, true);
        this.connection = connection;
    }

    /// The codec of a connection.
    ///
    /// @param frames what gets the frames
    static Http2Codec of(Limits limits, Http2Connection connection, Http2FrameListener frames) {
        return new Builder(limits, connection, frames).build();
    }

    private static final class Builder extends AbstractHttp2ConnectionHandlerBuilder<Http2Codec, Builder> {
        private final Http2Connection connection;

        Builder(Limits limits, Http2Connection connection, Http2FrameListener frames) {
            this.connection = connection;
            DefaultHttp2Connection streams = new DefaultHttp2Connection(true, 0);
            // Nobody is more important than others: what clients say about that is deprecated, and costly to follow.
            streams.remote()
                    .flowController(
                            new DefaultHttp2RemoteFlowController(streams, new UniformStreamByteDistributor(streams)));
            connection(streams);
            initialSettings(settings(limits));
            frameListener(frames);
            validateRequiredPseudoHeaders(true);
            // What is other in every answer would only drive the rest out of the client's table.
            headerSensitivityDetector((name, _) -> Answer.isOwn(name));
            decoderEnforceMaxRstFramesPerWindow(MAX_RESETS, RESETS_SECONDS);
            encoderEnforceMaxRstFramesPerWindow(MAX_RESETS, RESETS_SECONDS);
            encoderEnforceMaxQueuedControlFrames(MAX_CONTROL_FRAMES);
            gracefulShutdownTimeoutMillis(LINGER_MILLIS);
        }

        /// Headers beyond the limits are refused by [RequestHead], with a reason; those that are far beyond not even
        /// decoded.
        private static Http2Settings settings(Limits limits) {
            long headers = limits.get(Limit.MAX_LINE_BYTES)
                    + limits.get(Limit.MAX_HEADER_BYTES)
                    + 2 * HEADER_OVERHEAD * limits.get(Limit.MAX_HEADERS);
            return new Http2Settings()
                    .maxConcurrentStreams(limits.get(Limit.MAX_PIPELINED))
                    .initialWindowSize(WINDOW_BYTES)
                    .maxHeaderListSize(headers);
        }

        @Override
        protected Http2Codec build() {
            return super.build();
        }

        @Override
        protected Http2Codec build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
            return new Http2Codec(decoder, encoder, settings, connection);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
        Http2Stream whole = connection().connectionStream();
        decoder()
                .flowController()
                .incrementWindowSize(
                        whole, WINDOW_BYTES - decoder().flowController().windowSize(whole));
    }

    /// What frames are written to.
    ChannelHandlerContext context() {
        return context;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        int before = in.readableBytes();
        super.decode(ctx, in, out);
        if (in.readableBytes() != before) {
            frames++;
        }
    }

    /// Whether the client has to send something to go on: what opens the connection, or the rest of a frame.
    boolean isInFrame() {
        return !decoder().prefaceReceived() || actualReadableBytes() > 0;
    }

    /// Another number means that another frame has come.
    long frames() {
        return frames;
    }

    /// Does not read on by itself where the connection does not want to.
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        discardSomeReadBytes();
        ctx.fireChannelReadComplete();
        flush(ctx);
    }

    /// Tells the client that no streams beyond `last` are taken in.
    void goAway(int last) {
        var _ = goAway(context, last, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, context.newPromise());
    }

    /// Tells the client that no streams are taken in beyond those that were.
    void goAway() {
        goAway(connection().remote().lastStreamCreated());
    }

    void reset(Http2Stream stream, Http2Error error) {
        var _ = encoder().writeRstStream(context, stream.id(), error.code(), context.newPromise());
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException problem) {
        if (!outbound && problem.error() == Http2Error.REFUSED_STREAM) {
            connection.refusedStream();
        }
        super.onStreamError(ctx, outbound, cause, problem);
    }

    @Override
    protected void handleServerHeaderDecodeSizeError(ChannelHandlerContext ctx, Http2Stream stream) {
        connection.headersTooLarge(stream);
    }
}
