// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.SocketAddress;
import java.util.Map;

/// Stands where connections come in: counts them, and closes those that are too many. Threads: the listener's event
/// loop.
final class Doorkeeper extends ChannelInboundHandlerAdapter {
    private final GrpcEvents events;
    private final int max;
    private final Map<SocketAddress, ConnectionWrites> writes;

    /// @param writes has each connection by its client's address, while it is open
    Doorkeeper(GrpcEvents events, int max, Map<SocketAddress, ConnectionWrites> writes) {
        this.events = events;
        this.max = max;
        this.writes = writes;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object connection) {
        Channel channel = (Channel) connection;
        int place = events.opened();
        if (place > max) {
            events.limited(Limit.MAX_CONNECTIONS);
            events.closed();
            channel.unsafe().closeForcibly();
            return;
        }
        SocketAddress client = channel.remoteAddress();
        ConnectionWrites counted = new ConnectionWrites(channel);
        writes.put(client, counted);
        channel.pipeline().addLast(counted);
        channel.closeFuture().addListener(_ -> {
            writes.remove(client, counted);
            events.closed();
        });
        ctx.fireChannelRead(connection);
    }
}
