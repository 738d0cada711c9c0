// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.millrace.feast.FeastFormatException;
import dev.millrace.feast.FeastRow;
import dev.millrace.feast.FeastView;
import dev.millrace.feast.JoinKey;
import dev.millrace.policy.Breaker;
import dev.millrace.remote.FetchedRow;
import dev.millrace.remote.FetchedView;
import dev.millrace.remote.RemoteStore;
import dev.millrace.remote.WantedView;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Features in Redis, as Feast fills it. Whether Redis is there need not be known when it is opened: it is connected
/// to, again and again, in the background.
///
/// Reads end in time, and nothing queues without bound: no more than [RedisOptions#maxPending()] rows are on their
/// way, or those of a single request;
/// after [RedisOptions#breakerFailures()] reads in a row that failed one is tried in a second, until one is answered.
///
/// Threads: any; what comes is told on the connection's or a timer's. Ownership: whoever opened it closes it.
public final class RedisStore implements RemoteStore, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisStore.class);
    private static final int MAX_VIEWS = 256;
    private static final int MAX_FIELDS = 1_000;
    /// A probe costs one request the time limit of a read, and all the others wait for it to find Redis back.
    private static final long PROBE_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long COMPLAINT_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final RedisOptions options;
    private final LongSupplier clock;
    private final ScheduledThreadPoolExecutor timer;
    private final Connections connections;
    private final Breaker breaker;
    private final RowCache cache;
    private final RowReader reader;
    private final Map<FeastView, PreparedView> views = new ConcurrentHashMap<>();
    private final Cache<FeastView, PreparedView> others =
            Caffeine.newBuilder().maximumSize(MAX_VIEWS).executor(Runnable::run).build();
    private final LongAdder fetched = new LongAdder();
    private final LongAdder cached = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder stale = new LongAdder();
    private final LongAdder unreadable = new LongAdder();
    private volatile long complainedNanos;

    private RedisStore(RedisOptions options, LongSupplier clock) {
        this.options = options;
        this.clock = clock;
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("millrace-redis-timer").daemon().factory());
        timer.setRemoveOnCancelPolicy(true);
        complainedNanos = clock.getAsLong() - COMPLAINT_PAUSE_NANOS;
        breaker = new Breaker(options.breakerFailures(), PROBE_PAUSE_NANOS);
        connections = new Connections(
                ConnectionText.parse(options.connection()), options.timeout(), timer, breaker::succeeded);
        cache = new RowCache(options.cacheAge().toNanos(), options.cacheBytes());
        reader = new RowReader(options, connections, cache, breaker, timer, clock);
    }

    /// Opens a store.
    ///
    /// @throws IllegalArgumentException if the connection's text is none
    public static RedisStore open(RedisOptions options) {
        return new RedisStore(options, System::nanoTime);
    }

    /// How it is asked.
    public RedisOptions options() {
        return options;
    }

    /// Whether there is a connection now that everybody may use.
    public boolean isConnected() {
        return connections.here(ReadBy.OTHERS).connection() != null;
    }

    /// Has what is read on these event loops come over connections of their own, which are read on them, until
    /// [#detach(Set)].
    public void attach(Set<EventLoop> loops) {
        connections.attach(loops);
    }

    /// Closes the connections of event loops, which have to be there still; not to be called on one of them.
    public void detach(Set<EventLoop> loops) {
        connections.detach(loops);
    }

    /// What has become of reads so far.
    public RedisCounts counts() {
        return new RedisCounts(
                fetched.sum(),
                cached.sum(),
                reader.joined.sum(),
                reader.read.sum(),
                failed.sum(),
                reader.late.sum(),
                stale.sum(),
                unreadable.sum(),
                reader.pending(),
                cache.bytes(),
                isConnected(),
                breaker.isOpen());
    }

    /// The type that values of a join key are written as.
    public JoinKey joinKey(String name, boolean text) {
        JoinKey.Type usual = text ? JoinKey.Type.STRING : JoinKey.Type.INT64;
        return new JoinKey(name, options.joinKeyTypes().getOrDefault(name, usual));
    }

    /// Reads rows of entities. All that is not at hand goes out together.
    ///
    /// @param wanted no view is there twice
    /// @param timeoutNanos when to give up at the latest
    /// @param by who takes in what comes
    /// @return ends in time and normally: for each view a row for each key, in their order
    /// @throws IllegalArgumentException if a key is not what its view has
    public CompletableFuture<List<List<RowRead>>> read(List<RowsWanted> wanted, long timeoutNanos, ReadBy by) {
        Reading reading = new Reading(wanted);
        long now = clock.getAsLong();
        List<Place> places = new ArrayList<>();
        Set<RowKey> missing = new LinkedHashSet<>();
        for (int i = 0; i < wanted.size(); i++) {
            PreparedView view = prepared(wanted.get(i));
            List<List<Object>> keys = wanted.get(i).keys();
            for (int j = 0; j < keys.size(); j++) {
                RowKey key = new RowKey(view, view.keys().key(keys.get(j).toArray()));
                FeastRow row = cache.fresh(key, now);
                if (row == null) {
                    places.add(new Place(i, j, key));
                    missing.add(key);
                } else {
                    reading.answers.get(i).set(j, new RowRead(row, null));
                }
            }
        }
        cached.add(reading.rows - places.size());
        await(reading, places, missing, Math.min(timeoutNanos, options.timeout().toNanos()), by);
        return reading.whole;
    }

    /// A row of a request that is not at hand.
    private record Place(int view, int key, RowKey row) {}

    /// What comes for a request.
    private static final class Reading {
        private final List<RowsWanted> wanted;
        private final List<List<RowRead>> answers = new ArrayList<>();
        private final CompletableFuture<List<List<RowRead>>> whole = new CompletableFuture<>();
        private final AtomicInteger left = new AtomicInteger();
        private int rows;
        private boolean told;

        Reading(List<RowsWanted> wanted) {
            this.wanted = wanted;
            for (RowsWanted each : wanted) {
                List<RowRead> of =
                        new ArrayList<>(Collections.nCopies(each.keys().size(), null));
                answers.add(of);
                rows += of.size();
            }
        }

        /// Takes a row unless it is too late; whether it did.
        synchronized boolean put(int view, int key, RowRead read) {
            if (told || answers.get(view).get(key) != null) {
                return false;
            }
            answers.get(view).set(key, read);
            return true;
        }

        void tell() {
            synchronized (this) {
                told = true;
            }
            whole.complete(answers);
        }
    }

    private void await(Reading reading, List<Place> places, Set<RowKey> missing, long timeoutNanos, ReadBy by) {
        if (places.isEmpty()) {
            reading.tell();
            return;
        }
        Map<RowKey, List<Place>> waiting = new HashMap<>();
        places.forEach(place ->
                waiting.computeIfAbsent(place.row(), _ -> new ArrayList<>(1)).add(place));
        reading.left.set(missing.size());
        List<CompletableFuture<FeastRow>> coming = reader.read(missing, by);
        int next = 0;
        for (RowKey key : missing) {
            List<Place> mine = waiting.get(key);
            var _ = coming.get(next++).whenComplete((row, error) -> {
                for (Place place : mine) {
                    put(reading, place, row, error);
                }
                if (reading.left.decrementAndGet() == 0) {
                    reading.tell();
                }
            });
        }
        if (!reading.whole.isDone() && timeoutNanos < options.timeout().toNanos()) {
            var limit = timer.schedule(() -> giveUp(reading, places), timeoutNanos, TimeUnit.NANOSECONDS);
            var _ = reading.whole.whenComplete((_, _) -> limit.cancel(false));
        }
    }

    private void giveUp(Reading reading, List<Place> places) {
        StoreAwayException late = new StoreAwayException("the request's time was over before Redis answered");
        places.forEach(place -> put(reading, place, null, late));
        reading.tell();
    }

    private void put(Reading reading, Place place, FeastRow row, Throwable error) {
        if (error == null) {
            if (reading.put(place.view(), place.key(), new RowRead(row, null))) {
                fetched.increment();
            }
            return;
        }
        if (error instanceof FeastFormatException) {
            unreadable(error.getMessage());
        }
        FeastRow older = reading.wanted.get(place.view()).stale() ? cache.any(place.row()) : null;
        if (reading.put(place.view(), place.key(), new RowRead(older, error.getMessage()))) {
            (older == null ? failed : stale).increment();
        }
    }

    private void unreadable(String why) {
        unreadable.increment();
        long now = clock.getAsLong();
        if (now - complainedNanos >= COMPLAINT_PAUSE_NANOS) {
            complainedNanos = now;
            LOG.warn("what is stored cannot be used: {}", why);
        }
    }

    /// Views that models have stay. Requests may name whatever they like: of those few are remembered, and none
    /// that is large.
    private PreparedView prepared(RowsWanted wanted) {
        FeastView view = wanted.view();
        PreparedView known = views.get(view);
        if (known == null && view.fields().size() <= MAX_FIELDS) {
            known = others.get(view, each -> new PreparedView(each, options));
            if (!options.cacheAge().isZero()) {
                known.keep();
            }
        } else if (known == null) {
            known = new PreparedView(view, options);
        }
        if (wanted.stale()) {
            known.keep();
        }
        return known;
    }

    @Override
    public void require(FeatureView view) {
        FeastView feast = feast(view);
        JoinKey key = feast.joinKeys().getFirst();
        boolean text = view.entity().type() == ValueType.STRING;
        if (text != (key.type() == JoinKey.Type.STRING)) {
            throw new IllegalArgumentException("entity '" + view.entity().name() + "' of view '" + view.name() + "' is "
                    + view.entity().type().word() + ", expected what join_keys says of '" + key.name() + "', "
                    + key.expectation());
        }
        PreparedView prepared = views.computeIfAbsent(feast, each -> new PreparedView(each, options));
        if (!options.cacheAge().isZero()) {
            prepared.keep();
        }
    }

    private FeastView feast(FeatureView view) {
        boolean text = view.entity().type() == ValueType.STRING;
        return new FeastView(
                view.name(),
                List.of(joinKey(view.entity().joinKey(), text)),
                view.fields().stream().map(FieldSpec::name).toList());
    }

    @Override
    public CompletableFuture<List<FetchedView>> fetch(List<WantedView> wanted, long timeoutNanos) {
        return fetch(wanted, timeoutNanos, ReadBy.CALLER);
    }

    @Override
    public List<FetchedView> fetchNow(List<WantedView> wanted, long timeoutNanos) {
        return fetch(wanted, timeoutNanos, ReadBy.OTHERS_ALONE).join();
    }

    private CompletableFuture<List<FetchedView>> fetch(List<WantedView> wanted, long timeoutNanos, ReadBy by) {
        List<RowsWanted> rows = new ArrayList<>();
        List<List<Object>> keys = new ArrayList<>();
        for (WantedView each : wanted) {
            FeastView view = feast(each.view());
            // Of a key that cannot be one there is no row.
            List<Object> of = each.keys().stream()
                    .filter(view.joinKeys().getFirst()::takes)
                    .toList();
            boolean stale = each.view().policies().onUnavailable() == FeatureView.OnUnavailable.STALE;
            keys.add(of);
            rows.add(new RowsWanted(view, of.stream().map(List::of).toList(), stale));
        }
        return read(rows, timeoutNanos, by).thenApply(read -> {
            List<FetchedView> views = new ArrayList<>();
            for (int i = 0; i < read.size(); i++) {
                views.add(fetched(wanted.get(i), keys.get(i), read.get(i)));
            }
            return views;
        });
    }

    private FetchedView fetched(WantedView wanted, List<Object> keys, List<RowRead> read) {
        Map<Object, FetchedRow> rows = HashMap.newHashMap(keys.size());
        wanted.keys().forEach(key -> rows.put(key, FetchedRow.ABSENT));
        String problem = null;
        for (int i = 0; i < keys.size(); i++) {
            RowRead each = read.get(i);
            String why = each.problem();
            FetchedRow row = FetchedRow.UNAVAILABLE;
            try {
                row = each.row() == null ? row : laidOut(wanted, each);
            } catch (FeastFormatException e) {
                unreadable(e.getMessage());
                why = e.getMessage();
            }
            problem = problem == null ? why : problem;
            rows.put(keys.get(i), row);
        }
        return new FetchedView(rows, problem);
    }

    private static FetchedRow laidOut(WantedView wanted, RowRead read) {
        boolean unavailable = read.problem() != null;
        if (!read.row().isWritten()) {
            return unavailable ? FetchedRow.UNAVAILABLE : FetchedRow.ABSENT;
        }
        return new FetchedRow(
                RowLayout.of(wanted.view(), wanted.layout(), read.row()),
                read.row().eventTimeMicros(),
                unavailable);
    }

    /// Closes its connection; what is on its way could not be had.
    @Override
    public void close() {
        connections.close();
        timer.shutdownNow();
    }
}
