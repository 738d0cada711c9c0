// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class MemoryBudgetTest {
    private final MemoryBudget budget = MemoryBudget.of("the memory of tensors", 1000);

    @Test
    void shouldRefuseWithTheNumbersWhenMoreIsAskedForThanIsLeft() {
        budget.reserve(MemoryTag.RING, 300);
        budget.reserve(MemoryTag.CALL, 600);

        assertThatThrownBy(() -> budget.reserve(MemoryTag.CALL, 101))
                .isInstanceOf(MemoryExceededException.class)
                .hasMessage("101 bytes for call do not fit into the memory of tensors: 900 of 1000 bytes are used,"
                        + " 300 of them as long as the models are served");
        assertThat(budget.used()).isEqualTo(900);
        assertThat(budget.used(MemoryTag.CALL)).isEqualTo(600);
        assertThat(budget.left()).isEqualTo(100);
        budget.reserve(MemoryTag.CALL, 100);
        assertThat(budget.left()).isZero();
    }

    @Test
    void shouldTellWhatCanNeverFitFromWhatDoesNotFitNow() {
        budget.reserve(MemoryTag.RING, 300);
        budget.reserve(MemoryTag.CALL, 600);

        MemoryExceededException later =
                catchThrowableOfType(MemoryExceededException.class, () -> budget.reserve(MemoryTag.CALL, 700));
        MemoryExceededException never =
                catchThrowableOfType(MemoryExceededException.class, () -> budget.reserve(MemoryTag.CALL, 701));

        assertThat(later.isHopeless(0)).isFalse();
        assertThat(later.isHopeless(1)).isTrue();
        assertThat(never.isHopeless(0)).isTrue();
    }

    @Test
    void shouldBookInTheWholeWhatIsBookedInAPart() {
        MemoryBudget part = budget.part("the memory of one model", 400);

        part.reserve(MemoryTag.CALL, 400);
        assertThatThrownBy(() -> part.reserve(MemoryTag.CALL, 1)).hasMessageContaining("the memory of one model");
        budget.reserve(MemoryTag.CALL, 500);
        part.release(MemoryTag.CALL, 200);
        assertThat(budget.used()).isEqualTo(700);
        budget.reserve(MemoryTag.CALL, 200);
        assertThat(part.left()).isEqualTo(100);
        assertThatThrownBy(() -> part.reserve(MemoryTag.CALL, 150)).hasMessageContaining("the memory of tensors");
        assertThat(part.used()).isEqualTo(200);
    }

    @Test
    void shouldNotOverflowWhenTheLimitOrTheNeedIsTheLargest() {
        MemoryBudget unlimited = MemoryBudget.of("all", Long.MAX_VALUE);
        unlimited.reserve(MemoryTag.CALL, Long.MAX_VALUE - 1);
        assertThatThrownBy(() -> unlimited.reserve(MemoryTag.CALL, 2)).isInstanceOf(MemoryExceededException.class);
        assertThatThrownBy(() -> budget.reserve(MemoryTag.CALL, Long.MAX_VALUE))
                .isInstanceOf(MemoryExceededException.class);
        assertThat(budget.used()).isZero();
    }

    /// Tensors grow and are closed at random; the budget holds what they hold, and never more than its limit.
    @Test
    void shouldHoldWhatTheTensorsHold() {
        for (int seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            MemoryBudget limited = MemoryBudget.of("tensors", 1 << 20);
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                tensors.add(new Tensor(limited, MemoryTag.CALL, i % 3 == 0 ? DataType.BYTES : DataType.FP32));
            }
            for (int step = 0; step < 300; step++) {
                int index = random.nextInt(tensors.size());
                tensors.set(index, change(tensors.get(index), random));
                long held = tensors.stream().mapToLong(Tensor::heldBytes).sum();
                assertThat(limited.used()).as("seed %d, step %d", seed, step).isEqualTo(held);
                assertThat(limited.used(MemoryTag.CALL)).isEqualTo(held);
                assertThat(held).isLessThanOrEqualTo(limited.limit());
            }
            tensors.forEach(Tensor::close);
            assertThat(limited.used()).as("seed %d", seed).isZero();
        }
    }

    private static Tensor change(Tensor tensor, SplittableRandom random) {
        try {
            switch (random.nextInt(8)) {
                case 0 -> tensor.close();
                case 1 -> {
                    return tensor.moved();
                }
                case 2, 3 -> fill(tensor, random);
                default -> tensor.reshape(random.nextInt(1 << random.nextInt(18)));
            }
        } catch (MemoryExceededException e) {
            assertThat(e.bytes()).isPositive();
        }
        return tensor;
    }

    private static void fill(Tensor tensor, SplittableRandom random) {
        if (tensor.datatype() == DataType.BYTES && tensor.elementCount() > 0) {
            int index = random.nextInt((int) tensor.elementCount());
            tensor.setBytes(index, new byte[random.nextInt(1 << random.nextInt(18))]);
        }
    }

    @Test
    void shouldLeaveATensorAsItWasWhenItMayNotGrow() {
        try (Tensor tensor = new Tensor(budget, MemoryTag.CALL, DataType.FP32).reshape(2, 50)) {
            tensor.setFloat(99, 7);
            assertThatThrownBy(() -> tensor.reshape(2, 200)).isInstanceOf(MemoryExceededException.class);
            assertThat(tensor.shape()).containsExactly(2, 50);
            assertThat(tensor.getFloat(99)).isEqualTo(7);
        }
    }

    /// Threads book and release at the same time; a watcher never sees more than the limit.
    @Test
    void shouldNeverBeAboveTheLimitWhenManyBook() throws Exception {
        MemoryBudget whole = MemoryBudget.of("all", 1000);
        List<MemoryBudget> parts = List.of(whole.part("a", 700), whole.part("b", 700), whole);
        int threads = 3;
        CountDownLatch working = new CountDownLatch(threads);
        try (ExecutorService pool = Executors.newFixedThreadPool(threads + 1)) {
            List<Future<Long>> workers = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int seed = thread;
                workers.add(pool.submit(() -> {
                    try {
                        return bookAndRelease(parts.get(seed), new SplittableRandom(seed));
                    } finally {
                        working.countDown();
                    }
                }));
            }
            Callable<Long> watcher = () -> {
                long most = 0;
                while (working.getCount() > 0) {
                    most = Math.max(most, whole.used());
                }
                return most;
            };
            Future<Long> seen = pool.submit(watcher);
            assertThat(seen.get()).isLessThanOrEqualTo(1000);
            for (Future<Long> worker : workers) {
                assertThat(worker.get()).as("refused").isPositive();
            }
        }
        assertThat(whole.used()).isZero();
        for (MemoryTag tag : MemoryTag.values()) {
            assertThat(whole.used(tag)).isZero();
        }
        assertThat(parts).extracting(MemoryBudget::used).containsOnly(0L);
    }

    private static long bookAndRelease(MemoryBudget budget, SplittableRandom random) {
        long refused = 0;
        List<Integer> held = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            if (held.size() > 8 || (!held.isEmpty() && random.nextBoolean())) {
                budget.release(MemoryTag.CALL, held.removeLast());
                continue;
            }
            int bytes = 1 + random.nextInt(400);
            try {
                budget.reserve(MemoryTag.CALL, bytes);
                held.add(bytes);
            } catch (MemoryExceededException _) {
                refused++;
            }
        }
        held.forEach(bytes -> budget.release(MemoryTag.CALL, bytes));
        return refused;
    }
}
