// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LongQueueTest {
    @Test
    void shouldBehaveLikeTheQueueOfTheJdk() {
        long seed = 3;
        SplittableRandom random = new SplittableRandom(seed);
        LongQueue queue = new LongQueue();
        ArrayDeque<Long> model = new ArrayDeque<>();
        for (int i = 0; i < 200_000; i++) {
            // Grows in the first half, over several sizes of the ring, and shrinks in the second.
            if (model.isEmpty() || random.nextInt(100) < (i < 100_000 ? 55 : 45)) {
                queue.add(i);
                model.add((long) i);
            } else {
                assertThat(queue.peek()).as("seed %d, step %d", seed, i).isEqualTo(model.peek());
                assertThat(queue.poll()).as("seed %d, step %d", seed, i).isEqualTo(model.poll());
            }
            assertThat(queue.size()).isEqualTo(model.size());
            assertThat(queue.isEmpty()).isEqualTo(model.isEmpty());
        }
    }
}
