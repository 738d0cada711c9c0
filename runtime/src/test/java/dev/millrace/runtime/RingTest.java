// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RingTest {
    @Test
    void shouldClaimUpToTheCapacityWhenNothingIsTaken() {
        Ring ring = new Ring(4, 3);
        assertThat(ring.claim(5)).isEqualTo(-1);
        assertThat(ring.claim(3)).isZero();
        assertThat(ring.claim(2)).isEqualTo(-1);
        assertThat(ring.claim(1)).isEqualTo(3);
        assertThat(ring.claim(1)).isEqualTo(-1);
        assertThat(ring.queued()).isEqualTo(4);
    }

    @Test
    void shouldOfferOnlyWhatIsPublishedWithoutAGap() {
        Ring ring = new Ring(8, 1);
        long first = ring.claim(2);
        long second = ring.claim(3);
        ring.publish(second, 3);
        assertThat(ring.hasPublished()).isFalse();
        assertThat(ring.isAllPublished()).isFalse();
        assertThat(ring.available(0, 8)).isEqualTo(-1);

        ring.publish(first, 2);

        assertThat(ring.hasPublished()).isTrue();
        assertThat(ring.isAllPublished()).isTrue();
        assertThat(ring.available(0, 8)).isEqualTo(4);
        assertThat(ring.available(0, 3)).isEqualTo(2);
        assertThat(ring.available(5, 3)).isEqualTo(4);
    }

    @Test
    void shouldKeepSlotsOfARunningSliceWhenLaterSlicesHaveEnded() {
        Ring ring = new Ring(4, 2);
        publish(ring, 4);
        ring.take(0, 1);
        ring.take(1, 3);
        ring.release(1);
        assertThat(ring.claim(1)).isEqualTo(-1);

        ring.release(0);

        assertThat(ring.claim(4)).isEqualTo(4);
    }

    @Test
    void shouldFreeASkippedSlotAtOnceWhenNoEarlierSliceRuns() {
        Ring ring = new Ring(4, 2);
        publish(ring, 4);
        ring.skip(0);
        assertThat(ring.claim(1)).isEqualTo(4);
        ring.take(1, 1);
        ring.skip(2);
        assertThat(ring.claim(1)).as("slot 1 is run").isEqualTo(-1);
        ring.release(1);
        assertThat(ring.claim(2)).isEqualTo(5);
    }

    /// Against a model of plain sets: a claim succeeds exactly when all its slots are free.
    @Test
    void shouldNeverFreeARunningSlotWhenSlicesComeAndGoAtRandom() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int capacity = 1 << random.nextInt(1, 5);
            int instances = random.nextInt(1, 6);
            Ring ring = new Ring(capacity, instances);
            List<long[]> running = new ArrayList<>();
            for (int i = 0; i < instances; i++) {
                running.add(null);
            }
            long claimed = -1;
            long taken = -1;
            for (int step = 0; step < 400; step++) {
                int instance = random.nextInt(instances);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        int count = random.nextInt(1, capacity + 1);
                        long free = oldest(running, taken) + capacity;
                        long got = ring.claim(count);
                        assertThat(got)
                                .as("seed %d step %d", seed, step)
                                .isEqualTo(claimed + count <= free ? claimed + 1 : -1);
                        if (got >= 0) {
                            claimed += count;
                            ring.publish(got, count);
                        }
                    }
                    case 1 -> {
                        if (running.get(instance) == null && taken < claimed) {
                            long last = random.nextLong(taken + 1, claimed + 1);
                            ring.take(instance, last);
                            running.set(instance, new long[] {taken + 1, last});
                            taken = last;
                        }
                    }
                    case 2 -> {
                        if (running.get(instance) != null) {
                            ring.release(instance);
                            running.set(instance, null);
                        }
                    }
                    default -> {
                        if (taken < claimed) {
                            ring.skip(++taken);
                        }
                    }
                }
            }
        }
    }

    /// The last sequence before every slice that still runs.
    private static long oldest(List<long[]> running, long taken) {
        return running.stream()
                .filter(java.util.Objects::nonNull)
                .mapToLong(slice -> slice[0] - 1)
                .reduce(taken, Math::min);
    }

    private static void publish(Ring ring, int count) {
        ring.publish(ring.claim(count), count);
    }
}
