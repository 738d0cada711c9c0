// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Outcome;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HttpStatusTest {
    @Test
    void shouldGiveEveryOutcomeItsOwnStatus() {
        Map<Outcome, Integer> statuses =
                Arrays.stream(Outcome.values()).collect(Collectors.toMap(outcome -> outcome, HttpStatus::of));

        assertThat(statuses)
                .isEqualTo(Map.of(
                        Outcome.OK, 200,
                        Outcome.INVALID, 400,
                        Outcome.NOT_FOUND, 404,
                        Outcome.TOO_LARGE, 413,
                        Outcome.OVERLOADED, 429,
                        Outcome.CANCELLED, 499,
                        Outcome.EXPIRED, 504,
                        Outcome.FAILED, 500,
                        Outcome.UNAVAILABLE, 503));
    }

    @ParameterizedTest
    @EnumSource(Outcome.class)
    void shouldNameTheStatusOfEveryOutcome(Outcome outcome) {
        assertThat(HttpStatus.reason(HttpStatus.of(outcome))).isNotEqualTo("Unknown");
        assertThat(HttpStatus.of(outcome)).isLessThan(HttpCounters.STATUSES);
    }

    @Test
    void shouldTellTheOverloadedWhenToComeAgain() {
        Page.Header header =
                Page.error(HttpStatus.of(Outcome.OVERLOADED), "full").header();
        assertThat((CharSequence) header.name()).hasToString("Retry-After");
        assertThat(header.value()).asString().isEqualTo("1");
        assertThat(Page.error(HttpStatus.of(Outcome.INVALID), "no").header()).isNull();
    }
}
