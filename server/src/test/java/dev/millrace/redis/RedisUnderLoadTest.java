// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.server.Bodies;
import dev.millrace.server.RawClient;
import dev.millrace.server.TestServer;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Redis is slow, stuck, cut off, killed and started again while models of every policy, and stored features by
/// themselves, are asked for all the time. Every answer is looked at: it has what is stored, or what its policy says of
/// a store that cannot be asked, and says which.
@Tag("slow")
@Timeout(300)
class RedisUnderLoadTest {
    private static final int ROUNDS = 3;
    private static final int DRIVERS = 200;
    private static final int MORE = 200;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long FLAT_BYTES = 8L << 20;
    private static final List<String> POLICIES = List.of("reject", "stale", "default", "null");
    private static final String FEAST = "/get-online-features";

    private static final Pattern SCORE = Pattern.compile("\\[(-?[0-9.]+),-?[0-9.]+]");
    private static final Pattern STATUS = Pattern.compile("\"trips\":\"(\\w+)\"");
    private static final float DEFAULTS = 194.5f;
    private static final float NULLS = 2.5f;

    private TestRedis redis;
    private FaultyProxy proxy;
    private RedisStore store;
    private TestServer server;
    private final List<Thread> clients = new ArrayList<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Map<String, AtomicInteger> outcomes = new ConcurrentHashMap<>();
    private volatile boolean stopped;

    @BeforeEach
    void start(@TempDir Path temp) throws IOException {
        redis = TestRedis.start(Files.createDirectory(temp.resolve("redis")));
        fill();
        Path repository = temp.resolve("models");
        for (String policy : POLICIES) {
            RedisServingTest.writeModel(repository, policy, policy);
        }
        proxy = new FaultyProxy(redis.port());
        store = RedisStore.open(RedisOptions.of("127.0.0.1:" + proxy.port(), "feature_repo")
                .withTimeout(Duration.ofMillis(50))
                .withCache(Duration.ZERO, 1 << 20));
        server = TestServer.start(
                repository, config -> config.withRuntime(config.runtime().withRemoteStore(store)));
    }

    /// Driver i has i/8, i/4 and i.
    private void fill() {
        Map<String, Map<String, String>> hashes = new HashMap<>();
        HexFormat hex = HexFormat.of();
        for (int i = 1; i <= DRIVERS; i++) {
            ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            String key = hex.formatHex(bytes.putShort(0, (short) i).array(), 0, 2);
            String rate = "29" + hex.formatHex(bytes.putDouble(0, i / 8.0).array());
            String accepted = "35" + hex.formatHex(bytes.putFloat(0, i / 4.0f).array(), 0, 4);
            String trips = i < 128 ? "20%02x".formatted(i) : "20%02x01".formatted(i);
            hashes.put(
                    RedisServingTest.DRIVER.formatted(key),
                    Map.of("6160e3da", rate, "fa5e58ad", accepted, "18a5e5a3", trips, RedisServingTest.TIME, "08e807"));
        }
        redis.write(hashes);
        redis.save();
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        stopped = true;
        proxy.stall(false);
        for (Thread client : clients) {
            client.join();
        }
        server.close();
        store.close();
        proxy.close();
        redis.close();
    }

    @Test
    void shouldAnswerAsDeclared() {
        POLICIES.forEach(this::askAll);
        POLICIES.forEach(policy -> clients.add(Thread.ofPlatform().start(() -> ask(policy))));
        clients.add(Thread.ofPlatform().start(this::askForFeatures));
        long used = 0;
        for (int round = 0; round < ROUNDS; round++) {
            fault(() -> proxy.delay(100), () -> proxy.delay(0));
            fault(() -> proxy.stall(true), () -> proxy.stall(false));
            fault(() -> proxy.cut(true), () -> proxy.cut(false));
            fault(redis::stop, redis::begin);
            proxy.delay(1);
            await("PRESENT", MORE);
            proxy.delay(0);
            used = round == 0 ? used() : used;
        }
        assertThat(used() - used).as("bytes more than after the first round").isLessThan(FLAT_BYTES);
        stopped = true;
        assertThat(wrong).isEmpty();
        requireNothingLeft();
    }

    private void fault(Runnable begin, Runnable end) {
        begin.run();
        await("UNAVAILABLE", MORE);
        end.run();
        await("PRESENT", MORE);
    }

    /// Waits until everybody has had so many more answers of a kind.
    private void await(String outcome, int more) {
        List<String> everybody = new ArrayList<>(POLICIES);
        everybody.add(FEAST);
        long patience = System.nanoTime() + PATIENCE.toNanos();
        for (String who : everybody) {
            AtomicInteger count = count(who, outcome);
            for (int end = count.get() + more; count.get() < end && wrong.isEmpty(); ) {
                LockSupport.parkNanos(1_000_000);
                assertThat(System.nanoTime()).as(who + " is never " + outcome).isLessThan(patience);
            }
        }
        assertThat(wrong).isEmpty();
    }

    private AtomicInteger count(String who, String outcome) {
        return outcomes.computeIfAbsent(who + " " + outcome, _ -> new AtomicInteger());
    }

    /// What the process keeps: on its heap, in Netty's buffers, and in our own memory.
    private static long used() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
                + PlatformDependent.usedDirectMemory()
                + NativeMemory.used();
    }

    private void requireNothingLeft() {
        clients.forEach(RedisUnderLoadTest::join);
        while (store.counts().pending() > 0) {
            Thread.onSpinWait();
        }
        assertThat(store.counts().isOpen()).isFalse();
        for (LaneStatistics lane : server.server().runtime().statistics()) {
            assertThat(lane.inFlight()).isZero();
            assertThat(lane.ended().values().stream().mapToLong(Long::longValue).sum())
                    .isEqualTo(lane.accepted());
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// So that older values of all are at hand.
    private void askAll(String policy) {
        try (RawClient client = server.connect()) {
            for (int i = 1; i <= DRIVERS; i++) {
                while (!ask(client, policy, i).equals("PRESENT")) {
                    Thread.onSpinWait();
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    private void ask(String policy) {
        try (RawClient client = server.connect()) {
            while (!stopped && wrong.isEmpty()) {
                int driver = ThreadLocalRandom.current().nextInt(1, DRIVERS + 1);
                count(policy, ask(client, policy, driver)).incrementAndGet();
                LockSupport.parkNanos(200_000);
            }
        } catch (RuntimeException e) {
            wrong.add(policy + ": " + e);
        }
    }

    /// Asks for a driver and for one that nobody knows; what became of the first.
    private String ask(RawClient client, String policy, int driver) {
        String body = Bodies.json(
                "{'instances':[{'driver_id':" + driver + ",'amount':2},{'driver_id':9999,'amount':2}],'reports':true}");
        RawClient.Answer answer = client.send(RawClient.post("/v1/models/" + policy + ":predict", body))
                .read();
        if (answer.status() == 503 && policy.equals("reject") && answer.body().contains("could not be had")) {
            return "UNAVAILABLE";
        }
        Matcher scores = SCORE.matcher(answer.body());
        Matcher statuses = STATUS.matcher(answer.body());
        if (answer.status() != 200 || !scores.find() || !statuses.find()) {
            wrong.add(policy + " of " + driver + ": " + answer);
            return "";
        }
        String status = statuses.group(1);
        float score = Float.parseFloat(scores.group(1));
        boolean other = scores.find()
                && statuses.find()
                && isRightOfNobody(policy, statuses.group(1), Float.parseFloat(scores.group(1)));
        if (!isRight(policy, status, score, driver) || !other) {
            wrong.add(policy + " of " + driver + ": " + answer);
        }
        return status;
    }

    private static boolean isRight(String policy, String status, float score, int driver) {
        float stored = NULLS + 5 * driver;
        return switch (status) {
            case "PRESENT" -> score == stored;
            case "UNAVAILABLE" -> score == unavailable(policy, stored);
            default -> false;
        };
    }

    private static float unavailable(String policy, float stored) {
        return switch (policy) {
            case "stale" -> stored;
            case "default" -> DEFAULTS;
            case "null" -> NULLS;
            default -> Float.NaN;
        };
    }

    private static boolean isRightOfNobody(String policy, String status, float score) {
        return switch (status) {
            case "NOT_FOUND" -> score == DEFAULTS;
            case "UNAVAILABLE" -> !policy.equals("reject") && score == unavailable(policy, DEFAULTS);
            default -> false;
        };
    }

    private void askForFeatures() {
        try (RawClient client = server.connect()) {
            while (!stopped && wrong.isEmpty()) {
                int driver = ThreadLocalRandom.current().nextInt(1, DRIVERS + 1);
                String body =
                        Bodies.json("{'features':['driver_hourly_stats:avg_daily_trips'],'entities':{'driver_id':["
                                + driver + ",9999]}}");
                RawClient.Answer answer =
                        client.send(RawClient.post(FEAST, body)).read();
                String expected = Bodies.json("{'values':[" + driver + ",null],'statuses':['PRESENT','NOT_FOUND'],");
                boolean away = answer.status() == 503 && answer.body().contains("could not be had");
                if (!away && (answer.status() != 200 || !answer.body().contains(expected))) {
                    wrong.add(answer.toString());
                }
                count(FEAST, away ? "UNAVAILABLE" : "PRESENT").incrementAndGet();
                LockSupport.parkNanos(200_000);
            }
        } catch (RuntimeException e) {
            wrong.add(FEAST + ": " + e);
        }
    }
}
