// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Stands between a client and a server on this machine, and lets nothing through for a while, or everything late, or
/// cuts all connections.
///
/// Threads: any may change how it behaves.
public final class FaultyProxy implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Object change = new Object();
    private boolean stalled;
    private long delayMillis;
    private boolean refusing;
    private boolean closed;

    FaultyProxy(int target) throws IOException {
        this.target = target;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("faulty-proxy").start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /// From now on nothing passes, in neither direction; or all goes on.
    void stall(boolean on) {
        synchronized (change) {
            stalled = on;
            change.notifyAll();
        }
    }

    /// From now on all that passes is held up for so long, in both directions, one piece after another.
    void delay(long millis) {
        synchronized (change) {
            delayMillis = millis;
        }
    }

    /// Closes all connections; new ones are closed at once, or not.
    void cut(boolean refuse) {
        synchronized (change) {
            refusing = refuse;
        }
        sockets.forEach(FaultyProxy::close);
        sockets.clear();
    }

    private void accept() {
        while (true) {
            try {
                Socket client = listener.accept();
                synchronized (change) {
                    if (refusing || closed) {
                        close(client);
                        continue;
                    }
                }
                Socket server = connect(client);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                sockets.add(client);
                sockets.add(server);
                Thread.ofPlatform().daemon().start(() -> copy(client, server));
                Thread.ofPlatform().daemon().start(() -> copy(server, client));
            } catch (IOException e) {
                synchronized (change) {
                    if (closed) {
                        return;
                    }
                }
            }
        }
    }

    /// Who cannot be taken on is told so.
    private Socket connect(Socket client) throws IOException {
        try {
            return new Socket(InetAddress.getLoopbackAddress(), target);
        } catch (IOException e) {
            close(client);
            throw e;
        }
    }

    private void copy(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                pass();
                out.write(buffer, 0, count);
                out.flush();
            }
        } catch (IOException e) {
            // One of them has gone: so does the other.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(from);
        close(to);
    }

    private void pass() throws InterruptedException {
        long delay;
        synchronized (change) {
            while (stalled && !closed) {
                change.wait();
            }
            delay = delayMillis;
        }
        if (delay > 0) {
            Thread.sleep(delay);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (change) {
            closed = true;
            change.notifyAll();
        }
        listener.close();
        sockets.forEach(FaultyProxy::close);
    }
}
