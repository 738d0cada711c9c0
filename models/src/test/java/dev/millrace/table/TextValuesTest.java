// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The short ways to times and numbers give what Java's do.
class TextValuesTest {
    private static final long YEAR_0 = -62_167_219_200L;
    private static final long YEAR_10000 = 253_402_300_800L;

    @TempDir
    Path temp;

    @Test
    void shouldReadTheTimesThatJavaReads() {
        SplittableRandom random = new SplittableRandom(20261123);
        int plain = 0;
        for (int i = 0; i < 50_000; i++) {
            long second = random.nextLong(YEAR_0, YEAR_10000);
            int nano =
                    random.nextInt(3) == 0 ? 0 : random.nextInt(1_000_000_000) / 1_000 * (random.nextInt(2) * 999 + 1);
            String text = Instant.ofEpochSecond(second, nano).toString();
            assertThat(TextValues.micros(text)).as(text).isEqualTo(TextValues.micros(Instant.parse(text)));
            plain += PlainTime.micros(text) == PlainTime.OTHER ? 0 : 1;
        }
        assertThat(plain).isEqualTo(50_000);
    }

    @Test
    void shouldReadOrRefuseWhatJavaReadsOrRefuses() {
        SplittableRandom random = new SplittableRandom(7);
        String signs = "0123456789-:.TZtz+ ";
        int refused = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder("2024-02-29T23:59:59.123456Z");
            for (int change = random.nextInt(1, 3); change > 0; change--) {
                int at = random.nextInt(text.length());
                if (random.nextInt(4) == 0) {
                    text.deleteCharAt(at);
                } else {
                    text.setCharAt(at, signs.charAt(random.nextInt(signs.length())));
                }
            }
            String changed = text.toString();
            if (!changed.endsWith("Z")) {
                continue;
            }
            try {
                long expected = TextValues.micros(Instant.parse(changed));
                assertThat(TextValues.micros(changed)).as(changed).isEqualTo(expected);
            } catch (DateTimeException _) {
                refused++;
                assertThatThrownBy(() -> TextValues.micros(changed)).as(changed).isInstanceOf(DateTimeException.class);
            }
        }
        assertThat(refused).isBetween(1_000, 49_000);
    }

    @Test
    void shouldFindTheDigitsThatJavaFinds() throws Exception {
        SplittableRandom random = new SplittableRandom(24);
        int least = Float.floatToRawIntBits(9e-4f);
        int most = Float.floatToRawIntBits(1.1e7f);
        int found = 0;
        for (int i = 0; i < 300_000; i++) {
            float power =
                    i % 2 == 0 ? Math.scalb(1f, random.nextInt(-9, 23)) : (float) Math.pow(10, random.nextInt(-3, 7));
            float value = i % 32 < 2
                    ? Float.intBitsToFloat(Float.floatToRawIntBits(power) + random.nextInt(-3, 4))
                    : Float.intBitsToFloat(random.nextInt(least, most));
            long digits = FloatDigits.of(value);
            if (digits != FloatDigits.OTHER) {
                Bytes text = new Bytes(8);
                text.putDecimal(digits >>> FloatDigits.PLACES_BITS, (int) digits & FloatDigits.PLACES);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                text.writeTo(bytes);
                assertThat(bytes.toString(StandardCharsets.US_ASCII)).isEqualTo(Float.toString(value));
                found++;
            }
        }
        assertThat(found).isGreaterThan(290_000);
    }

    @Test
    void shouldWriteTheNumbersThatJavaWrites() throws Exception {
        double[] some = {
            0,
            -0.0,
            1,
            -1,
            9_999_999,
            10_000_000,
            -9_999_999,
            -10_000_000,
            16_777_216,
            0.5,
            1e-3,
            9.99e-4,
            123_456,
            Integer.MIN_VALUE,
            Integer.MAX_VALUE,
            1e300,
            Double.MIN_VALUE,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            4_294_967_296.0,
            -7
        };
        List<Column> columns = List.of(Column.of("f", ColumnType.FLOAT32), Column.of("d", ColumnType.FLOAT64));
        SplittableRandom random = new SplittableRandom(3);
        TableBatch batch = TableBatch.of(columns, 3_000);
        batch.rows(3_000);
        StringBuilder expected = new StringBuilder("f,d\n");
        for (int row = 0; row < 3_000; row++) {
            double value = row < some.length ? some[row] : random.nextInt(-20_000_000, 20_000_000) / (1.0 + row % 3);
            batch.values(0).setFloat(row, (float) value);
            batch.values(1).setDouble(row, value);
            expected.append((float) value).append(',').append(value).append('\n');
        }
        Path file = temp.resolve("n.csv");
        try (TableWriter writer = TableWriter.create(file, columns)) {
            writer.append(batch);
            writer.finish();
        }
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.UTF_8)).isEqualTo(expected.toString());
    }
}
