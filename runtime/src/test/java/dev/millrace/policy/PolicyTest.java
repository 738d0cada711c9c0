// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PolicyTest {
    private static CostModel cost(double fixed, double perRow) {
        CostModel cost = new CostModel();
        for (int i = 0; i < 200; i++) {
            int rows = 1 + i % 32;
            cost.observe(rows, (long) (fixed + rows * perRow));
        }
        return cost;
    }

    @Test
    void shouldPredictWholeBatchesAndTheRest() {
        Admission admission = new Admission(cost(1000, 10), 1);
        assertThat(admission.predict(1, 100, 0)).isCloseTo(1010, within(1.0));
        assertThat(admission.predict(100, 100, 0)).isCloseTo(2000, within(1.0));
        assertThat(admission.predict(101, 100, 0)).isCloseTo(3010, within(1.0));
        assertThat(admission.predict(101, 100, 500)).isCloseTo(3510, within(1.0));
        assertThat(new Admission(cost(1000, 10), 2).predict(201, 100, 0)).isCloseTo(3010, within(1.0));
    }

    @Test
    void shouldAdmitWhileNothingIsKnown() {
        Admission admission = new Admission(new CostModel(), 1);
        assertThat(admission.admits(admission.predict(100, 1, 0), false, 1, 0)).isTrue();
    }

    @Test
    void shouldFollowHowLateAnswersAre() {
        CostModel cost = cost(1000, 0);
        Admission admission = new Admission(cost, 1);
        SplittableRandom random = new SplittableRandom(1);
        int late = 0;
        for (int i = 0; i < 200_000; i++) {
            long error = (long) (-Math.log(random.nextDouble()) * 1000);
            late += i >= 100_000 && error > admission.slackNanos() ? 1 : 0;
            admission.observe(error, i);
        }
        // The 99.5th percentile of that distribution is at 1000 * ln(200).
        // It swings about that, as mean and deviation do.
        assertThat(admission.slackNanos()).isCloseTo(5298, within(2500.0));
        assertThat(late / 100_000.0).isCloseTo(0.005, within(0.002));
    }

    @Test
    void shouldForgetQuicklyWhenAnswersAreNoLongerLate() {
        Admission admission = new Admission(cost(1000, 0), 1);
        for (int i = 0; i < 10_000; i++) {
            admission.observe(10_000_000 + i % 1000, i);
        }
        assertThat(admission.slackNanos()).isGreaterThan(10_000_000);
        for (int i = 0; i < 1000; i++) {
            admission.observe(i % 100, i);
        }
        assertThat(admission.slackNanos()).isLessThan(10_000);
    }

    @Test
    void shouldForgetInASecondWhenAnswersAreFew() {
        Admission admission = new Admission(cost(1000, 0), 1);
        for (int i = 0; i < 100; i++) {
            admission.observe(100_000_000, i);
        }
        assertThat(admission.slackNanos()).isGreaterThan(100_000_000);
        for (int i = 1; i <= 20; i++) {
            admission.observe(0, 100 + i * 250_000_000L);
        }
        assertThat(admission.slackNanos()).isLessThan(30_000_000);
    }

    @Test
    void shouldNotLockOutARequestThatNothingIsAheadOf() {
        Admission admission = new Admission(cost(1000, 0), 1);
        for (int i = 0; i < 1000; i++) {
            admission.observe(1_000_000, i);
        }
        assertThat(admission.admits(1000, false, 5000, 1000)).isFalse();
        assertThat(admission.admits(1000, true, 5000, 1000)).isTrue();
    }

    @Test
    void shouldLetOneThroughWhenNothingWasComparedForAWhile() {
        Admission admission = new Admission(cost(1000, 0), 1);
        assertThat(admission.admits(1000, true, 500, 0)).as("the first").isTrue();
        assertThat(admission.admits(1000, true, 500, 1)).isFalse();
        assertThat(admission.admits(1000, true, 500, Admission.FORGET_NANOS)).isTrue();
        assertThat(admission.admits(1000, true, 500, Admission.FORGET_NANOS + 1))
                .isFalse();
    }

    @Test
    void shouldKnowHowFewRowsAreEfficient() {
        assertThat(cost(0, 100).efficientRows(32)).isEqualTo(1);
        // 100 rows cost 2000, that is 20 each; 34 cost 1340, that is 40 each.
        assertThat(cost(1000, 10).efficientRows(100)).isEqualTo(34);
        assertThat(new CostModel().efficientRows(100)).isEqualTo(1);
    }

    @Test
    void shouldFindOneRowEfficientAtLeastWhateverRunsCost() {
        for (long seed = 0; seed < 1000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            CostModel cost = new CostModel();
            for (int i = 0; i < 10; i++) {
                int rows = random.nextInt(1, 33);
                cost.observe(rows, (long) rows * rows * random.nextInt(100, 200));
                assertThat(cost.efficientRows(32)).as("seed %d", seed).isPositive();
            }
        }
    }

    @Test
    void shouldOpenAfterFailuresInARowOnly() {
        Breaker breaker = new Breaker(3);
        for (int i = 0; i < 10; i++) {
            breaker.failed(0, "no");
            breaker.failed(0, "no");
            breaker.succeeded();
        }
        assertThat(breaker.isOpen()).isFalse();
        breaker.failed(0, "no");
        breaker.failed(0, "no");
        assertThat(breaker.failed(0, "why")).isTrue();
        assertThat(breaker.isOpen()).isTrue();
        assertThat(breaker.reason()).isEqualTo("why");
        assertThat(breaker.failed(0, "still")).as("it is open already").isFalse();
    }

    @Test
    void shouldNeverOpenWhenToldNotTo() {
        Breaker breaker = new Breaker(0);
        for (int i = 0; i < 100; i++) {
            assertThat(breaker.failed(i, "no")).isFalse();
        }
        assertThat(breaker.isOpen()).isFalse();
    }

    @Test
    void shouldPauseTwiceAsLongAfterEachProbeThatFailsUpToALimit() {
        shouldPauseUpTo(new Breaker(1), Breaker.LONGEST_PAUSE_NANOS);
        shouldPauseUpTo(new Breaker(1, Breaker.FIRST_PAUSE_NANOS), Breaker.FIRST_PAUSE_NANOS);
    }

    private static void shouldPauseUpTo(Breaker breaker, long longest) {
        breaker.failed(0, "no");
        long now = 0;
        long pause = Breaker.FIRST_PAUSE_NANOS;
        for (int i = 0; i < 10; i++) {
            assertThat(breaker.admits(now + pause - 1)).isFalse();
            assertThat(breaker.wouldAdmit(now + pause)).isTrue();
            assertThat(breaker.admits(now + pause)).isTrue();
            assertThat(breaker.admits(now + pause)).as("one at a time").isFalse();
            now += pause;
            breaker.failed(now, "no");
            pause = Math.min(2 * pause, longest);
        }
        assertThat(pause).isEqualTo(longest);
        breaker.succeeded();
        assertThat(breaker.admits(now)).isTrue();
        assertThat(breaker.opened()).isEqualTo(1);
    }

    /// Users who always want more get time by their weights, whatever their turns take.
    @Test
    void shouldShareTimeByWeight() {
        for (long seed = 0; seed < 100; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int users = random.nextInt(2, 6);
            int[] weights = random.ints(users, 1, 10).toArray();
            long[] turn = random.longs(users, 100, 100_000).toArray();
            FairShare share = new FairShare();
            FairShare.Account[] accounts = new FairShare.Account[users];
            for (int i = 0; i < users; i++) {
                accounts[i] = new FairShare.Account(weights[i]);
            }
            long[] used = new long[users];
            long total = 0;
            while (total < 100_000_000) {
                total += run(share, accounts, turn, used, users);
            }
            int sum = java.util.Arrays.stream(weights).sum();
            for (int i = 0; i < users; i++) {
                assertThat((double) used[i] / total)
                        .as("seed %d, user %d of %d", seed, i, users)
                        .isCloseTo((double) weights[i] / sum, within(0.02));
            }
        }
    }

    /// One turn of the user of the first `present` whose turn it is; what it took.
    private static long run(FairShare share, FairShare.Account[] accounts, long[] turn, long[] used, int present) {
        int next = 0;
        for (int i = 1; i < present; i++) {
            if (share.start(accounts[i]) < share.start(accounts[next])) {
                next = i;
            }
        }
        long start = share.start(accounts[next]);
        share.begin(start);
        share.end(accounts[next], start, turn[next]);
        used[next] += turn[next];
        return turn[next];
    }

    @Test
    void shouldNotLetAUserSaveUpTimeItDidNotWant() {
        FairShare share = new FairShare();
        FairShare.Account[] accounts = {new FairShare.Account(1), new FairShare.Account(1)};
        long[] used = new long[2];
        long[] turn = {1000, 1000};
        for (int i = 0; i < 1000; i++) {
            run(share, accounts, turn, used, 1);
        }
        used[0] = 0;
        for (int i = 0; i < 100; i++) {
            run(share, accounts, turn, used, 2);
        }
        assertThat(used[0]).isCloseTo(used[1], within(2000L));
    }
}
