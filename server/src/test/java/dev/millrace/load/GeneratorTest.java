// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratorTest {
    private static final long MS = 1_000_000;
    private static final long SECOND = 1000 * MS;
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final long STALL_FROM = 2 * SECOND;
    private static final long STALL_TO = 3 * SECOND;

    private static LoadPlan plan(double rate, int connections) {
        return new LoadPlan(rate, connections, 0, 5 * SECOND, 60 * SECOND, 17);
    }

    private static List<Long> arrivals(LoadPlan plan) {
        PoissonArrivals arrivals = new PoissonArrivals(plan.rate(), plan.seed());
        List<Long> due = new ArrayList<>();
        for (long next = arrivals.next(); next < plan.warmupNanos() + plan.durationNanos(); next = arrivals.next()) {
            due.add(next);
        }
        return due;
    }

    /// Takes a millisecond for each request, and stops altogether for a second.
    private static long stalling(long sent) {
        return (sent >= STALL_FROM && sent < STALL_TO ? STALL_TO : sent) + MS;
    }

    /// What queueing theory says: each request is served by the connection that is free first, in order.
    private static Histogram expected(LoadPlan plan) {
        Histogram latencies = new Tally(plan, 0).interval();
        PriorityQueue<Long> free = new PriorityQueue<>();
        for (int i = 0; i < plan.connections(); i++) {
            free.add(0L);
        }
        for (long due : arrivals(plan)) {
            long answered = stalling(Math.max(due, free.poll()));
            free.add(answered);
            latencies.recordValue(answered - due);
        }
        return latencies;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 1000})
    void shouldChargeTheServerWithEveryWaitWhenItStalls(int connections) {
        LoadPlan plan = plan(500, connections);

        LoadResult result = new Simulation(plan, GeneratorTest::stalling).run();

        assertThat(result.latency()).isEqualTo(expected(plan));
        assertThat(result.arrivals()).isEqualTo(arrivals(plan).size());
        // A tenth of the requests were due in the stall's second half.
        assertThat(result.latency().getValueAtPercentile(90)).isGreaterThan(400 * MS);
        assertThat(result.lateness().getMaxValue()).as("own lateness").isZero();
        assertThat(result.isGeneratorLate()).isFalse();
    }

    @Test
    void shouldHideTheStallWhenTheLoopIsClosed() {
        LoadResult result = new Simulation(plan(0, 1), GeneratorTest::stalling).run();

        assertThat(result.latency().getMaxValue()).isGreaterThan(999 * MS);
        assertThat(result.latency().getValueAtPercentile(99.9)).isLessThan(2 * MS);
        assertThat(result.successes()).isEqualTo(4000).isEqualTo(result.arrivals());
    }

    @Test
    void shouldSendAtTheTimesThatAreDueWhenLinesAreFree() {
        LoadPlan plan = plan(300, 100);
        Simulation simulation = new Simulation(plan, sent -> sent + MS);

        simulation.run();

        assertThat(simulation.sent.stream().map(time -> time - 1000 * SECOND)).isEqualTo(arrivals(plan));
    }

    @Test
    void shouldRecordItsOwnLatenessWhenItIsLate() {
        LoadPlan plan = plan(20, 100);

        LoadResult result =
                new Simulation(plan, sent -> sent + MS).pumpedLate(3 * MS).run();

        assertThat(result.lateness().getMinValue()).isLessThanOrEqualTo(3 * MS);
        assertThat(result.lateness().getValueAtPercentile(50)).isBetween(2 * MS, 3 * MS + MS / 100);
        assertThat(result.latency().getMaxValue()).isBetween(4 * MS - MS / 100, 4 * MS + MS / 100);
        assertThat(result.isGeneratorLate()).isTrue();
        assertThat(TextReport.of(result)).contains("The generator was late: one of 100");
    }

    @Test
    void shouldGiveUpEveryRequestWhenNobodyAnswers() {
        LoadPlan plan = new LoadPlan(200, 3, 0, SECOND, 100 * MS, 5);
        Simulation simulation = new Simulation(plan, _ -> NEVER);

        LoadResult result = simulation.run();

        assertThat(result.timeouts())
                .isEqualTo(result.arrivals())
                .isEqualTo(arrivals(plan).size());
        assertThat(result.latency().getTotalCount()).isEqualTo(result.timeouts());
        assertThat(result.latency().getMinValue()).isGreaterThan(99 * MS);
        assertThat(simulation.reopened()).isPositive();
        assertThat(result.waits()).isPositive();
        assertThat(result.mostWaiting()).isPositive();
        assertThat(result.holds(SECOND)).isFalse();
        assertThat(TextReport.of(result))
                .contains("The server did not keep up")
                .contains("found all 3 connections busy");
    }

    @Test
    void shouldCountRefusalsApartFromLatencies() {
        LoadPlan plan = plan(100, 10);

        LoadResult result =
                new Simulation(plan, sent -> sent + MS).answering(429, true).run();

        assertThat(result.statuses()).containsOnlyKeys(429);
        assertThat(result.refusals()).isEqualTo(result.arrivals()).isEqualTo(result.failures());
        assertThat(result.latency().getTotalCount()).isZero();
        assertThat(result.holds(SECOND)).isFalse();
    }

    @Test
    void shouldOpenAConnectionAgainWhenTheServerClosesIt() {
        Simulation simulation = new Simulation(plan(100, 10), sent -> sent + MS).answering(200, false);

        LoadResult result = simulation.run();

        assertThat(simulation.reopened()).isEqualTo((int) result.arrivals());
        assertThat(result.holds(2 * MS)).isTrue();
    }

    @Test
    void shouldNotCountTheWarmUp() {
        LoadPlan plan = new LoadPlan(500, 1000, 3 * SECOND, 2 * SECOND, SECOND, 17);

        LoadResult result = new Simulation(plan, GeneratorTest::stalling).run();

        assertThat(result.arrivals())
                .isEqualTo(
                        arrivals(plan).stream().filter(due -> due >= 3 * SECOND).count());
        assertThat(result.latency().getMaxValue()).isLessThan(2 * MS);
        assertThat(result.holds(2 * MS)).isTrue();
    }

    @Test
    void shouldCountWhatIsLostAndUseNoLineThatIsGone() {
        LoadPlan plan = plan(1000, 2);
        Tally tally = new Tally(plan, 0);
        long[] now = {0};
        Generator generator = new Generator(plan, tally, () -> now[0]);
        List<Line> used = new ArrayList<>();
        class Recording extends Line {
            @Override
            void transmit() {
                used.add(this);
            }

            @Override
            void reopen() {}
        }
        Line gone = new Recording();
        Line stays = new Recording();
        generator.opened(gone);
        generator.opened(stays);
        generator.start();
        generator.lost(gone, "closed while idle");

        now[0] = arrivals(plan).get(1);
        generator.pump();
        assertThat(used).containsExactly(stays);
        generator.lost(stays, "reset");
        assertThat(tally.errors()).containsOnlyKeys("reset").containsValue(1L);
        generator.opened(gone);

        assertThat(used).containsExactly(stays, gone);
    }
}
