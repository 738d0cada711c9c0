// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonWriterTest {
    private final JsonWriter json = new JsonWriter();

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 9, 10, 99, 100, -100, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1})
    void shouldWriteIntegersExactly(long value) {
        assertThat(text(json.number(value))).isEqualTo(Long.toString(value));
        assertThat(text(json.reset().unsigned(value))).isEqualTo(Long.toUnsignedString(value));
    }

    @Test
    void shouldWriteRandomIntegersExactly() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100_000; i++) {
            long value = random.nextLong() >> random.nextInt(64);
            assertThat(text(json.reset().number(value))).isEqualTo(Long.toString(value));
            assertThat(text(json.reset().unsigned(value))).isEqualTo(Long.toUnsignedString(value));
        }
    }

    @ParameterizedTest
    @ValueSource(
            floats = {
                0,
                -0f,
                0.1f,
                1,
                1e10f,
                Float.MIN_VALUE,
                Float.MAX_VALUE,
                Float.NaN,
                Float.POSITIVE_INFINITY,
                -1f / 0
            })
    void shouldWriteTheShortestFloat(float value) {
        assertThat(text(json.number(value))).isEqualTo(Float.toString(value));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -0.0, 0.1, 1e300, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, -1.0 / 0})
    void shouldWriteTheShortestDouble(double value) {
        assertThat(text(json.number(value))).isEqualTo(Double.toString(value));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "\"quoted\\\"", "\n\r\t\b\f\u0000\u001f", "é", "😀", "日本", "a\u007fb"})
    void shouldWriteStringsThatReadBack(String value) {
        String written = text(json.string(value));

        assertThat(read(written)).isEqualTo(value);
    }

    @Test
    void shouldReplaceWhatIsNotUtf8() {
        assertThat(read(text(json.string(new byte[] {'a', (byte) 0xFF, 'b'})))).isEqualTo("a\uFFFDb");
    }

    @Test
    void shouldGrowAndShrink() {
        String large = "x".repeat(3 << 20);

        assertThat(text(json.raw("[").string(large).raw("]"))).hasSize(large.length() + 4);
        assertThat(text(json.reset().raw('1'))).isEqualTo("1");
    }

    private static String text(JsonWriter json) {
        return new String(json.toBytes(), StandardCharsets.UTF_8);
    }

    private static String read(String written) {
        byte[] bytes = written.getBytes(StandardCharsets.UTF_8);
        JsonReader reader = new JsonReader();
        reader.reset(Arrays.copyOf(bytes, bytes.length + JsonReader.PADDING), 0, bytes.length);
        reader.readText();
        assertThat(reader.token()).isEqualTo(JsonReader.Token.END);
        return reader.text();
    }
}
