// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever is in the file, it is read, or refused with places and fields.
class SpecFuzzTest {
    private static final String[] SPLINTERS = {
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "'",
        "\"",
        "\\",
        "-",
        "#",
        "\n",
        "  ",
        "null",
        "NaN",
        "-1",
        "1e999",
        "0x7",
        "true",
        "file:",
        "file:x@sha256:",
        "{}",
        "[]",
        "[[]]",
        "\u0000",
        "\uFEFF",
        "\uD800",
        "9999999999999999999",
        "name",
        "y"
    };

    @TempDir
    Path folder;

    @Test
    void shouldReadOrRefuseWhenTheTextIsDamaged() {
        long seed = 20261123;
        SplittableRandom random = new SplittableRandom(seed);
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            String text = damaged(SpecTexts.WHOLE, random);
            try {
                assertThat(FeatureSpec.parse(text, folder).columns()).isNotEmpty();
                read++;
            } catch (FeatureSpecException e) {
                assertThat(e.problems())
                        .as("seed %d, case %d", seed, i)
                        .isNotEmpty()
                        .allMatch(
                                problem -> problem.matches("(?s)features\\.yaml:[1-9][0-9]*:[1-9][0-9]*: .+: .+"),
                                "says where");
                refused++;
            } catch (RuntimeException e) {
                fail("seed " + seed + ", case " + i + ":\n" + text, e);
            }
        }
        assertThat(read).isGreaterThan(100);
        assertThat(refused).isGreaterThan(1000);
    }

    private static String damaged(String whole, SplittableRandom random) {
        StringBuilder text = new StringBuilder(whole);
        for (int n = random.nextInt(1, 4); n > 0; n--) {
            int at = random.nextInt(text.length());
            int to = Math.min(text.length(), at + random.nextInt(1, random.nextInt(5) == 0 ? 200 : 8));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(at, to);
                case 1 -> text.insert(at, SPLINTERS[random.nextInt(SPLINTERS.length)]);
                case 2 -> text.replace(at, to, SPLINTERS[random.nextInt(SPLINTERS.length)]);
                case 3 -> text.insert(random.nextInt(text.length()), text.substring(at, to));
                default -> {
                    int from = text.indexOf(": ", at);
                    int end = from < 0 ? -1 : text.indexOf(",", from);
                    if (end > from && end - from < 40) {
                        text.replace(from + 2, end, SPLINTERS[random.nextInt(SPLINTERS.length)]);
                    }
                }
            }
        }
        return text.toString();
    }
}
