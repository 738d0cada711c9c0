// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final long SECOND = 1_000_000_000;

    @Test
    void shouldDrawTheRateOfEachPhase() {
        Schedule schedule = Schedule.poisson(7, new Phase(20_000, SECOND), new Phase(80_000, SECOND / 2));

        assertThat(schedule.due()).isSorted().hasSize(schedule.count());
        assertThat(schedule.ends()).containsExactly(SECOND, 3 * SECOND / 2);
        assertThat(schedule.begin(0)).isZero();
        assertThat(schedule.begin(1)).isEqualTo(schedule.end(0)).isEqualTo(SECOND);
        assertThat(due(schedule, 0)).isCloseTo(20_000, within(600L));
        assertThat(due(schedule, 1)).isCloseTo(40_000, within(800L));
        assertThat(schedule.due()[schedule.count() - 1]).isLessThan(schedule.end(1));
    }

    @Test
    void shouldHaveExponentialGaps() {
        Schedule schedule = Schedule.poisson(11, new Phase(10_000, 10 * SECOND));

        long longer = 0;
        for (int i = 1; i < schedule.count(); i++) {
            if (schedule.due()[i] - schedule.due()[i - 1] > 200_000) {
                longer++;
            }
        }
        // Longer than twice the mean are e^-2 of them.
        assertThat((double) longer / schedule.count()).isCloseTo(Math.exp(-2), within(0.01));
    }

    @Test
    void shouldDrawTheSameTimesAgain() {
        Phase phase = new Phase(1000, SECOND);

        assertThat(Schedule.poisson(1, phase).due())
                .isEqualTo(Schedule.poisson(1, phase).due())
                .isNotEqualTo(Schedule.poisson(2, phase).due());
    }

    private static long due(Schedule schedule, int phase) {
        return Arrays.stream(schedule.due())
                .filter(at -> at >= schedule.begin(phase) && at < schedule.end(phase))
                .count();
    }
}
