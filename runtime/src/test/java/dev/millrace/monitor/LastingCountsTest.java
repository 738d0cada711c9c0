// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LastingCountsTest {
    private final LastingCounts<Long> counts = new LastingCounts<>(0L, Long::sum);

    @Test
    void shouldAddUpWhatAllHaveCounted() {
        AtomicLong one = new AtomicLong(3);
        AtomicLong two = new AtomicLong(4);

        assertThat(counts.total()).isZero();
        counts.add(one, () -> 3L);
        counts.add(two, two::get);
        assertThat(counts.total()).isEqualTo(7);
        two.set(10);
        assertThat(counts.total()).isEqualTo(13);
        Reference.reachabilityFence(one);
    }

    @Test
    void shouldKeepWhatWasCountedWhenTheOwnerIsGone() {
        Object stays = new Object();
        counts.add(stays, () -> 1L);
        AtomicLong counted = new AtomicLong();
        countAndGo(counted);

        while (counts.owners() > 1) {
            System.gc();
        }
        assertThat(counts.total()).isEqualTo(6);
        counted.set(100);
        assertThat(counts.total()).as("nobody counts any more").isEqualTo(6);
        Reference.reachabilityFence(stays);
    }

    private void countAndGo(AtomicLong counted) {
        counts.add(new Object(), counted::get);
        counted.set(5);
    }
}
