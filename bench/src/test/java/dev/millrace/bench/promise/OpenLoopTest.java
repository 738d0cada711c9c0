// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Outcome;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

/// A generator with a clock of its own and a model that takes a given time per request.
class OpenLoopTest {
    private long now = 1_000_000;

    @Test
    void shouldSubmitWhenDueAndCountFromThen() {
        Schedule schedule = new Schedule(new long[] {100, 200, 5000}, new long[] {6000});

        Ledger ledger = new OpenLoop(new Model(1000, 10), () -> now).run(schedule);

        // The second is due while the first is answered.
        assertThat(ledger.count()).isEqualTo(3);
        assertThat(times(ledger, 0)).containsExactly(100, 100, 1100);
        assertThat(times(ledger, 1)).containsExactly(200, 200, 2100);
        assertThat(times(ledger, 2)).containsExactly(5000, 5000, 6000);
    }

    @Test
    void shouldNoteItsOwnLateness() {
        Model slow = new Model(10, 10);
        slow.submission = 300;

        Ledger ledger = new OpenLoop(slow, () -> now).run(new Schedule(new long[] {100, 200}, new long[] {1000}));

        assertThat(ledger.submitted(0)).isEqualTo(100);
        assertThat(ledger.submitted(1)).as("the first submission took 300").isEqualTo(400);
        assertThat(ledger.ended(0)).isEqualTo(701);
        assertThat(ledger.ended(1)).isEqualTo(711);
    }

    @Test
    void shouldNoteRefusals() {
        Model model = new Model(1000, 1);
        model.submission = 5;

        Ledger ledger = new OpenLoop(model, () -> now).run(new Schedule(new long[] {100, 200}, new long[] {1000}));

        assertThat(ledger.isRefused(0)).isFalse();
        assertThat(ledger.isRefused(1)).isTrue();
        assertThat(ledger.outcome(1)).isEqualTo(Outcome.OVERLOADED);
        assertThat(times(ledger, 1)).containsExactly(200, 200, 205);
    }

    @Test
    void shouldMeasureTheCapacityOfAClosedLoop() {
        assertThat(new OpenLoop(new Model(1000, 64), () -> now).saturate(1_000_000))
                .as("a request takes a microsecond")
                .isEqualTo(1e6);
    }

    @Test
    void shouldRefuseFiguresOfWrongAnswersAndFailures() {
        Model wrong = new Model(10, 10);
        wrong.isWrong = true;
        Model failing = new Model(10, 10);
        failing.how = Outcome.FAILED;
        Schedule one = new Schedule(new long[] {1}, new long[] {10});

        assertThatThrownBy(() -> new OpenLoop(wrong, () -> now).run(one))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessage("1 answers are not the floor's");
        assertThatThrownBy(() -> new OpenLoop(failing, () -> now).run(one))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessage("a request ended as FAILED");
    }

    private static long[] times(Ledger ledger, int request) {
        return new long[] {ledger.due(request), ledger.submitted(request), ledger.ended(request)};
    }

    /// Answers one request after the other. Only its idling lets time pass, but for submissions that take some.
    private final class Model implements Station {
        private final long cost;
        private final int most;
        private final ArrayDeque<Integer> queue = new ArrayDeque<>();
        private Ledger ledger;
        private long busyUntil;
        private long submission;
        private boolean isWrong;
        private Outcome how = Outcome.OK;

        Model(long cost, int most) {
            this.cost = cost;
            this.most = most;
        }

        @Override
        public void timeout(long nanos) {}

        @Override
        public Outcome submit(Ledger into, int request) {
            now += submission;
            if (queue.size() == most) {
                return Outcome.OVERLOADED;
            }
            ledger = into;
            if (queue.isEmpty()) {
                busyUntil = now + cost;
            }
            queue.add(request);
            return Outcome.OK;
        }

        @Override
        public void idle() {
            now++;
            if (!queue.isEmpty() && now >= busyUntil) {
                if (isWrong) {
                    ledger.wrong();
                }
                ledger.ended(queue.poll(), how, now);
                busyUntil = now + cost;
            }
        }

        @Override
        public void close() {}
    }
}
