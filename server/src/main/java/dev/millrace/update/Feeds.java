// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.FeatureStore;
import dev.millrace.store.View;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All feeds of a server, each with a thread of its own.
///
/// Threads: one starts and closes it; any may ask for statistics. Ownership: it ends its threads and
/// lets go of Kafka when it is closed; the store is the caller's, who closes it afterwards.
public final class Feeds implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Feeds.class);
    /// For whoever does not say how long.
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final List<Feed> feeds;
    private final List<Thread> threads = new ArrayList<>();

    private Feeds(List<Feed> feeds) {
        this.feeds = feeds;
    }

    /// No feed at all.
    public static Feeds none() {
        return new Feeds(List.of());
    }

    /// Makes feeds ready to be started: nobody is asked for records yet.
    ///
    /// @param store whose views they are
    /// @throws IOException saying what is wrong with one
    public static Feeds prepare(List<FeedConfig> configs, Optional<FeatureStore> store, InstantSource clock)
            throws IOException {
        List<Feed> feeds = new ArrayList<>();
        List<DeadLetters> opened = new ArrayList<>();
        for (FeedConfig config : configs) {
            try {
                feeds.add(feed(config, requireStore(store), clock, opened));
            } catch (IOException | IllegalArgumentException e) {
                opened.forEach(DeadLetters::close);
                // Those of files have nothing but the file's name for a message.
                String problem = e instanceof FileSystemException ? "cannot be opened: " + e : e.getMessage();
                throw new IOException("updates of " + config.shown() + ": " + problem, e);
            }
        }
        return new Feeds(feeds);
    }

    private static FeatureStore requireStore(Optional<FeatureStore> store) throws IOException {
        return store.orElseThrow(
                () -> new IOException("there is no feature store, expected that --feature-store names one"));
    }

    private static Feed feed(FeedConfig config, FeatureStore store, InstantSource clock, List<DeadLetters> opened)
            throws IOException {
        View view = store.view(config.view());
        RowReader reader = RowReader.of(view.schema(), config, clock);
        KafkaClients clients = KafkaClients.of(config);
        DeadLetters letters;
        if (config.deadLetters().file().isPresent()) {
            letters = DeadLetterFile.open(config.deadLetters().file().get(), config.view());
        } else {
            letters = new DeadLetterTopic(config.deadLetters().topic().orElseThrow(), clients::producer);
        }
        opened.add(letters);
        return new Feed(
                new Feed.Parts(config, reader, store, view, letters, clients::consumer),
                new FeedHealth(LOG, "keeping " + config.shown() + " up to date", System::nanoTime),
                new Silence(System::nanoTime),
                Feed.Pauses.DEFAULT);
    }

    /// Begins to consume.
    public void start() {
        for (Feed feed : feeds) {
            FeedStatistics about = feed.statistics();
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("millrace-update-" + about.view())
                    .start(feed));
        }
    }

    /// How each stands, in the order of the configuration.
    public List<FeedStatistics> statistics() {
        return feeds.stream().map(Feed::statistics).toList();
    }

    @Override
    public void close() {
        close(CLOSE);
    }

    /// Ends all: what was consumed is written and committed. What does not end in time goes on by itself
    /// until it does; nothing of it is lost, as it is not committed.
    public void close(Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        feeds.forEach(Feed::stop);
        if (threads.isEmpty()) {
            // None was started: each ends at once, and lets go of what it holds.
            feeds.forEach(Feed::run);
        }
        try {
            for (Thread thread : threads) {
                TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, end - System.nanoTime()));
                if (thread.isAlive()) {
                    LOG.warn("{} does not end in {} ms", thread.getName(), timeout.toMillis());
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        threads.clear();
    }
}
