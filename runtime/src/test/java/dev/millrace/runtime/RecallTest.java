// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.cache.ResponseCache;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.runtime.Rig.Told;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Requests whose answers are kept, on a lane without threads.
class RecallTest {
    private final MemoryBudget budget = MemoryBudget.of("all", 1 << 20);
    private final ResponseCache cache = new ResponseCache(budget, 1 << 20);

    @AfterEach
    void close() {
        cache.close();
        assertThat(budget.used()).isZero();
    }

    private Rig rig() {
        Rig rig = new Rig(4, 16, 1);
        rig.lane.cached(cache.share());
        return rig;
    }

    private static Told answered(Rig rig, float first, int rows) {
        Told told = rig.submit(first, rows);
        rig.turn();
        told.assertAnswered();
        return told;
    }

    @Test
    void shouldAnswerWithoutARunWhenTheSameInputsComeAgain() {
        try (Rig rig = rig()) {
            answered(rig, 5, 3);
            rig.backend.started.clear();
            Told again = rig.submit(5, 3);

            again.assertAnswered();
            assertThat(rig.backend.started).isEmpty();
            assertThat(rig.lane.hasWork()).isFalse();
            LaneStatistics statistics = rig.lane.statistics();
            assertThat(statistics.accepted()).isEqualTo(2);
            assertThat(statistics.ended()).containsEntry(Outcome.OK, 2L);
            assertThat(statistics.cacheHits()).isOne();
            assertThat(statistics.cacheMisses()).isOne();
            assertThat(statistics.rows()).isEqualTo(3);
            rig.assertConserved();
        }
    }

    @Test
    void shouldRunWhatDiffersInRowsOrValues() {
        try (Rig rig = rig()) {
            answered(rig, 5, 2);
            answered(rig, 5, 3);
            answered(rig, 6, 2);

            assertThat(rig.lane.statistics().cacheHits()).isZero();
            assertThat(rig.lane.statistics().rows()).isEqualTo(7);
        }
    }

    @Test
    void shouldAnswerACallThatIsRun() {
        try (Rig rig = rig();
                Call call = rig.call()) {
            call.input(0).setFloat(0, 4);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            call.output(0).setFloat(0, 0);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.output(0).getFloat(0)).isEqualTo(FakeBackend.answer(4));
            assertThat(rig.backend.started).hasSize(1);
            assertThat(call.message()).isEmpty();
            rig.assertConserved();
        }
    }

    @Test
    void shouldKeepNothingOfRequestsThatAreNotAnswered() {
        try (Rig rig = rig()) {
            rig.backend.failures.add(new IllegalStateException("broken"));
            Told failed = rig.submit(1, 1);
            rig.turn();
            failed.assertEnded(Outcome.FAILED);
            Told cancelled = rig.submit(2, 1);
            cancelled.call.cancel();
            rig.turn();
            cancelled.assertEnded(Outcome.CANCELLED);
            Told expired = new Told(rig.call().timeoutNanos(50), 3, 1);
            expired.admission = expired.call.submit(expired);
            rig.clock.addAndGet(100);
            rig.turn();
            expired.assertEnded(Outcome.EXPIRED);

            assertThat(cache.entries()).isZero();
            answered(rig, 1, 1);
            assertThat(cache.entries()).isOne();
            rig.assertConserved();
        }
    }

    @Test
    void shouldAnswerWhatIsKeptWhenTheQueueIsFull() {
        try (Rig rig = rig()) {
            answered(rig, 1, 1);
            for (int i = 0; i < 16; i++) {
                assertThat(rig.submit(100 + i, 1).admission).isEqualTo(Outcome.OK);
            }
            assertThat(rig.submit(200, 1).admission).isEqualTo(Outcome.OVERLOADED);
            rig.submit(1, 1).assertAnswered();
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldHonourDeadlinesOfWhatIsKept() {
        try (Rig rig = rig()) {
            answered(rig, 1, 1);
            Told late = new Told(rig.call().timeoutNanos(0), 1, 1);
            assertThat(late.call.submit(late)).isEqualTo(Outcome.EXPIRED);
            Told inTime = new Told(rig.call().timeoutNanos(1), 1, 1);
            inTime.admission = inTime.call.submit(inTime);

            inTime.assertAnswered();
            assertThat(late.outcomes).isEmpty();
            rig.assertConserved();
        }
    }

    @Test
    void shouldRefuseWhatIsKeptWhenTheLaneIsClosed() {
        try (Rig rig = rig()) {
            answered(rig, 1, 1);
            rig.lane.refuse();

            assertThat(rig.submit(1, 1).admission).isEqualTo(Outcome.UNAVAILABLE);
            rig.lane.close();
            assertThat(cache.usedBytes()).isZero();
            rig.assertConserved();
        }
    }

    /// A completion that asks for the same again and again, a hundred thousand times, has a stack of its own each time.
    @Test
    void shouldTellOneAfterTheOtherWhenACompletionSubmits() {
        try (Rig rig = rig()) {
            answered(rig, 7, 1);
            Call call = rig.call();
            call.input(0).setFloat(0, 7);
            int[] told = {0, 0, 0};
            Completion again = new Completion() {
                @Override
                public void completed(Call ended, Outcome outcome) {
                    assertThat(outcome).isEqualTo(Outcome.OK);
                    told[0]++;
                    told[1]++;
                    told[2] = Math.max(told[1], told[2]);
                    if (told[0] < 100_000) {
                        assertThat(ended.submit(this)).isEqualTo(Outcome.OK);
                    }
                    told[1]--;
                }
            };
            assertThat(call.submit(again)).isEqualTo(Outcome.OK);

            assertThat(told[0]).isEqualTo(100_000);
            assertThat(told[2]).isOne();
            rig.assertConserved();
        }
    }

    /// Between being submitted and told, in a completion, the next request may still be cancelled.
    @Test
    void shouldCancelWhatIsFoundButNotYetTold() {
        try (Rig rig = rig()) {
            answered(rig, 7, 1);
            Call first = rig.call();
            first.input(0).setFloat(0, 7);
            Told second = new Told(rig.call(), 7, 1);
            first.submit((_, _) -> {
                second.admission = second.call.submit(second);
                assertThat(second.outcomes).isEmpty();
                assertThat(second.call.cancel()).isTrue();
            });

            second.assertEnded(Outcome.CANCELLED);
            rig.assertConserved();
        }
    }

    @Test
    void shouldTellWhereTheTimeWentOfWhatIsKept() {
        try (Rig rig = rig()) {
            answered(rig, 7, 1);
            Call call = rig.call().begin(true);
            call.input(0).setFloat(0, 7);
            call.decoded();
            call.run();
            call.encoding();
            call.encoded();

            assertThat(call.timing().isComplete()).isTrue();
            assertThat(call.timing().batchRows()).isZero();
            assertThat(call.timing().nanos(dev.millrace.monitor.Stage.RUN)).isZero();
        }
    }

    /// Whatever was asked before, every answer is what the model gives, and hits and misses are all requests.
    @Test
    void shouldAnswerLikeTheModelWhateverCameBefore() {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try (Rig rig = rig()) {
                long hits = 0;
                for (int step = 0; step < 300; step++) {
                    Told told = rig.submit(random.nextInt(12), random.nextInt(1, 5));
                    hits += told.isOpen() ? 0 : 1;
                    rig.turn();
                    told.assertAnswered();
                }
                LaneStatistics statistics = rig.lane.statistics();
                assertThat(statistics.cacheHits())
                        .as("seed %d", seed)
                        .isEqualTo(hits)
                        .isGreaterThan(200);
                assertThat(statistics.cacheHits() + statistics.cacheMisses()).isEqualTo(300);
                rig.assertConserved();
                rig.lane.close();
            }
        }
    }
}
