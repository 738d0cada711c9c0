// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/// The cache by itself: what is found is what was kept, it stays within its bytes, and those asked for last stay.
class ResponseCacheTest {
    private static final Signature SIGNATURE = new Signature(
            List.of(spec("numbers", DataType.FP32), spec("texts", DataType.BYTES), spec("flags", DataType.BOOL)),
            List.of(spec("answer", DataType.INT64), spec("words", DataType.BYTES)));
    private static final Signature NUMBERS =
            new Signature(List.of(spec("x", DataType.INT64)), List.of(spec("y", DataType.INT64)));

    private final MemoryBudget budget = MemoryBudget.of("all", 64 << 20);

    private static TensorSpec spec(String name, DataType type) {
        return new TensorSpec(name, type, List.of(-1L, -1L));
    }

    /// Inputs and an answer of random shapes and values, made from a seed: the same seed, the same request.
    private static TensorSet request(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        TensorSet set = new TensorSet(SIGNATURE);
        for (Tensor tensor : set.inputs()) {
            fill(tensor, random);
        }
        for (Tensor tensor : set.outputs()) {
            fill(tensor, random);
        }
        if (random.nextInt(3) == 0) {
            set.outputs()[0].keys(random.nextBoolean() ? List.of("one", "zwei", "três") : List.of(1L, -5L));
        }
        return set;
    }

    private static void fill(Tensor tensor, SplittableRandom random) {
        int most = random.nextInt(10) == 0 ? 16 : 4;
        tensor.reshape(random.nextInt(most), random.nextInt(most));
        for (int i = 0; i < tensor.elementCount(); i++) {
            switch (tensor.datatype()) {
                case FP32 -> tensor.setFloat(i, Float.intBitsToFloat(random.nextInt()));
                case BYTES -> {
                    byte[] text = new byte[random.nextInt(random.nextInt(20) == 0 ? 600 : 5)];
                    random.nextBytes(text);
                    tensor.setBytes(i, text);
                }
                default -> tensor.setLong(i, random.nextLong());
            }
        }
    }

    private static TensorSet asked(TensorSet from) {
        TensorSet set = new TensorSet(SIGNATURE);
        for (int i = 0; i < set.inputs().length; i++) {
            copy(from.inputs()[i], set.inputs()[i]);
        }
        return set;
    }

    private static void copy(Tensor from, Tensor to) {
        to.reshape(from.shape());
        if (from.datatype() == DataType.BYTES) {
            for (int i = 0; i < from.elementCount(); i++) {
                to.setBytes(i, from.getBytes(i).clone());
            }
        } else {
            to.data().copyFrom(from.data().asSlice(0, from.byteSize()));
        }
    }

    private static void assertSame(Tensor found, Tensor kept) {
        assertThat(found.shape()).isEqualTo(kept.shape());
        assertThat(found.keys()).isEqualTo(kept.keys());
        if (kept.datatype() == DataType.BYTES) {
            for (int i = 0; i < kept.elementCount(); i++) {
                assertThat(found.getBytes(i)).isEqualTo(kept.getBytes(i));
            }
        } else {
            assertThat(found.data()
                            .asSlice(0, found.byteSize())
                            .mismatch(kept.data().asSlice(0, kept.byteSize())))
                    .isEqualTo(-1);
        }
    }

    private static TensorSet number(long x, long y) {
        TensorSet set = new TensorSet(NUMBERS);
        set.inputs()[0].reshape(1, 1).setLong(0, x);
        set.outputs()[0].reshape(1, 1).setLong(0, y);
        return set;
    }

    private static boolean finds(CacheShare share, long x, long y) {
        try (TensorSet set = number(x, Long.MIN_VALUE)) {
            boolean found = share.find(share.hash(set), set);
            if (found) {
                assertThat(set.outputs()[0].getLong(0)).isEqualTo(y);
            }
            return found;
        }
    }

    private static void keep(CacheShare share, long x, long y) {
        try (TensorSet set = number(x, y)) {
            share.put(share.hash(set), set);
        }
    }

    /// With all bits of the hash, with few, and with none: what collides is replaced, and never taken for the other.
    @Test
    void shouldFindBitForBitWhatWasKeptOrNothing() {
        for (long mask : new long[] {-1, 0xFFFFFFFFFL, 7L << 32 | 1, 0}) {
            int found = 0;
            try (ResponseCache cache = new ResponseCache(budget, 150_000, mask)) {
                CacheShare share = cache.share();
                SplittableRandom random = new SplittableRandom(mask);
                for (int step = 0; step < 1500; step++) {
                    long seed = random.nextInt(100);
                    try (TensorSet kept = request(seed);
                            TensorSet asked = asked(kept)) {
                        long hash = share.hash(asked);
                        assertThat(share.hash(kept)).isEqualTo(hash);
                        if (share.find(hash, asked)) {
                            found++;
                            for (int i = 0; i < kept.outputs().length; i++) {
                                assertSame(asked.outputs()[i], kept.outputs()[i]);
                            }
                        } else {
                            share.put(hash, kept);
                        }
                        assertThat(cache.usedBytes()).isLessThanOrEqualTo(150_000);
                    } catch (AssertionError e) {
                        throw new AssertionError("mask " + mask + ", step " + step + ", seed " + seed, e);
                    }
                }
                assertThat(budget.used(MemoryTag.CACHE)).isEqualTo(150_000);
            }
            assertThat(found).as("mask %x", mask).isGreaterThan(mask == 0 ? 1 : 100);
        }
        assertThat(budget.used()).isZero();
    }

    /// Against a list that knows who was asked for last.
    @Test
    void shouldForgetWhatWasAskedForLeastLately() {
        try (ResponseCache cache = new ResponseCache(budget, 8 * 260)) {
            CacheShare share = cache.share();
            List<Long> latest = new ArrayList<>();
            SplittableRandom random = new SplittableRandom(5);
            for (int step = 0; step < 2000; step++) {
                long x = random.nextInt(16);
                assertThat(finds(share, x, 3 * x)).as("step %d", step).isEqualTo(latest.remove(x));
                keep(share, x, 3 * x);
                latest.addFirst(x);
                while (latest.size() > cache.entries()) {
                    latest.removeLast();
                }
                assertThat(latest).hasSize((int) cache.entries());
            }
            assertThat(cache.entries()).isBetween(7L, 8L);
            assertThat(cache.usedBytes()).isEqualTo(256 * cache.entries());
            assertThat(cache.evictions()).isGreaterThan(500);
        }
    }

    @Test
    void shouldNotMistakeOneOwnersInputsForAnothers() {
        try (ResponseCache cache = new ResponseCache(budget, 1 << 20, 0)) {
            CacheShare one = cache.share();
            CacheShare other = cache.share();
            keep(one, 1, 10);
            keep(other, 1, 20);

            assertThat(finds(one, 1, 10)).isTrue();
            assertThat(finds(other, 1, 20)).isTrue();
            one.close();
            assertThat(finds(one, 1, 10)).isFalse();
            assertThat(finds(other, 1, 20)).isTrue();
            keep(one, 1, 10);
            assertThat(cache.entries()).isOne();
            other.close();
            assertThat(cache.usedBytes()).isZero();
        }
    }

    @Test
    void shouldTellShapesApartThatHaveEqualBytes() {
        try (ResponseCache cache = new ResponseCache(budget, 1 << 20, 0);
                TensorSet flat = number(0, 1);
                TensorSet tall = number(0, 2)) {
            CacheShare share = cache.share();
            flat.inputs()[0].reshape(1, 6);
            tall.inputs()[0].reshape(6, 1);
            share.put(share.hash(flat), flat);

            assertThat(share.find(share.hash(tall), tall)).isFalse();
            assertThat(share.find(share.hash(flat), flat)).isTrue();
        }
    }

    @Test
    void shouldTellZeroFromMinusZeroAndOneNanFromAnother() {
        Signature floats = new Signature(List.of(spec("x", DataType.FP32)), List.of(spec("y", DataType.FP32)));
        try (ResponseCache cache = new ResponseCache(budget, 1 << 20, 0);
                TensorSet set = new TensorSet(floats)) {
            CacheShare share = cache.share();
            set.outputs()[0].reshape(1, 1);
            for (int bits : new int[] {0, 0x80000000, 0x7FC00000, 0x7FC00001}) {
                set.inputs()[0].reshape(1, 1).setFloat(0, Float.intBitsToFloat(bits));
                assertThat(share.find(share.hash(set), set)).isFalse();
                share.put(share.hash(set), set);
                assertThat(share.find(share.hash(set), set)).isTrue();
            }
        }
    }

    @Test
    void shouldKeepNothingThatIsLargerThanAStripe() {
        try (ResponseCache cache = new ResponseCache(budget, 8 << 20);
                TensorSet large = number(1, 1);
                TensorSet fitting = number(1, 1)) {
            CacheShare share = cache.share();
            large.inputs()[0].reshape(1, (4 << 20) / 8);
            fitting.inputs()[0].reshape(1, (3 << 20) / 8);
            keep(share, 5, 6);
            share.put(share.hash(large), large);
            share.put(share.hash(fitting), fitting);

            assertThat(share.find(share.hash(large), large)).isFalse();
            assertThat(share.find(share.hash(fitting), fitting)).isTrue();
            assertThat(cache.evictions()).isZero();
        }
    }

    @Test
    void shouldBookItsMemoryWithTheFirstShareOnly() {
        ResponseCache cache = new ResponseCache(budget, 1 << 20);
        assertThat(budget.used()).isZero();
        assertThat(cache.limitBytes()).isZero();
        CacheShare share = cache.share();
        cache.share();
        assertThat(budget.used(MemoryTag.CACHE)).isEqualTo(1 << 20);
        assertThat(cache.limitBytes()).isEqualTo(1 << 20);
        keep(share, 1, 2);
        cache.close();
        cache.close();

        assertThat(budget.used()).isZero();
        assertThat(finds(share, 1, 2)).isFalse();
        keep(share, 1, 2);
        share.close();
        assertThat(cache.usedBytes()).isZero();
        assertThatThrownBy(cache::share).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldSayWhatDoesNotFitWhenThereIsNoMemory() {
        try (ResponseCache cache = new ResponseCache(MemoryBudget.of("little", 1000), 1 << 20)) {
            assertThatThrownBy(cache::share)
                    .isInstanceOf(MemoryExceededException.class)
                    .hasMessageContaining("1048576 bytes for cache do not fit into little");
        }
    }

    @Test
    void shouldLeaveTheEntryWhenThereIsNoMemoryForTheAnswer() {
        try (ResponseCache cache = new ResponseCache(budget, 1 << 20);
                TensorSet kept = number(1, 1);
                TensorSet poor = new TensorSet(NUMBERS, MemoryBudget.of("a call", 100), budget)) {
            CacheShare share = cache.share();
            kept.outputs()[0].reshape(1, 1000).setLong(999, 7);
            share.put(share.hash(kept), kept);
            poor.inputs()[0].reshape(1, 1).setLong(0, 1);

            assertThatThrownBy(() -> share.find(share.hash(poor), poor)).isInstanceOf(MemoryExceededException.class);
            kept.outputs()[0].setLong(999, 0);
            assertThat(share.find(share.hash(kept), kept)).isTrue();
            assertThat(kept.outputs()[0].getLong(999)).isEqualTo(7);
        }
    }

    /// Threads that find, keep and push out one another's entries, while shares come and go.
    @Test
    void shouldGiveRightAnswersWhenThreadsFindKeepAndForget() throws InterruptedException {
        ConcurrentLinkedQueue<Throwable> problems = new ConcurrentLinkedQueue<>();
        long[] found = new long[4];
        try (ResponseCache cache = new ResponseCache(budget, 9 << 20, 0x3FF0FFFFL << 16)) {
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.length; i++) {
                int number = i;
                threads[i] = Thread.ofPlatform()
                        .start(() -> found[number] = live(cache, new SplittableRandom(number), problems));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(problems).isEmpty();
            assertThat(Arrays.stream(found)).allMatch(count -> count > 100);
            assertThat(cache.usedBytes()).isZero();
            assertThat(cache.entries()).isZero();
        }
        assertThat(budget.used()).isZero();
    }

    private static long live(ResponseCache cache, SplittableRandom random, ConcurrentLinkedQueue<Throwable> problems) {
        long found = 0;
        try {
            for (int life = 0; life < 5; life++) {
                try (CacheShare share = cache.share()) {
                    for (int step = 0; step < 2000; step++) {
                        long x = random.nextInt(300);
                        long answer = x * share.number();
                        if (finds(share, x, answer)) {
                            found++;
                        } else {
                            keep(share, x, answer);
                        }
                    }
                }
            }
        } catch (AssertionError | RuntimeException e) {
            problems.add(e);
        }
        return found;
    }
}
