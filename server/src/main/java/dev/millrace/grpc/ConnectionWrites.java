// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/// Counts what a connection's client takes. Threads: the connection's event loop.
final class ConnectionWrites extends ChannelOutboundHandlerAdapter {
    private final Channel channel;
    private long queued;

    ConnectionWrites(Channel channel) {
        this.channel = channel;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf bytes) {
            queued += bytes.readableBytes();
        }
        var _ = ctx.write(message, promise);
    }

    /// Bytes that the kernel has taken, ever.
    long taken() {
        ChannelOutboundBuffer waiting = channel.unsafe().outboundBuffer();
        return waiting == null ? queued : queued - waiting.totalPendingWriteBytes();
    }

    void close() {
        var _ = channel.close();
    }
}
