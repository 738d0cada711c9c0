// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DecimalsTest {
    private final Decimals decimals = new Decimals();

    /// What the JDK reads from the same digits, to the last bit.
    @Test
    void shouldReadTheNearestNumbers() {
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < 60_000; i++) {
            String text = text(random);

            assertThat(decimals.scan(text.toCharArray(), 0, text.length()))
                    .as(text)
                    .isTrue();
            if (Double.doubleToRawLongBits(decimals.toDouble()) != Double.doubleToRawLongBits(Double.parseDouble(text))
                    || Float.floatToRawIntBits(decimals.toFloat()) != Float.floatToRawIntBits(Float.parseFloat(text))) {
                assertThat(decimals.toDouble()).as(text).isEqualTo(Double.parseDouble(text));
                assertThat(decimals.toFloat()).as(text).isEqualTo(Float.parseFloat(text));
            }
        }
    }

    private static String text(SplittableRandom random) {
        String sign = List.of("", "", "-", "+").get(random.nextInt(4));
        return sign
                + switch (random.nextInt(8)) {
                    case 0 -> Float.toString(Math.abs(Float.intBitsToFloat(random.nextInt(0x7F800000))));
                    case 1 -> Double.toString(random.nextDouble() * 100);
                    case 2 -> middle(random);
                    case 3 -> random.nextLong(1_000_000_000_000_000_000L) + "e" + random.nextInt(-60, 60);
                    case 4 -> random.nextLong(1L << 53, 1_000_000_000_000_000_000L) + "e-" + random.nextInt(24);
                    case 5 -> middleOfDoubles(random);
                    case 6 -> "000." + "0".repeat(random.nextInt(30)) + random.nextInt(1_000_000);
                    default -> random.nextInt(100_000) / 100.0 + "";
                };
    }

    /// Right between two floats, or a little beside.
    private static String middle(SplittableRandom random) {
        float value = Float.intBitsToFloat(random.nextInt(0x3F000000, 0x4B000000));
        BigDecimal between =
                new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.TWO);
        BigDecimal step =
                BigDecimal.ONE.movePointLeft(random.nextInt(8, 40)).multiply(new BigDecimal(random.nextInt(-1, 2)));
        return between.add(step).abs().toPlainString();
    }

    /// Right between two doubles, with as few digits as that takes.
    private static String middleOfDoubles(SplittableRandom random) {
        long odd = 2 * random.nextLong(1L << 52, 1L << 53) + 1;
        return BigDecimal.valueOf(odd)
                .divide(BigDecimal.valueOf(1L << random.nextInt(4)))
                .add(BigDecimal.valueOf(random.nextInt(-1, 2), 3))
                .setScale(1 + random.nextInt(3), RoundingMode.DOWN)
                .toPlainString();
    }

    @Test
    void shouldReadIntegersExactly() {
        for (String text :
                List.of("0", "-0", "9223372036854775807", "-9223372036854775808", "1.50e1", "12e2", "+7", "3.0")) {
            assertThat(decimals.scan(text.toCharArray(), 0, text.length()))
                    .as(text)
                    .isTrue();
            assertThat(decimals.isLong()).as(text).isTrue();
            assertThat(decimals.toLong()).as(text).isEqualTo(new BigDecimal(text).longValueExact());
        }
        for (String text : List.of("9223372036854775808", "0.5", "1e30", "1e999999", "1e-999999")) {
            assertThat(decimals.scan(text.toCharArray(), 0, text.length()))
                    .as(text)
                    .isTrue();
            assertThat(decimals.isLong()).as(text).isFalse();
        }
    }

    @Test
    void shouldNotReadWhatIsNoDecimalNumber() {
        for (String text :
                List.of("", "-", ".", "e5", "1e", "1e+", "0x10", "1f", "1.2.3", "1_000", "NaN", " 1", "1e9999999")) {
            assertThat(decimals.scan(text.toCharArray(), 0, text.length()))
                    .as(text)
                    .isFalse();
        }
    }
}
