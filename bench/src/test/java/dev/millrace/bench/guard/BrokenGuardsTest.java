// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bench.promise.Account;
import dev.millrace.bench.promise.PacedLines;
import dev.millrace.bench.promise.Percentiles;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Figures made up on both sides of what is promised.
class BrokenGuardsTest {
    private static final long SECOND = 1_000_000_000;
    private static final Percentiles NONE = new Percentiles(0, 0, 0, 0);
    private static final long[] MANY = new long[1000];

    @Test
    void shouldPromiseANinthToTheLowPriority() {
        assertThat(priorities(1.5, 0, 900, 100)).isEmpty();
        assertThat(priorities(1.5, 400, 901, 99))
                .isEqualTo("1.5 high, 0.5 low: 0.099 of the answers were the low priority's, not a ninth.");
        assertThat(priorities(1.5, 0, 1000, 0)).isNotEmpty();
    }

    @Test
    void shouldRefuseNoHighPriorityBelowTheCapacity() {
        assertThat(priorities(0.5, 0, 500, 500)).isEmpty();
        assertThat(priorities(0.5, 10, 500, 500))
                .isEqualTo("0.5 high, 0.5 low: 0.010 of the high priority's were refused.");
    }

    private static String priorities(double highLoad, int highRefused, int high, int low) {
        Priorities.Result result =
                new Priorities.Result(1000, account(0, 1), account(highRefused, high), account(0, low));
        return new PrioritiesReport(new Priorities.Findings(
                        "model",
                        Map.of(new Priorities.Trial(highLoad, 0.5), List.of(result)),
                        Map.of(),
                        new ClientLimits.Findings(answers(0, 0), List.of())))
                .broken();
    }

    private static Account account(int refused, int good) {
        return new Account(SECOND, 1000, refused, 0, good, NONE, NONE, NONE);
    }

    @Test
    void shouldPromiseTimeByWeight() {
        assertThat(shares(20, 80)).isEmpty();
        assertThat(shares(30, 70)).isEmpty();
        assertThat(shares(31, 69)).isEqualTo("weights 1 and 3: 0.310 of the time was the first one's, not 0.250.");
        assertThat(shares(19, 81)).isNotEmpty();
    }

    private static String shares(long first, long second) {
        return new PrioritiesReport(new Priorities.Findings(
                        "model",
                        Map.of(),
                        Map.of(new Shares.Weights(1, 3), List.of(new Shares.Share(first, second, 1, 1))),
                        new ClientLimits.Findings(answers(0, 0), List.of())))
                .broken();
    }

    @Test
    void shouldPromiseClientsTheirRowsAndNoMore() {
        // A thousand requests in a second, of which a client may have the limit's rows and the burst.
        ClientLimits.Client greedy = new ClientLimits.Client("greedy", 2, 4);
        assertThat(clients(greedy, answers(450, 450))).isEmpty();
        assertThat(clients(greedy, answers(449, 449)))
                .isEqualTo("client greedy got 1.002 of the rows that it may have.");
        assertThat(clients(greedy, answers(477, 477))).isEmpty();
        assertThat(clients(greedy, answers(478, 478)))
                .isEqualTo("client greedy got 0.949 of the rows that it may have.");
        assertThat(clients(greedy, answers(460, 459)))
                .isEqualTo("client greedy: 1 requests failed, 0 were refused: some.");
    }

    @Test
    void shouldRefuseNoClientBelowItsLimit() {
        ClientLimits.Client modest = new ClientLimits.Client("modest", 1, 0.5);
        assertThat(clients(modest, answers(0, 0))).isEmpty();
        assertThat(clients(modest, answers(1, 1))).isEqualTo("client modest: 0 requests failed, 1 were refused: some.");
    }

    private static String clients(ClientLimits.Client client, PacedLines.Answers answers) {
        return new PrioritiesReport(new Priorities.Findings(
                        "model",
                        Map.of(),
                        Map.of(),
                        new ClientLimits.Findings(answers, List.of(new ClientLimits.Result(client, answers)))))
                .broken();
    }

    private static PacedLines.Answers answers(int failed, int refused) {
        return new PacedLines.Answers(MANY, failed, refused, failed > 0 ? "some" : "", 1);
    }

    @Test
    void shouldSpreadThePrioritiesOverRequests() {
        assertThat(IntStream.range(0, 100_000)
                        .filter(request -> Priorities.isHigh(request, 0.25))
                        .count())
                .isBetween(24_900L, 25_100L);
        assertThat(IntStream.range(0, 1000).allMatch(request -> Priorities.isHigh(request, 1)))
                .isTrue();
    }

    @Test
    void shouldNameTheClient() {
        ByteBuffer request = StandardCharsets.US_ASCII.encode("POST /a HTTP/1.1\r\nHost: b\r\n\r\n{}");
        assertThat(StandardCharsets.US_ASCII
                        .decode(ClientLimits.named(request, "c"))
                        .toString())
                .isEqualTo("POST /a HTTP/1.1\r\nx-client: c\r\nHost: b\r\n\r\n{}");
    }

    @Test
    void shouldPromiseThatMatesAreAnswered() {
        Failing.Troubles fine = troubles(5, 1, 999_999, 3 * SECOND, false, 300);
        assertThat(failing(0, fine)).isEmpty();
        assertThat(failing(1, fine)).isEqualTo("1 good rows failed in batches with one bad row.");
    }

    @Test
    void shouldPromiseABreakerThatOpensAndCloses() {
        assertThat(failing(0, troubles(6, 1, 1, 3 * SECOND, false, 1))).isEmpty();
        assertThat(failing(0, troubles(4, 1, 1, 3 * SECOND, false, 1))).isNotEmpty();
        assertThat(failing(0, troubles(7, 1, 1, 3 * SECOND, false, 1)))
                .isEqualTo("the breaker opened 1 times, after 7 failures instead of 5.");
        assertThat(failing(0, troubles(5, 0, 1, 3 * SECOND, false, 1))).isNotEmpty();
        assertThat(failing(0, troubles(5, 1, 1_000_000, 3 * SECOND, false, 1)))
                .isEqualTo("p99 of 9 refusals was 1,000 µs.");
        assertThat(failing(0, troubles(5, 1, 1, 3 * SECOND + 100_000_001, false, 1)))
                .isEqualTo("a model that was good again was answered 3.100 s after its breaker had opened, and that is"
                        + " closed.");
        assertThat(failing(0, troubles(5, 1, 1, 0, true, 1))).isNotEmpty();
        assertThat(failing(0, troubles(5, 1, 1, 3 * SECOND, false, 301)))
                .isEqualTo("another model's p99 beside a failing one was 3.01 times that alone.");
    }

    private static Failing.Troubles troubles(
            int failedBefore, long opened, long refusal, long answeredAt, boolean openLater, long beside) {
        return new Failing.Troubles(
                true,
                failedBefore,
                List.of(SECOND),
                new Percentiles(9, 1, refusal, refusal),
                SECOND,
                answeredAt,
                opened,
                openLater,
                new Percentiles(9, 1, 100, 100),
                new Percentiles(9, 1, beside, beside));
    }

    private static String failing(int failedMates, Failing.Troubles troubles) {
        Failing.Batches batches = new Failing.Batches(1, 63, failedMates, 6, NONE, NONE);
        return new FailingReport(new Failing.Findings("model", "light", Map.of(1, batches), List.of(troubles)))
                .broken();
    }

    @Test
    void shouldPromiseThatMemoryStaysWithinItsLimits() {
        String told = "load of large was answered 507 99999 bytes do not fit: 1234 of 88888";
        MemoryLoad.Requests some = new MemoryLoad.Requests(Map.of(200, 5, 413, 1, 429, 2, 503, 3, 0, 4), 6);
        assertThat(memory(648, 100, some, 200, told)).isEmpty();
        assertThat(memory(649, 100, some, 200, told)).isEqualTo("649 MiB were in RAM, 648 may be.");
        assertThat(memory(Double.NaN, 100, some, 200, told)).isNotEmpty();
        assertThat(memory(1, 101, some, 200, told)).isEqualTo("101 bytes of tensors were booked, 100 may be.");
        assertThat(memory(1, 1, some, 503, told)).isEqualTo("a small request was answered 503 afterwards.");
        assertThat(memory(1, 1, some, 200, "")).isEqualTo("the load of a model that does not fit was answered ''.");
    }

    @Test
    void shouldPromiseThatRefusalsHaveNumbers() {
        String told = "99999 bytes do not fit: 1234 of 88888";
        assertThat(memory(1, 1, new MemoryLoad.Requests(Map.of(200, 1, 413, 2, 503, 1), 2), 200, told))
                .isEqualTo("1 of 3 refused requests of 7 bytes were not told numbers.");
        assertThat(memory(1, 1, new MemoryLoad.Requests(Map.of(200, 1, 500, 2), 0), 200, told))
                .startsWith("2 requests of 7 bytes were answered otherwise or never: {");
        assertThat(memory(1, 1, new MemoryLoad.Requests(Map.of(200, 1, Asker.UNANSWERED, 1), 0), 200, told))
                .startsWith("1 requests of 7 bytes were answered otherwise or never: {");
    }

    private static String memory(
            double resident, long booked, MemoryLoad.Requests requests, int afterwards, String refusal) {
        MemoryLoad.Use idle = new MemoryLoad.Use(1, 1, Map.of());
        return new MemoryReport(new MemoryLoad.Findings(
                        Map.of("tensors", 100L),
                        idle,
                        new MemoryLoad.Use(resident, 1, Map.of("tensors", booked)),
                        idle,
                        Map.of(7, requests),
                        afterwards,
                        1,
                        refusal,
                        idle))
                .broken();
    }

    @Test
    void shouldReadMetrics() {
        String metrics = """
            # TYPE millrace_memory_limit_bytes gauge
            millrace_memory_limit_bytes{part="models"} 1.2E8
            millrace_memory_limit_bytes{part="tensors"} 48
            millrace_memory_used_bytes{part="tensors",tag="call"} 7
            millrace_memory_used_bytes{part="tensors",tag="ring"} 8
            millrace_requests_in_flight{model="a",version="1"} 2
            millrace_requests_in_flight{model="b",version="1"} 1
            """;
        assertThat(Watcher.sums(Watcher.LIMIT, metrics)).isEqualTo(Map.of("models", 120_000_000L, "tensors", 48L));
        assertThat(Watcher.sums(Watcher.USED, metrics)).isEqualTo(Map.of("tensors", 15L));
        assertThat(BackPressure.inFlight(metrics)).isEqualTo(3);
    }

    @Test
    void shouldPromiseThatBadClientsAreCutInTime() {
        assertThat(pressure(3, 2 * SECOND, 3 * SECOND, 12, 0, 0)).isEmpty();
        assertThat(pressure(2, 2 * SECOND, 3 * SECOND, 0, 0, 0))
                .isEqualTo("who asks on and on, and never reads: 2 of 3 were cut, after 2.00 to 3.00 s instead of 2.");
        assertThat(pressure(3, SECOND, 3 * SECOND, 0, 0, 0)).isNotEmpty();
        assertThat(pressure(3, 2 * SECOND, 3_200_000_000L, 0, 0, 0)).isNotEmpty();
    }

    @Test
    void shouldPromiseThatBadClientsHoldLittleAndDisturbNobody() {
        assertThat(pressure(3, 2 * SECOND, 2 * SECOND, 12.1, 0, 0))
                .isEqualTo("who asks on and on, and never reads: the server grew by 12.1 MiB.");
        assertThat(pressure(3, 2 * SECOND, 2 * SECOND, Double.NaN, 0, 0)).isNotEmpty();
        assertThat(pressure(3, 2 * SECOND, 2 * SECOND, 0, 1, 0))
                .isEqualTo("who asks on and on, and never reads: 1 requests were left in flight.");
        assertThat(pressure(3, 2 * SECOND, 2 * SECOND, 0, 0, 1))
                .isEqualTo("who asks on and on, and never reads: 1 requests of others failed: some.");
    }

    private static String pressure(int cut, long earliest, long latest, double growth, long left, int failed) {
        BackPressure.Result result = new BackPressure.Result(
                3, new Percentiles(cut, latest, latest, latest), earliest, 0, 1, growth, 1, answers(failed, 0), left);
        return new BackPressureReport(
                        new BackPressure.Findings(1, answers(0, 0), Map.of(BackPressure.Kind.NOT_READING, result)))
                .broken();
    }
}
