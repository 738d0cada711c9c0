// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.List;

/// Netty's decoder of requests, with a shorter way for what clients do all the time: one inference request after the
/// other with the same head. Those it hands to the connection as they are.
///
/// It takes the shorter way only between two requests, as Netty's decoder sees it, and only if head and body are there
/// in one piece. Threads: its event loop's.
final class RequestDecoder extends HttpRequestDecoder {
    /// Heads in a row that did not come again. Then they are different every time, and remembering them is in vain.
    static final int MAX_IN_VAIN = 8;

    private final Http1Connection connection;
    private RepeatedHead head;
    private Exchange example;
    private int inVain;
    /// Whether the last request has ended, and nothing of the next one was consumed.
    private boolean between = true;

    RequestDecoder(HttpDecoderConfig config, Http1Connection connection) {
        super(config);
        this.connection = connection;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (!(message instanceof ByteBuf bytes) || !isBetweenRequests()) {
            super.channelRead(context, message);
            return;
        }
        while (head != null && isBetweenRequests() && bytes.isReadable() && head.matches(bytes)) {
            inVain = 0;
            if (!connection.repeat(example, bytes, head.headBytes(), head.bodyBytes())) {
                break;
            }
        }
        if (bytes.isReadable()) {
            remember(context, bytes);
        } else {
            bytes.release();
        }
    }

    /// Whether a part of a request's head has come.
    boolean isInHead() {
        return connection.isBetweenRequests() && !(between && actualReadableBytes() == 0);
    }

    private boolean isBetweenRequests() {
        return between && actualReadableBytes() == 0 && connection.isBetweenRequests();
    }

    /// Decodes what came, and remembers its head if it was one plain request.
    private void remember(ChannelHandlerContext context, ByteBuf bytes) throws Exception {
        inVain += head == null ? 0 : 1;
        head = isBetweenRequests() && inVain < MAX_IN_VAIN ? RepeatedHead.of(bytes) : null;
        super.channelRead(context, bytes);
        example = connection.lastBegun();
        if (head != null && (!isBetweenRequests() || example == null || !example.isRepeatable())) {
            head = null;
        }
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf buffer, List<Object> out) throws Exception {
        int before = buffer.readableBytes();
        super.decode(context, buffer, out);
        if (!out.isEmpty() && out.getLast() instanceof LastHttpContent) {
            between = true;
        } else if (before != buffer.readableBytes()) {
            between = false;
        }
    }
}
