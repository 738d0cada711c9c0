// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/// One load from start to end: opens the connections, lets the [Generator] run on a thread of its own, and looks at
/// what it does once a second.
///
/// Threads: the caller's, and the loop's. Ownership: it owns loop and connections until it is closed; the requests are
/// the caller's.
final class LoadRun implements AutoCloseable {
    private static final int SWEEP_MILLIS = 10;
    private static final int LOOK_MILLIS = 100;
    private static final int CONNECT_MILLIS = 5000;
    private static final int SCRATCH = 1 << 16;
    private static final int RECEIVE_SECONDS = 1;
    /// Threads wake up to so late. Longer would be a little more precise, and take a core from others the more.
    private static final long SPIN_NANOS_EPOLL = 100_000;
    /// Java's selectors count in milliseconds.
    private static final long SPIN_NANOS_NIO = 2_000_000;
    /// As a search knows that p99 is lost: one of a hundred requests is late, and some more.
    private static final double LOST_SHARE = 0.012;

    private final Target target;
    private final LoadPlan plan;
    private final Tally tally;
    private final long boundNanos;
    private final PacedLoop loop;
    private final Generator generator;
    private final List<HttpLine> lines = new ArrayList<>();
    private final CountDownLatch done = new CountDownLatch(1);
    private final Histogram total;
    private final List<LoadResult.Second> seconds = new ArrayList<>();

    /// @param boundNanos the load ends early when p99 cannot be held below it any more; 0 if it shall not
    private LoadRun(Target target, LoadPlan plan, Requests requests, long boundNanos) {
        this.target = target;
        this.plan = plan;
        this.boundNanos = boundNanos;
        this.tally = new Tally(plan, boundNanos);
        this.total = tally.interval();
        boolean epoll = Epoll.isAvailable();
        this.loop = new PacedLoop(
                new DefaultThreadFactory("millrace-load", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory(),
                epoll ? SPIN_NANOS_EPOLL : SPIN_NANOS_NIO);
        this.generator = new Generator(plan, tally, System::nanoTime);
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .remoteAddress(target.host(), target.port())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        // The line adds itself when the connection is there.
                    }
                });
        byte[] scratch = new byte[SCRATCH];
        for (int i = 0; i < plan.connections(); i++) {
            lines.add(new HttpLine(bootstrap, generator, requests, tally, scratch));
        }
    }

    /// Runs a load and returns what it found out.
    ///
    /// @param boundNanos the load ends early when p99 cannot be held below it any more; 0 if it shall not
    /// @param progress is told once a second, on the caller's thread
    /// @throws LoadException if the server cannot be connected to
    static LoadResult run(
            Target target, LoadPlan plan, Requests requests, long boundNanos, Consumer<LoadResult.Second> progress)
            throws LoadException, InterruptedException {
        try (LoadRun run = new LoadRun(target, plan, requests, boundNanos)) {
            run.connect();
            return run.measure(progress);
        }
    }

    private void connect() throws LoadException, InterruptedException {
        List<ChannelFuture> all = new ArrayList<>();
        for (HttpLine line : lines) {
            all.add(line.open());
        }
        for (ChannelFuture each : all) {
            if (!each.await().isSuccess()) {
                throw new LoadException(
                        "cannot open " + plan.connections() + " connections to " + target.base() + ": "
                                + each.cause().getMessage(),
                        each.cause());
            }
        }
    }

    private LoadResult measure(Consumer<LoadResult.Second> progress) throws InterruptedException {
        long start = System.nanoTime();
        loop.execute(() -> {
            loop.pace(generator::pump);
            generator.start();
        });
        var _ = loop.scheduleAtFixedRate(this::sweep, SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
        boolean lost = false;
        long last = start;
        long answersBefore = 0;
        while (!lost && !done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            lost = isLost();
            long now = System.nanoTime();
            if (now - last >= TimeUnit.SECONDS.toNanos(1)) {
                long answers = tally.answersAtAll();
                progress.accept(second(now - start, (answers - answersBefore) * 1e9 / (now - last)));
                answersBefore = answers;
                last = now;
            }
        }
        // What was recorded happened before the latch, or does not matter any more.
        total.add(tally.interval());
        return new LoadResult(plan, tally, total, seconds, lost);
    }

    private boolean isLost() {
        return boundNanos > 0 && tally.overBound() > LOST_SHARE * plan.rate() * plan.durationNanos() / 1e9 + 1;
    }

    private LoadResult.Second second(long sinceStart, double rate) {
        Histogram interval = tally.interval();
        total.add(interval);
        long refusals = tally.statuses().entrySet().stream()
                .filter(entry -> entry.getKey() < 200 || entry.getKey() > 299)
                .mapToLong(Map.Entry::getValue)
                .sum();
        long errors =
                tally.errors().values().stream().mapToLong(Long::longValue).sum();
        LoadResult.Second second = new LoadResult.Second(
                sinceStart / 1e9,
                rate,
                interval.getTotalCount() == 0 ? 0 : interval.getValueAtPercentile(50),
                interval.getTotalCount() == 0 ? 0 : interval.getValueAtPercentile(99),
                interval.getMaxValue(),
                refusals + errors + tally.timeouts());
        seconds.add(second);
        return second;
    }

    private void sweep() {
        generator.sweep();
        if (generator.isDone()) {
            done.countDown();
        }
    }

    @Override
    public void close() {
        loop.execute(() -> lines.forEach(HttpLine::close));
        loop.shutdownGracefully(0, RECEIVE_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
