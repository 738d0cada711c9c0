// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.model.Batching;
import dev.millrace.plan.LaneSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// Lanes that share one agent. Their runs take what a clock says that only they move.
class AgentPoolTest {
    private static final int ROWS = 256;

    /// A lane full of rows, each of which takes so long.
    private final class Busy {
        final Lane lane;
        final long cost;
        final List<Call> calls = new ArrayList<>();
        long used;

        Busy(int weight, long cost) {
            this.cost = cost;
            FakeBackend backend = new FakeBackend(ROWS);
            LaneSpec spec = new LaneSpec(
                    "weighs " + weight,
                    1,
                    Rig.SIGNATURE,
                    Batching.Kind.ROWS,
                    1,
                    1,
                    List.of(new LaneSpec.Queue(ROWS, Call.NO_TIMEOUT)),
                    0,
                    weight,
                    0);
            lane = new Lane(spec, () -> null, true, backend, agents, new Sweeper(clock::get), clock::get);
            backend.onStart = _ -> {
                clock.addAndGet(cost);
                used += cost;
                shares.add(new long[] {first.used, second.used});
            };
        }

        void fill() {
            for (int i = 0; i < ROWS; i++) {
                Call call = new Call(lane, 0);
                calls.add(call);
                assertThat(call.submit((_, _) -> answered.countDown())).isEqualTo(Outcome.OK);
            }
            agents.add(lane);
        }
    }

    private final AtomicLong clock = new AtomicLong();
    private final AgentPool agents = new AgentPool(1, clock::get);
    private final CountDownLatch answered = new CountDownLatch(2 * ROWS);
    private final List<long[]> shares = new ArrayList<>();
    private Busy first;
    private Busy second;

    private void run() throws InterruptedException {
        first.fill();
        second.fill();
        agents.start();
        assertThat(answered.await(60, TimeUnit.SECONDS)).isTrue();
        agents.close();
        first.calls.forEach(Call::close);
        second.calls.forEach(Call::close);
    }

    /// While both have rows, the times they have used are as their weights.
    private void assertShares(double ratio) {
        long firstTotal = ROWS * first.cost;
        long secondTotal = ROWS * second.cost;
        List<long[]> contested = shares.stream()
                .filter(used -> used[0] < firstTotal && used[1] < secondTotal)
                .toList();
        assertThat(contested).hasSizeGreaterThan(ROWS / 2);
        for (long[] used : contested) {
            assertThat((double) used[1]).isCloseTo(ratio * used[0], within(2.0 * (ratio * first.cost + second.cost)));
        }
    }

    @Test
    void shouldGiveLanesOfOneWeightTheSameTimeHoweverLongTheirRunsAre() throws Exception {
        first = new Busy(1, 1_000);
        second = new Busy(1, 20_000);
        run();
        assertShares(1);
    }

    @Test
    void shouldGiveLanesTimeByWeight() throws Exception {
        first = new Busy(1, 5_000);
        second = new Busy(4, 5_000);
        run();
        assertShares(4);
    }
}
