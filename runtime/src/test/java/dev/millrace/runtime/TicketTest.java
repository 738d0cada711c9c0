// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TicketTest {
    private static final class Recorded extends Ticket {
        final List<String> settled = new ArrayList<>();
        boolean deliverAtOnce = true;

        @Override
        void settle(int generation, Outcome outcome) {
            settled.add(generation + " " + outcome);
            if (deliverAtOnce) {
                deliver(generation, outcome);
            }
        }
    }

    private final Recorded ticket = new Recorded();

    private int open(int rows) {
        int generation = ticket.prepare(rows, Ticket.NO_DEADLINE);
        ticket.accept(generation);
        return generation;
    }

    @Test
    void shouldBeDeliveredAndDeadWhenNew() {
        assertThat(ticket.isDelivered()).isTrue();
        assertThat(ticket.isLive(0)).isFalse();
        assertThat(ticket.end(0, Outcome.OK)).isFalse();
        assertThat(ticket.pin(0)).isFalse();
    }

    @Test
    void shouldSettleOnceWhenEndedTwice() {
        int generation = open(1);
        assertThat(ticket.isLive(generation)).isTrue();
        assertThat(ticket.end(generation, Outcome.CANCELLED)).isTrue();
        assertThat(ticket.end(generation, Outcome.EXPIRED)).isFalse();
        assertThat(ticket.settled).containsExactly("1 CANCELLED");
        assertThat(ticket.outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void shouldSettleAtTheLastUnpinWhenEndedWhilePinned() {
        int generation = open(2);
        assertThat(ticket.pin(generation)).isTrue();
        assertThat(ticket.pin(generation)).isTrue();
        assertThat(ticket.end(generation, Outcome.EXPIRED)).isTrue();
        assertThat(ticket.isLive(generation)).isFalse();
        assertThat(ticket.pin(generation)).as("no pin after the end").isFalse();
        ticket.unpin(generation);
        assertThat(ticket.settled).isEmpty();
        assertThat(ticket.isDelivered()).isFalse();
        ticket.unpin(generation);
        assertThat(ticket.settled).containsExactly("1 EXPIRED");
        assertThat(ticket.isDelivered()).isTrue();
    }

    @Test
    void shouldEndOkWhenAllRowsAreAnswered() {
        int generation = open(5);
        for (int rows : new int[] {2, 1, 2}) {
            assertThat(ticket.settled).isEmpty();
            assertThat(ticket.pin(generation)).isTrue();
            ticket.answered(generation, rows);
            ticket.unpin(generation);
        }
        assertThat(ticket.settled).containsExactly("1 OK");
    }

    @Test
    void shouldBeNobodyElsesWhenEndedAsAnswered() {
        int generation = open(3);
        assertThat(ticket.endAnswered(generation, 2)).as("a row is missing").isFalse();
        assertThat(ticket.pin(generation)).isTrue();
        assertThat(ticket.endAnswered(generation, 3)).as("pinned").isFalse();
        ticket.answered(generation, 1);
        ticket.unpin(generation);

        assertThat(ticket.endAnswered(generation + 1, 2))
                .as("another generation")
                .isFalse();
        assertThat(ticket.endAnswered(generation, 2)).isTrue();
        assertThat(ticket.end(generation, Outcome.CANCELLED)).isFalse();
        assertThat(ticket.pin(generation)).isFalse();
        assertThat(ticket.settled).isEmpty();
        assertThat(ticket.isDelivered()).isFalse();

        ticket.settle(generation, Outcome.OK);
        assertThat(ticket.settled).containsExactly("1 OK");
        assertThat(ticket.isDelivered()).isTrue();
    }

    @Test
    void shouldNotEndAsAnsweredWhenEndedBefore() {
        int generation = open(1);
        ticket.end(generation, Outcome.CANCELLED);
        assertThat(ticket.endAnswered(generation, 1)).isFalse();
        assertThat(ticket.settled).containsExactly("1 CANCELLED");
    }

    @Test
    void shouldKnowAnOldGenerationWhenReused() {
        int old = open(1);
        ticket.end(old, Outcome.OK);
        int present = open(1);
        assertThat(ticket.isLive(old)).isFalse();
        assertThat(ticket.pin(old)).isFalse();
        assertThat(ticket.end(old, Outcome.CANCELLED)).isFalse();
        assertThat(ticket.isLive(present)).isTrue();
        assertThat(ticket.settled).containsExactly("1 OK");
    }

    @Test
    void shouldRefuseToPrepareWhenInFlight() {
        int generation = open(1);
        assertThatThrownBy(() -> ticket.prepare(1, 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the call is still in flight");
        ticket.deliverAtOnce = false;
        ticket.end(generation, Outcome.OK);
        assertThatThrownBy(() -> ticket.prepare(1, 0)).isInstanceOf(IllegalStateException.class);
        ticket.deliver(generation, Outcome.OK);
        assertThat(ticket.prepare(1, 0)).isEqualTo(generation + 1);
    }

    @Test
    void shouldTellNobodyWhenRejected() {
        ticket.reject(ticket.prepare(1, 5), Outcome.OVERLOADED);
        assertThat(ticket.settled).isEmpty();
        assertThat(ticket.isDelivered()).isTrue();
        assertThat(ticket.outcome()).isEqualTo(Outcome.OVERLOADED);
        assertThat(ticket.expire(100)).isFalse();
    }

    @Test
    void shouldExpireOnlyAfterTheDeadlineWhenThereIsOne() {
        int generation = ticket.prepare(1, Long.MIN_VALUE + 5);
        assertThat(ticket.expire(Long.MIN_VALUE + 6)).as("not accepted yet").isFalse();
        ticket.accept(generation);
        assertThat(ticket.expire(Long.MAX_VALUE))
                .as("six nanoseconds before, across the overflow")
                .isFalse();
        assertThat(ticket.expire(Long.MIN_VALUE + 5)).isFalse();
        assertThat(ticket.expire(Long.MIN_VALUE + 6)).isTrue();
        open(1);
        assertThat(ticket.expire(Long.MAX_VALUE)).as("no deadline").isFalse();
    }

    @Test
    void shouldCountGenerationsAcrossTheOverflow() {
        ticket.reject(Integer.MAX_VALUE, Outcome.CANCELLED);
        int generation = open(1);
        assertThat(generation).isEqualTo(Integer.MIN_VALUE);
        assertThat(ticket.isLive(generation)).isTrue();
        ticket.end(generation, Outcome.OK);
        ticket.reject(-1, Outcome.CANCELLED);
        assertThat(open(1)).isZero();
        assertThat(ticket.pin(0)).isTrue();
        ticket.answered(0, 1);
        ticket.unpin(0);
        assertThat(ticket.settled).containsExactly(Integer.MIN_VALUE + " OK", "0 OK");
    }
}
