// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.feast.FeastRow;
import dev.millrace.feast.FeastView;
import dev.millrace.feast.JoinKey;
import dev.millrace.feast.KeyVersion;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/// Against a real Redis that has Feast's bytes.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class RedisStoreTest {
    private static final String DRIVER_1001 =
            "0100000002000000090000006472697665725f69640400000008000000" + "e903000000000000666561747572655f7265706f";
    private static final String OLD_1001 =
            "020000006472697665725f69640400000008000000e903000000000000666561747572655f7265706f";
    private static final String CONV_RATE = "6160e3da";
    private static final String ACC_RATE = "fa5e58ad";
    private static final String TIME = "5f74733a6472697665725f686f75726c795f7374617473";
    private static final long LONG = TimeUnit.SECONDS.toNanos(100);
    private static final Duration PATIENT = Duration.ofSeconds(60);

    private static final JoinKey DRIVER = new JoinKey("driver_id", JoinKey.Type.INT64);
    private static final FeastView STATS =
            new FeastView("driver_hourly_stats", List.of(DRIVER), List.of("conv_rate", "acc_rate", "avg_daily_trips"));
    private static final FeastView OTHER = new FeastView("other", List.of(DRIVER), List.of("x"));

    private TestRedis redis;

    @BeforeAll
    void fill() {
        redis = TestRedis.start();
        fill(redis);
    }

    private static void fill(TestRedis redis) {
        redis.write(DRIVER_1001, Map.of(CONV_RATE, "350000003f", ACC_RATE, "", TIME, "08e807"));
        redis.write(OLD_1001, Map.of(CONV_RATE, "350000803f", TIME, "08e807"));
    }

    @AfterAll
    void stop() {
        if (redis != null) {
            redis.close();
        }
    }

    private static RedisOptions options(int port) {
        return RedisOptions.of("127.0.0.1:" + port, "feature_repo").withTimeout(PATIENT);
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    private static RedisStore open(RedisOptions options) {
        RedisStore store = RedisStore.open(options);
        await(store::isConnected);
        return store;
    }

    private static RowsWanted wanted(FeastView view, boolean stale, Object... keys) {
        return new RowsWanted(view, Arrays.stream(keys).map(List::of).toList(), stale);
    }

    private static RowRead one(RedisStore store, boolean stale, long key) {
        return store.read(List.of(wanted(STATS, stale, key)), LONG, ReadBy.CALLER)
                .join()
                .getFirst()
                .getFirst();
    }

    @Test
    void shouldReadWhatFeastWrites() {
        try (RedisStore store = open(options(redis.port()))) {
            List<List<RowRead>> rows = store.read(
                            List.of(wanted(STATS, false, 1001L, 1002L, 1001L), wanted(OTHER, false, 1001L)),
                            LONG,
                            ReadBy.CALLER)
                    .join();
            FeastRow row = rows.getFirst().getFirst().row();
            assertThat(row.isWritten()).isTrue();
            assertThat(row.eventTimeMicros()).isEqualTo(1_000_000_000L);
            assertThat(row.value(0)).isEqualTo(0.5f);
            assertThat(row.isWritten(1)).as("written as null").isTrue();
            assertThat(row.value(1)).isNull();
            assertThat(row.isWritten(2)).as("never written").isFalse();
            assertThat(rows.getFirst().get(1).row().isWritten())
                    .as("no such entity")
                    .isFalse();
            assertThat(rows.getFirst().get(2).row().value(0)).isEqualTo(0.5f);
            assertThat(rows.get(1).getFirst().row().isWritten())
                    .as("another view")
                    .isFalse();
            assertThat(store.counts().read()).isEqualTo(3);
            assertThat(store.counts().pending()).isZero();
        }
    }

    @Test
    void shouldReadKeysOfOldStores() {
        try (RedisStore store = open(options(redis.port()).withKeys(KeyVersion.V2))) {
            assertThat(one(store, false, 1001).row().value(0)).isEqualTo(1f);
        }
    }

    @Test
    void shouldAskOnceForAnEntityOfSeveralViews() {
        try (RedisStore store = open(options(redis.port()))) {
            long before = redis.reads();
            var _ = store.read(List.of(wanted(STATS, false, 1001L), wanted(OTHER, false, 1001L)), LONG, ReadBy.CALLER)
                    .join();
            assertThat(redis.reads() - before).isEqualTo(1);
        }
    }

    @Test
    void shouldKeepRowsForAWhile() {
        try (RedisStore store = open(options(redis.port()).withCache(Duration.ofHours(1), 1 << 20))) {
            one(store, false, 1001);
            one(store, false, 1001);
            one(store, false, 77);
            one(store, false, 77);
            assertThat(store.counts().cached()).isEqualTo(2);
            assertThat(store.counts().read()).isEqualTo(2);
            assertThat(store.counts().keptBytes()).isPositive();
        }
    }

    @Test
    void shouldKeepNoMoreThanItMay() {
        try (RedisStore store = open(options(redis.port()).withCache(Duration.ofHours(1), 20_000))) {
            Object[] keys = LongStream.range(0, 2_000).boxed().toArray();
            var _ = store.read(List.of(wanted(STATS, false, keys)), LONG, ReadBy.CALLER)
                    .join();
            assertThat(store.counts().keptBytes()).isBetween(1L, 20_000L);
        }
    }

    @Test
    void shouldAskOnceHoweverManyWait() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port()))) {
            long before = redis.reads();
            proxy.stall(true);
            CompletableFuture<List<List<RowRead>>> first =
                    store.read(List.of(wanted(STATS, false, 1001L)), LONG, ReadBy.CALLER);
            CompletableFuture<List<List<RowRead>>> second =
                    store.read(List.of(wanted(STATS, false, 1002L, 1001L)), LONG, ReadBy.CALLER);
            assertThat(store.counts().joined()).isEqualTo(1);
            proxy.stall(false);
            assertThat(first.join().getFirst().getFirst().row().value(0)).isEqualTo(0.5f);
            assertThat(second.join().getFirst().get(1).row().value(0)).isEqualTo(0.5f);
            assertThat(redis.reads() - before).isEqualTo(2);
        }
    }

    @Test
    void shouldEndInTimeWhenRedisDoesNotAnswer() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port())
                        .withTimeout(Duration.ofMillis(200))
                        .withBounds(100, 3)
                        .withCache(Duration.ZERO, 1 << 20))) {
            await(() -> one(store, true, 1001).problem() == null);
            proxy.stall(true);
            RowRead late = one(store, false, 1001);
            assertThat(late.row()).isNull();
            assertThat(late.problem()).startsWith("Redis did not answer in 200.0 ms");
            RowRead stale = one(store, true, 1001);
            assertThat(stale.problem()).isNotNull();
            assertThat(stale.row().value(0)).isEqualTo(0.5f);
            assertThat(one(store, true, 5).row()).as("never read before").isNull();
            assertThat(store.counts().isOpen()).as("three have failed").isTrue();
            assertThat(one(store, false, 1001).row()).isNull();
            await(() -> store.counts().pending() == 0);
            proxy.stall(false);
            await(() -> one(store, false, 1001).problem() == null);
            assertThat(store.counts().isOpen()).isFalse();
            assertThat(store.counts().late()).isPositive();
            assertThat(store.counts().stale()).isEqualTo(1);
        }
    }

    @Test
    void shouldEndWhenARequestsTimeIsOver() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port()))) {
            proxy.stall(true);
            CompletableFuture<List<List<RowRead>>> hurried =
                    store.read(List.of(wanted(STATS, false, 1001L)), TimeUnit.MILLISECONDS.toNanos(5), ReadBy.CALLER);
            CompletableFuture<List<List<RowRead>>> patient =
                    store.read(List.of(wanted(STATS, false, 1001L)), LONG, ReadBy.CALLER);
            assertThat(hurried.join().getFirst().getFirst().problem())
                    .isEqualTo("the request's time was over before Redis answered");
            assertThat(store.counts().isOpen()).isFalse();
            proxy.stall(false);
            assertThat(patient.join().getFirst().getFirst().row().value(0)).isEqualTo(0.5f);
        }
    }

    @Test
    void shouldConnectAgainWhenItIsCut() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port()).withBounds(100, 0))) {
            proxy.stall(true);
            CompletableFuture<List<List<RowRead>>> lost =
                    store.read(List.of(wanted(STATS, false, 1001L)), LONG, ReadBy.CALLER);
            proxy.cut(true);
            assertThat(lost.join().getFirst().getFirst().problem()).isNotNull();
            await(() -> !store.isConnected());
            assertThat(one(store, false, 1001).problem()).isNotNull();
            assertThat(store.counts().pending()).isZero();
            proxy.stall(false);
            proxy.cut(false);
            await(store::isConnected);
            assertThat(one(store, false, 1001).row().value(0)).isEqualTo(0.5f);
        }
    }

    /// Reads that fail together count once: the breaker's first pause is its shortest.
    @Test
    void shouldTryAgainSoonHoweverManyFailTogether() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port())
                        .withTimeout(Duration.ofMillis(100))
                        .withBounds(1_000, 3))) {
            proxy.stall(true);
            List<CompletableFuture<List<List<RowRead>>>> all = new ArrayList<>();
            for (long i = 0; i < 50; i++) {
                all.add(store.read(List.of(wanted(STATS, false, 2 * i, 2 * i + 1)), LONG, ReadBy.CALLER));
            }
            all.forEach(each -> assertThat(each.join().getFirst()).allMatch(read -> read.problem() != null));
            await(() -> store.counts().pending() == 0);
            proxy.stall(false);
            // Connected again, reads are tried at once.
            await(store::isConnected);
            assertThat(store.counts().isOpen()).isFalse();
            await(() -> one(store, false, 1001).problem() == null);
        }
    }

    @Test
    void shouldReadWholeHashesOfManyFields() {
        List<String> names = new ArrayList<>(List.of("acc_rate"));
        for (int i = 0; i < 60; i++) {
            names.add("no_such_" + i);
        }
        names.add("conv_rate");
        try (RedisStore store = open(options(redis.port()))) {
            long before = redis.reads();
            FeastView many = new FeastView("driver_hourly_stats", List.of(DRIVER), names);
            List<RowRead> rows = store.read(List.of(wanted(many, false, 1001L, 4L)), LONG, ReadBy.CALLER)
                    .join()
                    .getFirst();
            FeastRow row = rows.getFirst().row();
            assertThat(row.eventTimeMicros()).isEqualTo(1_000_000_000L);
            assertThat(row.value(61)).isEqualTo(0.5f);
            assertThat(row.isWritten(0)).isTrue();
            assertThat(row.value(0)).isNull();
            assertThat(row.isWritten(7)).isFalse();
            assertThat(rows.get(1).row().isWritten()).isFalse();
            assertThat(redis.reads()).as("HMGET").isEqualTo(before);
        }
    }

    @Test
    void shouldHaveNoMoreRowsOnTheirWayThanItMay() throws IOException {
        try (FaultyProxy proxy = new FaultyProxy(redis.port());
                RedisStore store = open(options(proxy.port()).withBounds(3, 5))) {
            proxy.stall(true);
            CompletableFuture<List<List<RowRead>>> three =
                    store.read(List.of(wanted(STATS, false, 1L, 2L, 3L)), LONG, ReadBy.CALLER);
            assertThat(one(store, false, 4).problem()).isEqualTo("3 rows are on their way already, at most 3 may be");
            assertThat(store.counts().pending()).isEqualTo(3);
            proxy.stall(false);
            assertThat(three.join().getFirst()).allMatch(read -> read.problem() == null);
            assertThat(one(store, false, 4).problem()).isNull();
        }
    }

    @Test
    void shouldWaitForARedisThatComesLater() {
        try (TestRedis late = TestRedis.start()) {
            late.stop();
            try (RedisStore store = RedisStore.open(options(late.port()).withBounds(100, 0))) {
                assertThat(one(store, false, 1001).problem()).isNotNull();
                late.begin();
                fill(late);
                await(store::isConnected);
                assertThat(one(store, false, 1001).row().value(0)).isEqualTo(0.5f);
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNoConnection() {
        assertThatThrownBy(() -> RedisStore.open(RedisOptions.of("localhost:6379,localhost:6380", "p")))
                .hasMessage("connection_string has 'localhost:6380', expected one server: a cluster is not read");
        assertThatThrownBy(() -> RedisStore.open(RedisOptions.of("localhost:6379,db=x", "p")))
                .hasMessage("connection_string has 'db=x', expected a number from 0 to 2147483647");
        assertThatThrownBy(() -> RedisStore.open(RedisOptions.of("password=secret", "p")))
                .hasMessage("connection_string has 'password=...', expected host:port");
    }
}
