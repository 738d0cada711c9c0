// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LimitsTest {
    @ParameterizedTest
    @EnumSource(Limit.class)
    void shouldHaveTheStandardValueUntilThereIsAnother(Limit limit) {
        Limits changed = Limits.DEFAULT.with(limit, limit.standard() + 1);

        assertThat(Limits.DEFAULT.get(limit)).isEqualTo(limit.standard());
        assertThat(changed.get(limit)).isEqualTo(limit.standard() + 1);
        assertThat(changed).isNotEqualTo(Limits.DEFAULT);
        assertThat(changed.with(limit, limit.standard()))
                .isEqualTo(Limits.DEFAULT)
                .hasSameHashCodeAs(Limits.DEFAULT);
        for (Limit other : Limit.values()) {
            if (other != limit) {
                assertThat(changed.get(other)).isEqualTo(other.standard());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "MAX_CONNECTIONS | 0    | --max-connections must be from 1 to 1000000, was 0",
                "HEAD_TIMEOUT    | -1   | --head-timeout must be from 0 s to 86400 s, was -1 ms",
                "MAX_JSON_DEPTH  | 1001 | --max-json-depth must be from 8 to 1000, was 1001",
                "MIN_RATE        | 0    | --min-rate must be from 1 bytes to 1073741824 bytes, was 0 bytes",
            })
    void shouldSayWhatALimitCanBe(Limit limit, long value, String message) {
        assertThatThrownBy(() -> Limits.DEFAULT.with(limit, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void shouldNameTheLimitAndWhatCame() {
        Limits limits = Limits.DEFAULT.with(Limit.MAX_HEADERS, 7).with(Limit.HEAD_TIMEOUT, 1500);

        assertThat(limits.over(Limit.MAX_HEADERS, "the request has 8 headers"))
                .isEqualTo("the request has 8 headers, at most 7 are allowed (--max-headers)");
        assertThat(limits.late(Limit.HEAD_TIMEOUT, "no head came"))
                .isEqualTo("no head came within 1500 ms (--head-timeout)");
        assertThat(limits).asString().contains("max_headers=7", "head_timeout=1500", "max_pipelined=256");
    }
}
