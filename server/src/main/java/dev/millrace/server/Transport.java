// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;

/// How sockets are talked to: by epoll itself where that works, by the JDK elsewhere.
///
/// @param handlers makes what waits for sockets
/// @param channel what listens
record Transport(IoHandlerFactory handlers, Class<? extends ServerChannel> channel) {
    static Transport best() {
        return Epoll.isAvailable()
                ? new Transport(EpollIoHandler.newFactory(), EpollServerSocketChannel.class)
                : new Transport(NioIoHandler.newFactory(), NioServerSocketChannel.class);
    }
}
