// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.runtime.Outcome;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class AccountTest {
    private static final long MILLI = 1_000_000;
    private static final long START = 123_456_789;

    /// A request every millisecond.
    private final Ledger ledger = new Ledger(
            START, LongStream.range(0, 1000).map(request -> request * MILLI).toArray());

    @Test
    void shouldCountWhatWasDueAndWhatWasAnsweredInTime() {
        for (int request = 0; request < 400; request++) {
            submit(request, 10_000);
            if (request % 4 == 0) {
                ledger.refused(request, Outcome.OVERLOADED, at(request) + 15_000);
            } else if (request % 4 == 1) {
                ledger.ended(request, Outcome.EXPIRED, at(request) + 3 * MILLI);
            } else {
                ledger.ended(request, Outcome.OK, at(request) + (request % 4) * MILLI);
            }
        }

        Account account = Account.of(ledger.checked(), 100 * MILLI, 300 * MILLI, 2 * MILLI);

        assertThat(account.offered()).isEqualTo(200);
        assertThat(account.refused()).isEqualTo(50);
        assertThat(account.refusedShare()).isEqualTo(0.25);
        assertThat(account.expired()).isEqualTo(50);
        assertThat(account.expiredShare()).isCloseTo(1 / 3.0, within(1e-9));
        assertThat(account.answered()).isEqualTo(100);
        // Those due at 98 (answered at 100), 102, ..., 294; the one at 298 is answered when the time is over.
        assertThat(account.good()).isEqualTo(50);
        assertThat(account.goodput()).isCloseTo(250, within(1e-9));
        assertThat(account.accepted()).isEqualTo(new Percentiles(150, 3 * MILLI, 3 * MILLI, 3 * MILLI));
        assertThat(account.refusal()).isEqualTo(new Percentiles(50, 5_000, 5_000, 5_000));
        assertThat(account.lateness()).isEqualTo(new Percentiles(200, 10_000, 10_000, 10_000));
    }

    @Test
    void shouldFindWhenAllIsAsBefore() {
        for (int request = 0; request < 1000; request++) {
            submit(request, 0);
            if (request < 237) {
                ledger.refused(request, Outcome.OVERLOADED, at(request));
            } else {
                // Ever faster: 15 ms at 385.
                long took = request < 385 ? 16 : 15;
                ledger.ended(request, Outcome.OK, at(request) + took * MILLI);
            }
        }

        // One of a hundred may be slower: the window from 384 on, and windows begin every 10 ms.
        assertThat(Recovery.nanos(ledger, 100 * MILLI, 1000 * MILLI, 10 * MILLI))
                .isEqualTo(290 * MILLI);
        assertThat(Recovery.nanos(ledger, 100 * MILLI, 1000 * MILLI, 11 * MILLI))
                .as("slow ones are fast enough; the last refusal is at 236")
                .isEqualTo(140 * MILLI);
        assertThat(Recovery.nanos(ledger, 100 * MILLI, 1000 * MILLI, 9 * MILLI)).isEqualTo(Recovery.NEVER);
        assertThat(Recovery.nanos(ledger, 100 * MILLI, 480 * MILLI, 10 * MILLI))
                .as("the window would end at 490")
                .isEqualTo(Recovery.NEVER);
        assertThat(Recovery.nanos(ledger, 2000 * MILLI, 3000 * MILLI, 10 * MILLI))
                .as("nothing is due")
                .isEqualTo(Recovery.NEVER);
    }

    @Test
    void shouldTakeTheSmallestValueThatEnoughDoNotExceed() {
        assertThat(Percentiles.of(LongStream.rangeClosed(1, 200))).isEqualTo(new Percentiles(200, 100, 198, 200));
        assertThat(Percentiles.of(LongStream.of(7))).isEqualTo(new Percentiles(1, 7, 7, 7));
        assertThat(Percentiles.of(LongStream.empty())).isEqualTo(new Percentiles(0, 0, 0, 0));
    }

    private void submit(int request, long late) {
        ledger.submitting(request, at(request) + late);
    }

    private static long at(int request) {
        return START + request * MILLI;
    }
}
