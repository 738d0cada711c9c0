// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ClientsTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int RATE = 10;
    private static final int BURST = 5;
    private static final int MAX = 100;

    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - SECOND);
    private final Clients clients = new Clients(
            Limits.DEFAULT
                    .with(Limit.CLIENT_LIMIT, RATE)
                    .with(Limit.CLIENT_BURST, BURST)
                    .with(Limit.MAX_CLIENTS, MAX),
            clock::get);

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void shouldCountTheRowsOfEachClient() {
        Client one = clients.named("one");
        assertThat(clients.take(one, 5)).isZero();
        assertThat(clients.take(one, 1)).isEqualTo(SECOND / RATE);
        assertThat(clients.untilRow(one)).isEqualTo(SECOND / RATE);
        assertThat(clients.take(clients.named("one"), 1))
                .as("as another loop sees it")
                .isPositive();
        assertThat(clients.take(clients.named("two"), 5)).isZero();
        assertThat(clients.size()).isEqualTo(2);

        clock.addAndGet(SECOND / RATE);
        assertThat(clients.take(one, 1)).isZero();
    }

    @Test
    void shouldTellClientsApartByWhatTheyCannotChoose() {
        clients.take(clients.at(address("10.0.0.1")), 5);
        clients.take(clients.at(address("2001:db8:1:2::1")), 5);

        assertThat(clients.take(clients.at(address("10.0.0.1")), 1)).isPositive();
        assertThat(clients.take(clients.at(address("10.0.0.2")), 1)).isZero();
        assertThat(clients.take(clients.at(address("2001:db8:1:2:3:4:5:6")), 1)).isPositive();
        assertThat(clients.take(clients.at(address("2001:db8:1:3::1")), 1)).isZero();
        assertThat(clients.take(clients.named("address 0a000001"), 1))
                .as("no name is an address")
                .isZero();
        String name = "x".repeat(20_000);
        clients.take(clients.named(name), 5);
        assertThat(clients.take(clients.named(name), 1)).isPositive();
        assertThat(clients.take(clients.named(name + "y"), 1)).isZero();
    }

    /// Made-up keys, a new one for each request: they get what as many clients as there are buckets may have, and one
    /// more, and nobody's bucket is forgotten before it is full.
    @Test
    void shouldBoundWhatMadeUpKeysGet() {
        Client honest = clients.named("honest");
        assertThat(clients.take(honest, 5)).isZero();
        SplittableRandom random = new SplittableRandom(1);
        long rows = 0;
        long honestRows = 5;
        int rounds = 100_000;
        long step = 20 * SECOND / rounds;
        for (int i = 0; i < rounds; i++) {
            clock.addAndGet(step);
            rows += clients.take(clients.named(Long.toString(random.nextLong())), 5) == 0 ? 5 : 0;
            honestRows += clients.take(i % 2 == 0 ? honest : clients.named("honest"), 1) == 0 ? 1 : 0;
            assertThat(clients.size()).isLessThanOrEqualTo(MAX);
        }
        double seconds = rounds * (step / 1e9);
        assertThat((double) rows).isLessThanOrEqualTo((MAX + 1) * (BURST + RATE * seconds));
        assertThat((double) honestRows)
                .as("no fresh start for whoever goes on asking")
                .isBetween(RATE * seconds * 0.9, BURST + RATE * seconds);
    }

    @Test
    void shouldShareOneBucketWhenThereAreTooManyClients() {
        for (int i = 0; i < MAX; i++) {
            assertThat(clients.take(clients.named("early " + i), 1)).isZero();
        }
        Client late = clients.named("late");
        assertThat(clients.take(late, 3)).isZero();
        assertThat(clients.take(clients.named("later"), 3)).isPositive();
        assertThat(clients.take(clients.named("early 7"), 4)).isZero();

        // The early ones are full again and make room, but for the one that is not.
        clock.addAndGet(SECOND / 4);
        assertThat(clients.take(late, 5)).as("a bucket of its own").isZero();
        assertThat(clients.take(late, 1)).isPositive();
        assertThat(clients.size()).isEqualTo(2);
        assertThat(clients.take(clients.named("early 7"), 3)).isPositive();
    }

    @Test
    void shouldFindItsWayWhenItsBucketIsGone() {
        Client idle = clients.named("idle");
        assertThat(clients.take(idle, 5)).isZero();
        clock.addAndGet(SECOND);
        for (int i = 0; i < MAX; i++) {
            clients.take(clients.named("other " + i), 1);
        }
        assertThat(clients.untilRow(idle)).isZero();
        assertThat(clients.take(idle, 5)).isZero();
        assertThat(clients.take(clients.named("idle"), 1)).as("the same bucket").isPositive();
    }
}
