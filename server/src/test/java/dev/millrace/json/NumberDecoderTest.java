// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Numbers beside the JDK's, to the bit.
class NumberDecoderTest {
    private static final int ROUNDS = 200_000;

    private final JsonReader json = new JsonReader();
    private final SplittableRandom random = new SplittableRandom(7);
    private final MemorySegment floats = Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, 8);

    private static byte[] padded(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return Arrays.copyOf(bytes, bytes.length + JsonReader.PADDING);
    }

    private JsonReader read(String text) {
        json.reset(padded(text), 0, text.length());
        assertThat(json.token()).isEqualTo(JsonReader.Token.NUMBER);
        json.readNumber();
        assertThat(json.token()).isEqualTo(JsonReader.Token.END);
        json.seek(0);
        json.readNumber();
        return json;
    }

    private void check(String text) {
        assertThat(Double.doubleToRawLongBits(read(text).real()))
                .as(text)
                .isEqualTo(Double.doubleToRawLongBits(Double.parseDouble(text)));
        assertThat(json.isInRange()).as(text).isEqualTo(Double.isFinite(Double.parseDouble(text)));
        int expected = Float.floatToRawIntBits(Float.parseFloat(text));
        assertThat(Float.floatToRawIntBits(json.real32())).as(text).isEqualTo(expected);
        assertThat(json.isInRange()).as(text).isEqualTo(Float.isFinite(Float.parseFloat(text)));
        if (plain(text + ",1]") > 0) {
            assertThat(floats.get(ValueLayout.JAVA_INT, 0)).as(text).isEqualTo(expected);
        }
    }

    /// Reads an array that is open already; returns how many elements were plain.
    private int plain(String text) {
        json.reset(padded("[" + text), 0, text.length() + 1);
        json.enterArray();
        assertThat(json.nextElement()).isTrue();
        return json.readFloats(floats, 0, 8);
    }

    @Test
    void shouldReadRandomNumbers() {
        for (int i = 0; i < ROUNDS; i++) {
            check(randomNumber());
        }
    }

    private String randomNumber() {
        StringBuilder text = new StringBuilder(random.nextBoolean() ? "-" : "");
        text.append(random.nextInt(4) == 0 ? "0" : Long.toString(random.nextLong(1, 1L << random.nextInt(1, 63))));
        if (random.nextInt(4) != 0) {
            text.append('.');
            for (int digits = random.nextInt(1, 20); digits > 0; digits--) {
                text.append((char) ('0' + random.nextInt(10)));
            }
        }
        if (random.nextInt(3) == 0) {
            text.append(random.nextBoolean() ? "e" : "E-").append(random.nextInt(330));
        }
        return text.toString();
    }

    @Test
    void shouldReadPrintedFloatsAndDoublesAsTheyWere() {
        for (int i = 0; i < ROUNDS; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            double wide = Double.longBitsToDouble(random.nextLong());
            if (Float.isFinite(value) && Double.isFinite(wide)) {
                check(Float.toString(value));
                check(Double.toString(value));
                check(Double.toString(wide));
            }
        }
    }

    @Test
    void shouldReadWhatLiesHalfWayBetweenFloats() {
        for (int i = 0; i < ROUNDS; i++) {
            float value = random.nextInt(1, 1 << 24);
            // The midpoint to the next float, and its neighbours in the last digit.
            double middle = (value + (double) Math.nextUp(value)) / 2;
            check(Double.toString(middle));
            check(Double.toString(Math.nextUp(middle)));
            check(Double.toString(Math.nextDown(middle)));
        }
        assertThat(plain("16777217]")).as("left to the slower way").isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-0",
                "0.0",
                "-0.0",
                "1",
                "0.1",
                "1e22",
                "1E-22",
                "9007199254740992",
                "9007199254740993",
                "1e23",
                "0.000000000000001",
                "123456789012345678e21",
                "123456789012345678e22",
                "1e999",
                "-1e999",
                "1e-999",
                "340282356779733661637539395458142568448",
                "3.4028235677973366e38",
                "1.4e-45",
                "7e-46",
                "1.00000005960464477539062501",
                "12345678",
                "1234567",
                "1234567.12345678",
                "1234567.1234567890123456"
            })
    void shouldReadNumber(String text) {
        check(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"NaN", "Infinity", "-Infinity"})
    void shouldReadWordsAsInRange(String word) {
        assertThat(Double.valueOf(read(word).real())).isEqualTo(Double.valueOf(word));
        assertThat(json.isInRange()).isTrue();
        assertThat(Float.valueOf(json.real32())).isEqualTo(Float.valueOf(word));
        assertThat(json.isInRange()).isTrue();
        assertThat(json.isInteger()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "1.5,-2.25,3];3",
                "1.5, -2.25, 3 ];3",
                "1.5,1e3,3];1",
                "1,2,01];2",
                "1,2,.5];2",
                "1,2.];1",
                "1,-];1",
                "1,,2];1",
                "1,[2]];1",
                "1,null];1",
                "1,12345678];1",
                "1,0.1234567890123456789];1",
                "\"1\"];0",
                "1e1];0",
            })
    void shouldReadPlainNumbersUpToTheFirstOther(String text, int count) {
        assertThat(plain(text)).isEqualTo(count);
    }

    @Test
    void shouldStopAtTheLimit() {
        json.reset(padded("[1,2,3]"), 0, 7);
        json.enterArray();
        assertThat(json.nextElement()).isTrue();
        assertThat(json.readFloats(floats, 5, 7)).isEqualTo(2);
        assertThat(floats.getAtIndex(ValueLayout.JAVA_FLOAT, 6)).isEqualTo(2);
        assertThat(json.nextElement()).isTrue();
        json.readNumber();
        assertThat(json.integer(0, 9)).isEqualTo(3);
        assertThat(json.nextElement()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "8, -128, 127",
        "16, -32768, 32767",
        "32, -2147483648, 2147483647",
        "64, -9223372036854775808, 9223372036854775807"
    })
    void shouldReadExactlyTheIntegersOfARange(int bits, BigInteger least, BigInteger greatest) {
        long low = least.longValueExact();
        long high = greatest.longValueExact();
        for (BigInteger good : new BigInteger[] {least, greatest, BigInteger.ZERO}) {
            assertThat(read(good.toString()).integer(low, high)).isEqualTo(good.longValueExact());
            assertThat(json.isInRange()).isTrue();
        }
        for (BigInteger bad : new BigInteger[] {
            least.subtract(BigInteger.ONE),
            greatest.add(BigInteger.ONE),
            greatest.multiply(BigInteger.TEN),
            BigInteger.TWO.pow(64).add(BigInteger.ONE),
            BigInteger.TEN.pow(40).negate()
        }) {
            long _ = read(bad.toString()).integer(low, high);
            assertThat(json.isInRange()).as(bits + " bits, " + bad).isFalse();
        }
    }

    @Test
    void shouldReadUnsignedIntegers() {
        assertThat(read("18446744073709551615").unsigned()).isEqualTo(-1);
        assertThat(json.isInRange()).isTrue();
        for (String bad : new String[] {"18446744073709551616", "-1", "99999999999999999999999"}) {
            long _ = read(bad).unsigned();
            assertThat(json.isInRange()).as(bad).isFalse();
        }
    }
}
