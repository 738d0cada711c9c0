// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/// Threads that do not come back.
class StallWatchTest {
    @Test
    void shouldInterruptWhenAThreadDoesNotComeBack() {
        try (StallWatch watch = new StallWatch(Duration.ofMillis(20))) {
            watch.enter();
            assertThatThrownBy(new CountDownLatch(1)::await).isInstanceOf(InterruptedException.class);

            assertThat(watch.leave()).isTrue();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void shouldNotInterruptWhoComesBack() {
        try (StallWatch watch = new StallWatch(Duration.ofHours(1))) {
            watch.enter();

            assertThat(watch.leave()).isFalse();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }
}
