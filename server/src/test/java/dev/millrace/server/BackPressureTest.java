// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Clients that send and do not read, or leave: what they hold is bounded, and comes back. Over real sockets, by a
/// clock that only goes when a test says so.
class BackPressureTest {
    /// An answer of about 200 KB for a body of about 100 KB.
    private static final String LARGE = RawClient.post(
            "/v2/models/nobatch/infer", Bodies.request(Bodies.input("x", "[1,1,25000]", "FP32", numbers(25_000))));

    /// More rounds of work than any test waits for.
    private static final long FOREVER = 10_000_000_000L;

    private static final long QUEUED = 100;
    /// Milliseconds without a byte moved after which none will.
    private static final int STILL = 200;

    private final FakeClock clock = new FakeClock();
    private TestServer server;

    private static String numbers(int count) {
        return "[0.3333333" + ",3e5".repeat(count - 1) + "]";
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private LaneStatistics lane(String model) {
        return server.server().runtime().statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private Connection connection() {
        return server.server().connections().getFirst();
    }

    /// Whether nothing moves any more: its last request may have come in part.
    private boolean isStuck() {
        server.server().lookAtConnections();
        return connection().watch().awaited() == Limit.WRITE_TIMEOUT
                && !connection().isReading()
                && lane("nobatch").inFlight() == 0
                && connection().waiting() <= 1;
    }

    @Test
    void shouldHoldLittleForAClientThatNeverReadsAndNothingInTheEnd() throws Exception {
        server = TestServer.start(config -> config.withEventLoops(1).withLimit(Limit.WRITE_TIMEOUT, 60_000), clock);
        try (RawClient client = RawClient.connect(server.port(), 4096)) {
            Thread sender = Thread.ofPlatform().start(() -> sendUntilClosed(client));
            awaitStandstill();

            long accepted = lane("nobatch").accepted();
            assertThat(accepted).as("of 100,000 that it sends").isLessThan(1000);
            // 64 KiB, or one answer, and those to what was taken in before: 1 MiB of bodies and one read.
            assertThat(connection().pendingBytes()).isLessThan(4 << 20);
            assertThat(NativeMemory.used(MemoryTag.CALL)).isLessThan(32 << 20);
            // Others are served, and nothing more is taken from this one.
            assertThat(server.infer("linear", Bodies.LINEAR).status()).isEqualTo(200);
            assertThat(lane("nobatch").accepted()).isEqualTo(accepted);

            pass(60);
            assertThat(server.server().counters().limitedBy(Limit.WRITE_TIMEOUT))
                    .isZero();
            // As long as what the kernel has taken since it was looked at first is worth.
            await(() -> {
                pass(1);
                return server.server().counters().limitedBy(Limit.WRITE_TIMEOUT) == 1;
            });
            sender.join();
        }
        await(() -> server.server().counters().connections() <= 1);
        assertThat(lane("nobatch").inFlight()).isZero();
        // Of the calls that it had, only those are kept that may be used again.
        assertThat(NativeMemory.used(MemoryTag.CALL)).isLessThan(32 << 20);
    }

    /// Waits until the kernel has all that it takes.
    private void awaitStandstill() throws InterruptedException {
        long before = -1;
        for (int still = 0; still < STILL; still++) {
            await(this::isStuck);
            long pending = connection().pendingBytes();
            still = pending == before ? still : 0;
            before = pending;
            Thread.sleep(1);
        }
    }

    private void pass(int seconds) {
        clock.advance(Duration.ofSeconds(seconds));
        server.server().lookAtConnections();
    }

    private static void sendUntilClosed(RawClient client) {
        try {
            for (int i = 0; i < 100_000; i++) {
                client.send(LARGE);
            }
            throw new AssertionError("all was taken");
        } catch (UncheckedIOException _) {
            // The server has closed the connection.
        }
    }

    @Test
    void shouldWaitForAClientThatReadsSlowlyButReads() throws Exception {
        server = TestServer.start(config -> config.withEventLoops(1).withLimit(Limit.WRITE_TIMEOUT, 60_000), clock);
        int count = 100;
        try (RawClient client = RawClient.connect(server.port(), 4096)) {
            Thread sender = Thread.ofPlatform().start(() -> client.send(LARGE.repeat(count)));
            await(this::isStuck);
            int read = 0;
            while (read < count) {
                // The kernel takes answers in large steps; each step is one answer at least, and that is worth 48
                // seconds.
                pass(40);
                long before = connection().pendingBytes();
                do {
                    assertThat(client.read().status()).isEqualTo(200);
                    read++;
                } while (read < count && connection().pendingBytes() >= before);
            }
            sender.join();
        }
        assertThat(server.server().counters().limitedBy(Limit.WRITE_TIMEOUT)).isZero();
    }

    @Test
    void shouldFreeWhatDisconnectedClientsHadQueued() throws Exception {
        RuntimeConfig oneAgent = RuntimeConfig.DEFAULT.withAgents(1);
        server = TestServer.start(config -> config.withEventLoops(1).withRuntime(oneAgent), clock);
        for (int round = 1; round <= 3; round++) {
            // Calls are used again: 16 bytes for each of one round, and what the lane keeps for them.
            assertThat(queueAndLeave(round))
                    .as("native memory in round %d", round)
                    .isLessThan(2 * 16 * (QUEUED + 1));
        }
        assertThat(server.infer("slow", Bodies.slow(1)).status()).isEqualTo(200);
    }

    /// Has clients queue requests behind one that runs, and leave; returns the native memory of calls after it.
    private long queueAndLeave(int round) throws InterruptedException {
        try (RawClient other = server.connect()) {
            // The only agent is at work, so that what others want has to wait.
            other.send(RawClient.post("/v2/models/slow/infer", Bodies.slow(FOREVER)));
            await(() -> lane("slow").inFlight() == 1 && lane("slow").queued() == 0);
            try (RawClient client = server.connect()) {
                client.send(
                        RawClient.post("/v2/models/slow/infer", Bodies.slow(1)).repeat((int) QUEUED));
                await(() -> lane("slow").inFlight() == QUEUED + 1);
            }
            await(() -> lane("slow").inFlight() == 1);
        }
        // Nobody waits for the run any more, so it is cut off, and the agent passes over the rest.
        await(() -> lane("slow").inFlight() == 0 && lane("slow").skippedRows() == round * QUEUED);
        await(() -> server.server().connections().isEmpty());
        await(() -> lane("slow").ended().get(Outcome.CANCELLED) == round * (QUEUED + 1));
        assertThat(server.server().counters().answered(499)).isEqualTo(round * (QUEUED + 1));
        // The last of them is given back behind what the loop had to do until now.
        server.server().lookAtConnections();
        server.server().lookAtConnections();
        return NativeMemory.used(MemoryTag.CALL);
    }
}
