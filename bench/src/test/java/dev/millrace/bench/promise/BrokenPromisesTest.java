// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Figures made up on both sides of what is promised.
class BrokenPromisesTest {
    private static final Duration BOUND = Duration.ofMillis(10);
    private static final long SECOND = 1_000_000_000;
    private static final Overload.Memory MEMORY = new Overload.Memory(700, 5);

    @Test
    void shouldKeepAllThatOverloadsPromiseAtTheBound() {
        assertThat(overload(2, result(900, 10_000_000, 999_999, SECOND), MEMORY))
                .isEmpty();
        assertThat(overload(2, result(900, 10_000_000, 999_999, SECOND), new Overload.Memory(707, 5)))
                .isEmpty();
    }

    @Test
    void shouldSayWhatAnOverloadBreaks() {
        assertThat(overload(2, result(899, 10_000_000, 0, 0), MEMORY))
                .isEqualTo("10 ms: 0.899 of the capacity is answered in time.");
        assertThat(overload(2, result(900, 10_001_000, 0, 0), MEMORY))
                .isEqualTo("10 ms: p99 of the accepted is 10.001 ms.");
        assertThat(overload(2, result(900, 0, 1_000_000, 0), MEMORY)).isEqualTo("10 ms: p99 of refusals is 1.000 ms.");
        assertThat(overload(2, result(900, 0, 0, SECOND + 1), MEMORY))
                .isEqualTo("10 ms: a second after the load all is not as it was before.");
        assertThat(overload(2, result(900, 0, 0, Recovery.NEVER), MEMORY)).isNotEmpty();
    }

    @Test
    void shouldSayThatMemoryGrew() {
        Overload.Result kept = result(900, 0, 0, 0);
        assertThat(overload(2, kept, new Overload.Memory(707.1, 5)))
                .isEqualTo("MiB in RAM were 700.0 and are 707.1, native memory 5.0 and 5.0.");
        assertThat(overload(2, kept, new Overload.Memory(600, 5.1))).isNotEmpty();
        assertThat(overload(2, kept, new Overload.Memory(Double.NaN, 5))).isNotEmpty();
    }

    @Test
    void shouldPromiseTheDoubleLoadAlone() {
        assertThat(overload(4, result(1, SECOND, SECOND, Recovery.NEVER), MEMORY))
                .isEmpty();
    }

    /// @param good of 1000 that would be the capacity
    private static Overload.Result result(int good, long accepted, long refusal, long recovery) {
        Percentiles none = new Percentiles(0, 0, 0, 0);
        Account during = new Account(
                SECOND,
                2000,
                1,
                0,
                good,
                new Percentiles(1000, 0, accepted, accepted),
                new Percentiles(1, 0, refusal, refusal),
                none);
        return new Overload.Result(1000, 1000, during, during, recovery);
    }

    private static String overload(double load, Overload.Result result, Overload.Memory after) {
        Overload.Trial trial = new Overload.Trial(Overload.Who.DEADLINES, BOUND, load);
        return new OverloadReport(new Overload.Findings("model", Map.of(trial, List.of(result)), MEMORY, after))
                .broken();
    }

    @Test
    void shouldAllowExpiredRequestsMoreWhereAllCoresAreBusy() {
        assertThat(deadlines(false, 1_000_000)).isEmpty();
        assertThat(deadlines(false, 1_001_000))
                .isEqualTo("waiting behind a long run, one core free: p99 of 64 that expired is 1,001 µs late.");
        assertThat(deadlines(true, 5_000_000)).isEmpty();
        assertThat(deadlines(true, 5_001_000))
                .isEqualTo("waiting behind a long run, all cores busy: p99 of 64 that expired is 5,001 µs late.");
    }

    private static String deadlines(boolean saturated, long p99) {
        Deadlines.Findings findings =
                new Deadlines.Findings(new Percentiles(64, 1, p99, SECOND), 0, 0, new Percentiles(0, 0, 0, 0));
        Deadlines.Trial trial = new Deadlines.Trial(Deadlines.Where.WAITING, saturated);
        return new DeadlinesReport(new Deadlines.All(1, 64, Map.of(trial, findings))).broken();
    }

    @Test
    void shouldPromiseIsolationInThisProcess() {
        assertThat(isolation(300, 500)).isEmpty();
        assertThat(isolation(301, 100)).isEqualTo("Millrace `Call.run()`: p99 beside is 3.01 times that alone.");
    }

    private static String isolation(long call, long http) {
        return new IsolationReport(new Isolation.Findings(
                        "light",
                        "heavy",
                        Map.of(
                                Isolation.Way.CALL, List.of(round(call)),
                                Isolation.Way.HTTP, List.of(round(http)))))
                .broken();
    }

    private static Isolation.Round round(long beside) {
        return new Isolation.Round(new Isolation.Timing(1, 100, 100), new Isolation.Timing(1, beside, beside), 1);
    }
}
