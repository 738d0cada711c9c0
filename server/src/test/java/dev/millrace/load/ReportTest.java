// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final long MS = 1_000_000;
    private static final LoadPlan PLAN = new LoadPlan(1000, 8, 0, 1000 * MS, 5000 * MS, 9);

    /// A thousand requests, one a millisecond; the i-th takes i microseconds, so that the last answer comes when time
    /// is up. Sent with 1 us of lateness.
    private static Tally tally() {
        Tally tally = new Tally(PLAN, 0);
        tally.started(0);
        for (int i = 1; i <= 1000; i++) {
            long due = (i - 1) * MS;
            tally.arrived(due);
            tally.late(due, 1000);
            tally.answered(due, due + 1000L * i, 200);
        }
        return tally;
    }

    private static LoadResult result(Tally tally) {
        return new LoadResult(
                PLAN, tally, tally.interval(), List.of(new LoadResult.Second(1, 1000, 500_000, 990_000, MS, 0)), false);
    }

    private static JsonReport json() {
        return new JsonReport(
                Instant.EPOCH, List.of("millrace", "load"), Map.of("cores", "2"), "http://x/infer", 2 * MS);
    }

    @Test
    void shouldTellPercentilesAndDrawTheHistogram() {
        assertThat(TextReport.of(result(tally()))).isEqualTo("""
            requests    1,000 due   1,000 answered   0 refused   0 timed out   0 lost
            rate        1,000/s wished   1,000/s due   999/s answered
            status      200: 1,000
            latency     p50 500 us   p90 900 us   p95 950 us   p99 990 us   p99.9 999 us   p99.99 1.00 ms   max 1.00 ms
            sent late   p50 1.00 us   p90 1.00 us   p95 1.00 us   p99 1.00 us   p99.9 1.00 us   \
            p99.99 1.00 us   max 1.00 us

                1 us - 1.5 us      0.100 %  #
              1.5 us - 2 us        0.000 %
                2 us - 3 us        0.100 %  #
                3 us - 5 us        0.200 %  #
                5 us - 7 us        0.200 %  #
                7 us - 10 us       0.300 %  #
               10 us - 15 us       0.500 %  #
               15 us - 20 us       0.500 %  #
               20 us - 30 us       1.000 %  ##
               30 us - 50 us       2.000 %  ####
               50 us - 70 us       2.000 %  ####
               70 us - 100 us      3.000 %  #####
              100 us - 150 us      5.000 %  #########
              150 us - 200 us      5.000 %  #########
              200 us - 300 us     10.000 %  #################
              300 us - 500 us     20.000 %  ##################################
              500 us - 700 us     20.000 %  ##################################
              700 us - 1 ms       30.000 %  ##################################################
                1 ms - 1.5 ms      0.100 %  #
            """);
    }

    @Test
    void shouldSayWhatWasRefusedAndLost() {
        Tally tally = tally();
        tally.arrived(5);
        tally.answered(5, 6, 503);
        tally.refusal(503, "{\"error\":\"full\"}");
        tally.refusal(400, "a later one");
        tally.arrived(7);
        tally.failed(7, "connection closed by the server");
        String text = TextReport.of(result(tally));

        assertThat(text)
                .contains("1,002 due   1,000 answered   1 refused   0 timed out   1 lost")
                .contains("status      200: 1,000   503: 1")
                .contains("lost        1: connection closed by the server")
                .contains("The first refusal: 503 {\"error\":\"full\"}")
                .doesNotContain("a later one");
    }

    @Test
    void shouldSurviveWhenNothingWasAnswered() {
        String text = TextReport.of(result(new Tally(PLAN, 0)));

        assertThat(text).contains("0 answered", "latency     none", "status      none");
        assertThat(json().of(result(new Tally(PLAN, 0)))).contains("\"held\": false");
    }

    @Test
    void shouldWriteEverythingAsJson() throws IOException {
        String text = json().of(result(tally()));

        assertValid(text);
        assertThat(text)
                .contains("\"taken\": \"1970-01-01T00:00:00Z\"")
                .contains("\"command\": [\"millrace\", \"load\"]")
                .contains("\"cores\": \"2\"")
                .contains("\"loop\": \"open\"", "\"rate\": 1000.0", "\"seed\": 9", "\"connections\": 8")
                .contains("\"p99_bound_us\": 2000.0", "\"held\": true", "\"stopped_early\": false")
                .contains("\"due\": 1000", "\"answered\": 1000", "\"rate_reached\": 999.0")
                .contains("\"200\": 1000")
                .containsPattern("\"p50\": 500\\.\\d+")
                .containsPattern("\"p99.99\": 1000\\.\\d+")
                .containsPattern("\"percentiles\": \\[\\[0.0, 1.0")
                .containsPattern("\\[100.0, 1000\\.\\d+]")
                .contains("\"lateness_us\"")
                .contains("\"end_s\": 1.0");
    }

    @Test
    void shouldListAllTrialsOfASearch() throws Exception {
        StringWriter out = new StringWriter();
        RateTrials trials = new RateTrials(PLAN, MS * 19 / 20, new PrintWriter(out));
        OptionalDouble highest = trials.search(0.02, plan -> {
            Tally tally = tally();
            if (plan.rate() > 4000) {
                tally.failed(3, "reset");
            }
            // A bound above the 99th percentile of 990 us would be held: this one is below.
            return result(tally);
        });
        assertThat(highest).isEmpty();
        assertThat(out.toString()).contains("highest rate with p99 <= 950 us", "not held", "No rate was held");

        String text = json().of(highest, trials.results());
        assertValid(text);
        assertThat(text).contains("\"max_rate\": null");
        assertThat(text.split("\"loop\"")).hasSize(trials.results().size() + 1);
    }

    @Test
    void shouldTellTheHighestRate() throws Exception {
        StringWriter out = new StringWriter();
        RateTrials trials = new RateTrials(PLAN, 2 * MS, new PrintWriter(out));
        OptionalDouble highest = trials.search(0.02, plan -> {
            Tally tally = tally();
            if (plan.rate() > 4000) {
                tally.failed(3, "reset");
            }
            return new LoadResult(plan, tally, tally.interval(), List.of(), false);
        });

        assertThat(highest).hasValue(4000);
        assertThat(out.toString())
                .contains("trial  1       1,000/s  held      p50   500 us  p99   990 us  999/s answered")
                .contains("/s  not held  p50   500 us  p99   990 us  999/s answered, 1 failed")
                .contains("4,000 requests/s with p99 <= 2 ms; 4,040/s was not held twice");
        assertThat(json().of(highest, trials.results())).contains("\"max_rate\": 4000.0");
    }

    @Test
    void shouldNotHoldWhenItWasBrokenOffOrTooSlow() {
        Tally tally = tally();
        LoadResult broken = new LoadResult(PLAN, tally, tally.interval(), List.of(), true);
        assertThat(broken.holds(2 * MS)).isFalse();
        assertThat(result(tally()).holds(2 * MS)).isTrue();
        assertThat(result(tally()).holds(980_000)).isFalse();
    }

    @Test
    void shouldNotHoldWhenAnswersFallBehind() {
        Tally tally = new Tally(PLAN, 0);
        tally.started(0);
        for (int i = 0; i < 1000; i++) {
            tally.arrived(i * MS);
            tally.answered(i * MS, i * MS + 30 * MS, 200);
        }
        LoadResult result = result(tally);
        assertThat(result.rateReached()).isEqualTo(970);
        assertThat(result.holds(30 * MS))
                .as("the bound explains what is on its way")
                .isFalse();
        assertThat(result.holds(31 * MS)).isTrue();
    }

    private static void assertValid(String text) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(text)) {
            parser.nextToken();
            parser.skipChildren();
            assertThat(parser.nextToken()).isNull();
        }
    }
}
