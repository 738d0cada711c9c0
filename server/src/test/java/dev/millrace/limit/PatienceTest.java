// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PatienceTest {
    private static final long SECOND = 1_000_000_000L;

    private final Limits limits = Limits.DEFAULT
            .with(Limit.HEAD_TIMEOUT, 10_000)
            .with(Limit.BODY_TIMEOUT, 20_000)
            .with(Limit.IDLE_TIMEOUT, 0)
            .with(Limit.MIN_RATE, 1000);
    private final Patience patience = new Patience(limits);

    @Test
    void shouldEndWhenTheTimeIsOver() {
        assertThat(patience.isOver(Limit.HEAD_TIMEOUT, 1, 0, 5 * SECOND)).isFalse();
        assertThat(patience.isOver(Limit.HEAD_TIMEOUT, 1, 0, 15 * SECOND)).isFalse();
        assertThat(patience.isOver(Limit.HEAD_TIMEOUT, 1, 0, 15 * SECOND + 1)).isTrue();
    }

    @Test
    void shouldBeginAnewWhenSomethingElseIsWaitedFor() {
        patience.isOver(Limit.HEAD_TIMEOUT, 1, 0, 0);

        assertThat(patience.isOver(Limit.HEAD_TIMEOUT, 2, 0, 11 * SECOND)).isFalse();
        assertThat(patience.isOver(Limit.BODY_TIMEOUT, 2, 0, 22 * SECOND)).isFalse();
        assertThat(patience.isOver(null, 2, 0, 50 * SECOND)).isFalse();
        assertThat(patience.awaited()).isNull();
        assertThat(patience.isOver(Limit.BODY_TIMEOUT, 2, 0, 60 * SECOND)).isFalse();
        assertThat(patience.awaited()).isEqualTo(Limit.BODY_TIMEOUT);
        assertThat(patience.isOver(Limit.BODY_TIMEOUT, 2, 0, 81 * SECOND)).isTrue();
    }

    @Test
    void shouldNotEndWhenThereIsNoLimit() {
        patience.isOver(Limit.IDLE_TIMEOUT, 1, 0, 0);

        assertThat(patience.isOver(Limit.IDLE_TIMEOUT, 1, 0, 1_000_000 * SECOND))
                .isFalse();
    }

    @Test
    void shouldGiveNothingForAHeadThatTrickles() {
        patience.isOver(Limit.HEAD_TIMEOUT, 1, 0, 0);

        assertThat(patience.isOver(Limit.HEAD_TIMEOUT, 1, 100_000, 11 * SECOND)).isTrue();
    }

    /// For any way in which a body trickles in: no end before timeout + bytes/rate, and one after it.
    @Test
    void shouldGiveABodyASecondForEveryThousandBytes() {
        for (int seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Patience fresh = new Patience(limits);
            long now = random.nextLong(-SECOND, SECOND);
            long begin = now;
            long before = random.nextLong(100_000);
            long moved = before;
            assertThat(fresh.isOver(Limit.BODY_TIMEOUT, 1, moved, now)).isFalse();
            boolean over = false;
            while (!over) {
                now += random.nextLong(3 * SECOND);
                moved += random.nextLong(2500);
                over = fresh.isOver(Limit.BODY_TIMEOUT, 1, moved, now);
                assertThat(over)
                        .as("seed %d", seed)
                        .isEqualTo(now - begin > 20 * SECOND + (moved - before) * 1_000_000);
            }
        }
    }
}
