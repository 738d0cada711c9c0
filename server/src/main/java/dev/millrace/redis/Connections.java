// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.RedisURI;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.EventLoopGroupProvider;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// The connections to Redis: one for everybody, and one for each event loop that was named, which is read on that loop,
/// so that nothing is handed over between threads.
///
/// Threads: any. Ownership: it owns the connections, but not the event loops.
final class Connections implements AutoCloseable {
    private final RedisURI uri;
    private final Duration longest;
    private final ScheduledExecutorService timer;
    private final Runnable whenConnected;
    private final ClientResources resources;
    private final Connector common;
    private volatile List<OfLoop> loops = List.of();

    private record OfLoop(EventLoop loop, ClientResources resources, Connector connector) {
        void close() {
            connector.close();
            resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        }
    }

    /// Begins to connect.
    ///
    /// @param longest what a read may take
    /// @param whenConnected done whenever there is a connection again
    Connections(RedisURI uri, Duration longest, ScheduledExecutorService timer, Runnable whenConnected) {
        this.uri = uri;
        this.longest = longest;
        this.timer = timer;
        this.whenConnected = whenConnected;
        resources = ClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .build();
        common = connector(resources, true);
    }

    private Connector connector(ClientResources of, boolean tells) {
        return new Connector(uri, longest, of, timer, whenConnected, tells);
    }

    /// Makes a connection for each of these, which is used for what is read from there.
    synchronized void attach(Set<EventLoop> group) {
        List<OfLoop> all = new ArrayList<>(loops);
        for (EventLoop loop : group) {
            // What this has of the others' it leaves alone when it is shut down.
            ClientResources borrowed = resources
                    .mutate()
                    .eventLoopGroupProvider(new Borrowed(loop))
                    .build();
            all.add(new OfLoop(loop, borrowed, connector(borrowed, false)));
        }
        loops = List.copyOf(all);
    }

    /// Closes the connections of these; not to be called on one of them.
    synchronized void detach(Set<EventLoop> group) {
        List<OfLoop> all = loops;
        loops = all.stream().filter(each -> !group.contains(each.loop())).toList();
        all.stream().filter(each -> group.contains(each.loop())).forEach(OfLoop::close);
    }

    /// What the calling thread asks over.
    Connector here(ReadBy by) {
        if (by == ReadBy.CALLER) {
            List<OfLoop> all = loops;
            for (int i = 0; i < all.size(); i++) {
                OfLoop each = all.get(i);
                if (each.loop().inEventLoop() && each.connector().connection() != null) {
                    return each.connector();
                }
            }
        }
        return common;
    }

    @Override
    public void close() {
        detach(loops.stream().map(OfLoop::loop).collect(Collectors.toSet()));
        common.close();
        resources.shutdown(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    /// A loop of others, for the client, which would have its own.
    private record Borrowed(EventLoop loop) implements EventLoopGroupProvider {
        @Override
        @SuppressWarnings("unchecked") // a loop is a group of one
        public <T extends EventLoopGroup> T allocate(Class<T> type) {
            return (T) loop;
        }

        @Override
        public int threadPoolSize() {
            return 1;
        }

        @Override
        public Future<Boolean> release(EventExecutorGroup group, long quietPeriod, long timeout, TimeUnit unit) {
            return ImmediateEventExecutor.INSTANCE.newSucceededFuture(true);
        }

        @Override
        public Promise<Boolean> shutdown(long quietPeriod, long timeout, TimeUnit unit) {
            return ImmediateEventExecutor.INSTANCE.<Boolean>newPromise().setSuccess(true);
        }
    }
}
