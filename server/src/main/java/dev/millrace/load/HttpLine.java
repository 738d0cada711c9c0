// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// A connection that is kept alive, and opened again when it was lost.
///
/// Threads: the event loop's.
final class HttpLine extends Line {
    private static final int RETRY_MILLIS = 20;

    private final Bootstrap bootstrap;
    private final Generator generator;
    private final Requests requests;
    private final Tally tally;
    private final byte[] scratch;
    private Channel channel;
    private boolean closed;

    /// @param scratch used while the loop is in a line, by all of them
    HttpLine(Bootstrap bootstrap, Generator generator, Requests requests, Tally tally, byte[] scratch) {
        this.bootstrap = bootstrap;
        this.generator = generator;
        this.requests = requests;
        this.tally = tally;
        this.scratch = scratch;
    }

    /// Opens the connection. The generator hears of it when it is there. Threads: any, the first time.
    ChannelFuture open() {
        ChannelFuture connecting = bootstrap.connect();
        return connecting.addListener(done -> {
            if (!done.isSuccess()) {
                retry();
            } else if (closed) {
                var _ = connecting.channel().close();
            } else {
                channel = connecting.channel();
                channel.pipeline().addLast(new Handler());
                generator.opened(this);
            }
        });
    }

    private void openAgain() {
        if (!closed) {
            var _ = open();
        }
    }

    private void retry() {
        if (!closed && !bootstrap.config().group().isShuttingDown()) {
            var _ = bootstrap.config().group().schedule(this::openAgain, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    void transmit() {
        var _ = channel.writeAndFlush(requests.next(), channel.voidPromise());
    }

    @Override
    void reopen() {
        Channel old = channel;
        channel = null;
        if (old != null) {
            var _ = old.close();
        }
        openAgain();
    }

    /// For good.
    void close() {
        closed = true;
        reopen();
    }

    /// What the socket says. It speaks for the line as long as its channel is the line's.
    private final class Handler extends ChannelInboundHandlerAdapter {
        private final ResponseParser parser = new ResponseParser();

        private boolean isCurrent(ChannelHandlerContext context) {
            return context.channel().equals(channel);
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                while (isCurrent(context) && bytes.isReadable()) {
                    int count = Math.min(scratch.length, bytes.readableBytes());
                    bytes.readBytes(scratch, 0, count);
                    read(count);
                }
            } catch (IOException e) {
                lost(context, e.getMessage());
            } finally {
                bytes.release();
            }
        }

        private void read(int count) throws IOException {
            int taken = parser.read(scratch, 0, count);
            if (!parser.isComplete()) {
                return;
            }
            if (!isBusy() || taken < count) {
                throw new IOException("more came than one answer");
            }
            complete(parser.isKeptAlive());
        }

        private void complete(boolean stays) {
            int status = parser.status();
            if (status >= 400) {
                tally.refusal(status, parser.keptBody());
            }
            parser.reset();
            generator.answered(HttpLine.this, status, stays);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (isCurrent(context) && isBusy() && parser.closed()) {
                complete(false);
            } else {
                lost(context, "connection closed by the server");
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            lost(context, cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
        }

        private void lost(ChannelHandlerContext context, String reason) {
            if (isCurrent(context)) {
                generator.lost(HttpLine.this, reason);
                reopen();
            }
        }
    }
}
