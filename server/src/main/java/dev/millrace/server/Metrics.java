// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.manage.Management;
import dev.millrace.metrics.RuntimeMetrics;
import dev.millrace.metrics.ServerFigures;
import dev.millrace.redis.RedisStore;
import dev.millrace.runtime.Millrace;
import dev.millrace.update.Feeds;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Answers those who ask for metrics.
///
/// Threads: any may ask; a thread of its own does the work, as an event loop has better things to do.
final class Metrics implements AutoCloseable {
    private static final AsciiString CONTENT_TYPE = AsciiString.cached("text/plain; version=0.0.4; charset=utf-8");
    /// Quantiles are of the last one or two of these.
    private static final int PERIOD_SECONDS = 10;

    private final RuntimeMetrics metrics;
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("millrace-metrics").factory());

    /// @param clients whose rows are counted, or null
    /// @param feeds what keeps the feature store up to date
    /// @param redis a feature store there, or null
    Metrics(
            Millrace millrace,
            HttpCounters http,
            Clients clients,
            Management management,
            Feeds feeds,
            RedisStore redis) {
        this.metrics = new RuntimeMetrics(millrace, figures(http, clients), management, feeds, redis);
        var _ = executor.scheduleAtFixedRate(metrics::endPeriod, PERIOD_SECONDS, PERIOD_SECONDS, TimeUnit.SECONDS);
    }

    private static ServerFigures figures(HttpCounters http, Clients clients) {
        Map<String, LongSupplier> limited = new LinkedHashMap<>();
        for (Limit limit : Limit.values()) {
            limited.put(limit.label(), () -> http.limitedBy(limit));
        }
        return new ServerFigures(
                http::answered, http.calls(), limited, http::connections, () -> clients == null ? 0 : clients.size());
    }

    /// Answers an exchange with everything, later on its loop.
    void answer(Exchange exchange, Loop loop) {
        executor.execute(() -> {
            Page page = page();
            loop.executor().execute(() -> {
                exchange.answer(page);
                exchange.requester().advance();
            });
        });
    }

    private Page page() {
        try {
            return new Page(HttpStatus.OK, CONTENT_TYPE, null, metrics.scrape().getBytes(StandardCharsets.UTF_8));
        } catch (RuntimeException e) {
            return Loop.bug(e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
        metrics.close();
    }
}
