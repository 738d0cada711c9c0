// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HighWaterTest {
    private final HighWater water = new HighWater();

    private int told(int needs, long bytes) {
        int told = 0;
        for (int i = 0; i < needs; i++) {
            told += water.isBehind(bytes) ? 1 : 0;
        }
        return told;
    }

    @Test
    void shouldTellOnceWhenALargeNeedIsBehind() {
        told(10, 1000);
        assertThat(water.isBehind(100 << 20)).isFalse();

        assertThat(told(2 * HighWater.WINDOW, 1000)).isEqualTo(1);
        assertThat(told(10 * HighWater.WINDOW, 1000)).isZero();
    }

    @Test
    void shouldNotTellWhenTheLargeNeedComesAgain() {
        for (int i = 0; i < 20; i++) {
            assertThat(told(HighWater.WINDOW - 1, 1000)).isZero();
            assertThat(water.isBehind(100 << 20)).isFalse();
        }
    }

    @Test
    void shouldNotTellWhenThereIsLittleToGiveBack() {
        told(1, HighWater.WORTH_BYTES - 1);

        assertThat(told(10 * HighWater.WINDOW, 1)).isZero();
    }
}
