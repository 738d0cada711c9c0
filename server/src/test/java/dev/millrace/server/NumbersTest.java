// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumbersTest {
    private static final int ROUNDS = 300_000;

    private final Numbers numbers = new Numbers();
    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void shouldReadFloatsAsTheJdkDoes() {
        int read = 0;
        for (int i = 0; i < ROUNDS; i++) {
            read += checkFloat(randomNumber()) ? 1 : 0;
        }
        assertThat(read).isGreaterThan(ROUNDS / 2);
    }

    @Test
    void shouldReadPrintedFloatsAsTheyWere() {
        for (int i = 0; i < ROUNDS; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (Float.isFinite(value)) {
                checkFloat(Float.toString(value));
            }
        }
    }

    @Test
    void shouldPassOnWhatLiesHalfWayBetweenFloats() {
        for (int i = 0; i < ROUNDS; i++) {
            float value = random.nextInt(1, 1 << 24);
            // The midpoint to the next float, and its neighbours in the last digit.
            double middle = (value + (double) Math.nextUp(value)) / 2;
            checkFloat(Double.toString(middle));
            checkFloat(Double.toString(Math.nextUp(middle)));
            checkFloat(Double.toString(Math.nextDown(middle)));
        }
        assertThat(readFloat("16777217")).isFalse();
    }

    @Test
    void shouldReadDoublesAsTheJdkDoes() {
        for (int i = 0; i < ROUNDS; i++) {
            String text = randomNumber();
            if (numbers.readDouble(text.toCharArray(), 0, text.length())) {
                assertThat(numbers.value()).as(text).isEqualTo(Double.parseDouble(text));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"0", "-0", "0.0", "-0.0", "1", "0.1", "1e22", "1E-22", "9007199254740992", "0.000000000000001"})
    void shouldReadOrdinaryNumbers(String text) {
        assertThat(numbers.readDouble(text.toCharArray(), 0, text.length())).isTrue();
        assertThat(Double.doubleToRawLongBits(numbers.value()))
                .isEqualTo(Double.doubleToRawLongBits(Double.parseDouble(text)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NaN",
                "Infinity",
                "-Infinity",
                "1e23",
                "1e-23",
                "9007199254740993",
                "1e999999999999",
                "1234567890123456789"
            })
    void shouldPassOnTheOthers(String text) {
        assertThat(numbers.readDouble(text.toCharArray(), 0, text.length())).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "UINT8, 0, 255",
        "UINT16, 0, 65535",
        "UINT32, 0, 4294967295",
        "UINT64, 0, 18446744073709551615",
        "INT8, -128, 127",
        "INT16, -32768, 32767",
        "INT32, -2147483648, 2147483647",
        "INT64, -9223372036854775808, 9223372036854775807"
    })
    void shouldReadExactlyTheIntegersOfTheType(DataType type, BigInteger least, BigInteger greatest) {
        assertThat(readInteger(least, type)).isTrue();
        assertThat(numbers.integer()).isEqualTo(least.longValue());
        assertThat(readInteger(greatest, type)).isTrue();
        assertThat(numbers.integer()).isEqualTo(greatest.longValue());
        assertThat(readInteger(least.subtract(BigInteger.ONE), type)).isFalse();
        assertThat(readInteger(greatest.add(BigInteger.ONE), type)).isFalse();
        assertThat(readInteger(greatest.multiply(BigInteger.TEN), type)).isFalse();
        assertThat(readInteger(BigInteger.TEN.pow(40).negate(), type)).isFalse();
        assertThat(readInteger(BigInteger.ZERO, type)).isTrue();
    }

    private boolean readInteger(BigInteger value, DataType type) {
        String text = value.toString();
        return numbers.readInteger(text.toCharArray(), 0, text.length(), type);
    }

    private boolean checkFloat(String text) {
        if (!readFloat(text)) {
            return false;
        }
        assertThat(Float.floatToRawIntBits((float) numbers.value()))
                .as(text)
                .isEqualTo(Float.floatToRawIntBits(Float.parseFloat(text)));
        return true;
    }

    private boolean readFloat(String text) {
        return numbers.readFloat(text.toCharArray(), 0, text.length());
    }

    private String randomNumber() {
        StringBuilder text = new StringBuilder(random.nextBoolean() ? "-" : "");
        text.append(random.nextInt(4) == 0 ? "0" : Long.toString(random.nextLong(1, 1L << random.nextInt(1, 54))));
        if (random.nextBoolean()) {
            text.append('.');
            for (int digits = random.nextInt(1, 10); digits > 0; digits--) {
                text.append((char) ('0' + random.nextInt(10)));
            }
        }
        if (random.nextInt(3) == 0) {
            text.append(random.nextBoolean() ? "e" : "E-").append(random.nextInt(25));
        }
        return text.toString();
    }
}
