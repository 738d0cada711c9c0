// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NoLeaks.class)
class OffHeapRegionTest {
    @ParameterizedTest
    @EnumSource
    void shouldCountUnderItsTagUntilItIsClosed(MemoryTag tag) {
        long before = NativeMemory.used(tag);
        long allBefore = NativeMemory.used();

        OffHeapRegion region = OffHeapRegion.allocate(tag, 1000);

        assertThat(NativeMemory.used(tag)).isEqualTo(before + 1000);
        assertThat(NativeMemory.used()).isEqualTo(allBefore + 1000);
        region.close();
        assertThat(NativeMemory.used(tag)).isEqualTo(before);
    }

    @Test
    void shouldCountOnceWhenClosedTwice() {
        long before = NativeMemory.used(MemoryTag.CALL);
        OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.CALL, 64);

        region.close();
        region.close();

        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(before);
    }

    @Test
    void shouldBeZeroedAndAlignedWhenAllocated() {
        for (long bytes : new long[] {1, 63, 64, 65, 4097}) {
            try (OffHeapRegion dirty = OffHeapRegion.allocate(MemoryTag.ORT, bytes)) {
                dirty.segment().fill((byte) -1);
            }
            try (OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.ORT, bytes)) {
                assertThat(region.byteSize()).isEqualTo(bytes);
                assertThat(region.address() % OffHeapRegion.ALIGNMENT).isZero();
                assertThat(region.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
            }
        }
    }

    @Test
    void shouldHaveAtLeastOneByte() {
        try (OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.ORT, 0)) {
            assertThat(region.byteSize()).isEqualTo(1);
            assertThat(region.address()).isNotZero();
        }
    }

    @Test
    void shouldThrowWhenUsedAfterClose() {
        OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.CALL, 16);
        MemorySegment segment = region.segment();
        region.close();

        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_INT, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> segment.set(ValueLayout.JAVA_INT, 0, 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldThrowWhenUsedOutsideItsBounds() {
        try (OffHeapRegion region = OffHeapRegion.allocate(MemoryTag.CALL, 16)) {
            MemorySegment segment = region.segment();

            assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_INT, 16))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_INT, -4))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void shouldCountNothingWhenThereIsNoMemory() {
        assertThatThrownBy(() -> OffHeapRegion.allocate(MemoryTag.RING, 1L << 60))
                .isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void shouldCountExactlyWhenManyThreadsAllocateAndClose() throws Exception {
        long before = NativeMemory.used(MemoryTag.RING);
        List<OffHeapRegion> shared = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            shared.add(OffHeapRegion.allocate(MemoryTag.RING, 8));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Long>> kept = new ArrayList<>();
            for (long seed = 0; seed < 4; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                kept.add(threads.submit((Callable<Long>) () -> churn(shared, random)));
            }
            for (Future<Long> future : kept) {
                assertThat(future.get()).isPositive();
            }
        }
        assertThat(NativeMemory.used(MemoryTag.RING)).isEqualTo(before);
    }

    /// Allocates and closes regions of its own, and closes those that all threads close.
    private static long churn(List<OffHeapRegion> shared, SplittableRandom random) {
        long sum = 0;
        for (OffHeapRegion common : shared) {
            int bytes = random.nextInt(1, 100);
            sum += bytes;
            try (OffHeapRegion own = OffHeapRegion.allocate(MemoryTag.RING, bytes)) {
                own.segment().fill((byte) 1);
            }
            common.close();
        }
        return sum;
    }
}
