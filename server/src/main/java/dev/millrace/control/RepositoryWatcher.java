// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has repositories looked at whenever they change, in mode poll: soon after the file system tells of it, and at a
/// steady pace besides, as not every file system tells. While files keep changing it waits, so that a model is not read
/// that is still being copied, but no longer than the steady pace allows.
///
/// Threads: one of its own, with a low priority, from [#start] until it is closed.
final class RepositoryWatcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RepositoryWatcher.class);
    /// Files that did not change for so long are taken to be whole.
    static final Duration QUIET = Duration.ofMillis(500);

    /// So many times that, unless there is an interval: then something is read although it goes on changing.
    private static final int LONGEST_WAIT = 20;

    /// A repository, a model, a version, and a folder in it.
    private static final int DEPTH = 3;

    private static final WatchEvent.Kind<?>[] KINDS = {
        StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_DELETE, StandardWatchEventKinds.ENTRY_MODIFY
    };

    private final List<Path> repositories;
    private final long intervalNanos;
    private final long quietNanos;
    private final Runnable poll;
    private final WatchService events;
    private final Map<Path, WatchKey> watched = new HashMap<>();
    private final Thread thread;
    private volatile boolean closed;

    /// @param interval between two looks; 0 for none but when something changes
    /// @param quiet how long nothing may change before a change is looked at
    /// @param poll looks at the repositories
    RepositoryWatcher(List<Path> repositories, Duration interval, Duration quiet, Runnable poll) {
        this.repositories = repositories;
        this.intervalNanos = interval.isZero() ? Long.MAX_VALUE : interval.toNanos();
        this.quietNanos = quiet.toNanos();
        this.poll = poll;
        this.events = watchService();
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("millrace-poll")
                .priority(Thread.MIN_PRIORITY)
                .unstarted(this::run);
    }

    private static WatchService watchService() {
        try {
            return FileSystems.getDefault().newWatchService();
        } catch (IOException | UnsupportedOperationException e) {
            LOG.warn("changes of model repositories are seen at the next poll only: {}", e.toString());
            return null;
        }
    }

    void start() {
        // What changes from now on is noticed, whenever the thread begins.
        watch();
        thread.start();
    }

    private void run() {
        try {
            while (!closed) {
                awaitChange();
                look();
                boolean changed = true;
                while (changed && !closed) {
                    // A look takes up what was the same at the one before.
                    changed = awaitQuiet(System.nanoTime() + LONGEST_WAIT * quietNanos);
                    look();
                }
            }
        } catch (ClosedWatchServiceException | InterruptedException _) {
            LOG.debug("model repositories are watched no more");
        }
    }

    private void look() {
        if (closed) {
            return;
        }
        watch();
        try {
            poll.run();
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("the model repositories could not be polled", e);
        }
    }

    /// Returns when the interval is over, or something has changed and then nothing more for a while.
    private void awaitChange() throws InterruptedException {
        boolean endless = intervalNanos == Long.MAX_VALUE;
        long end = endless ? Long.MAX_VALUE : System.nanoTime() + intervalNanos;
        if (awaitEvent(end)) {
            var _ = awaitQuiet(endless ? System.nanoTime() + LONGEST_WAIT * quietNanos : end);
        }
    }

    /// Returns when nothing has changed for a while, or at the latest then.
    ///
    /// @return whether something has changed
    private boolean awaitQuiet(long latest) throws InterruptedException {
        boolean changed = false;
        boolean more = true;
        while (more) {
            long quiet = System.nanoTime() + quietNanos;
            more = quiet - latest < 0 && awaitEvent(quiet);
            changed |= more;
        }
        return changed;
    }

    /// Whether something changed until then.
    private boolean awaitEvent(long end) throws InterruptedException {
        if (events == null) {
            sleepUntil(end);
            return false;
        }
        WatchKey key = end == Long.MAX_VALUE
                ? events.take()
                : events.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        boolean changed = key != null;
        for (; key != null; key = events.poll()) {
            key.pollEvents();
            if (!key.reset()) {
                watched.values().remove(key);
            }
        }
        return changed;
    }

    private static void sleepUntil(long end) throws InterruptedException {
        if (end == Long.MAX_VALUE) {
            Thread.sleep(Long.MAX_VALUE);
        }
        long left = end - System.nanoTime();
        if (left > 0) {
            TimeUnit.NANOSECONDS.sleep(left);
        }
    }

    /// Watches all folders that there are now.
    private void watch() {
        if (events == null) {
            return;
        }
        TreeSet<Path> folders = new TreeSet<>();
        repositories.forEach(repository -> addFolders(repository, folders));
        watched.keySet().removeIf(path -> !folders.contains(path));
        for (Path folder : folders) {
            try {
                WatchKey known = watched.get(folder);
                if (known == null || !known.isValid()) {
                    watched.put(folder, folder.register(events, KINDS));
                }
            } catch (IOException e) {
                LOG.debug("{} is not watched: {}", folder, e.toString());
            }
        }
    }

    private static void addFolders(Path repository, TreeSet<Path> folders) {
        try (Stream<Path> paths = Files.walk(repository, DEPTH)) {
            paths.filter(Files::isDirectory).forEach(folders::add);
        } catch (IOException | java.io.UncheckedIOException e) {
            LOG.debug("{} is not watched wholly: {}", repository, e.toString());
        }
    }

    /// Looks at nothing more; a look in progress may go on until `patience` is over.
    void close(Duration patience) {
        closed = true;
        try {
            if (events != null) {
                events.close();
            }
            if (events == null) {
                thread.interrupt();
            }
            thread.join(patience);
        } catch (IOException e) {
            LOG.debug("the watch of model repositories could not be closed: {}", e.toString());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
