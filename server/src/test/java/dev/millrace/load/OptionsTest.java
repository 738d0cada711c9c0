// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

/// Durations and addresses as users write them, figures as they read them.
class OptionsTest {
    @ParameterizedTest
    @CsvSource({"10s,PT10S", "500ms,PT0.5S", "2ms,PT0.002S", "250us,PT0.00025S", "1m,PT1M", "1.5s,PT1.5S", "0s,PT0S"})
    void shouldReadDurations(String text, Duration duration) {
        assertThat(new DurationConverter().convert(text)).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "s", "-1s", "1 s", "1d", "1e3s", "999999999h"})
    void shouldRefuseWhatIsNoDuration(String text) {
        assertThatThrownBy(() -> new DurationConverter().convert(text)).isInstanceOf(TypeConversionException.class);
    }

    @Test
    void shouldReadAddresses() {
        Target target = Target.of("http://127.0.0.1:8000/", "fraud", null);
        assertThat(target.inferPath()).isEqualTo("/v2/models/fraud/infer");
        assertThat(target.authority()).isEqualTo("127.0.0.1:8000");

        Target other = Target.of("http://[::1]/a/b", "my model/1", "2");
        assertThat(other.host()).isEqualTo("::1");
        assertThat(other.port()).isEqualTo(80);
        assertThat(other.uri(other.path())).hasToString("http://[::1]/a/b/v2/models/my%20model%2F1/versions/2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost:8000", "https://localhost", "http://", "http:// x", "ftp://x"})
    void shouldRefuseWhatIsNoAddress(String text) {
        assertThatThrownBy(() -> Target.of(text, "m", null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "71230 | 71.2 us | 71.2 us",
                "2000000 | 2.00 ms | 2 ms",
                "1500000000 | 1.50 s | 1.5 s",
                "100000000000 | 100 s | 100 s",
                "10000000000 | 10.0 s | 10 s",
                "500000 | 500 us | 500 us",
                "170 | 0.17 us | 0.17 us",
            })
    void shouldWriteTimes(long nanos, String exact, String round) {
        assertThat(Figures.time(nanos)).isEqualTo(exact);
        assertThat(Figures.round(nanos)).isEqualTo(round);
    }

    @Test
    void shouldWriteCounts() {
        assertThat(Figures.count(20_012.3)).isEqualTo("20,012");
        assertThat(Figures.count(1)).isEqualTo("1");
        assertThat(Figures.count(3.14)).isEqualTo("3.1");
    }
}
