// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
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
        damage(20261123, 1000);
    }

    @Test
    @Tag("slow")
    void shouldReadOrRefuseWhenManyTextsAreDamaged() {
        damage(20261125, 30_000);
    }

    private void damage(long seed, int cases) {
        SplittableRandom random = new SplittableRandom(seed);
        int read = 0;
        int refused = 0;
        for (int i = 0; i < cases; i++) {
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
        assertThat(read).isGreaterThan(cases / 200);
        assertThat(refused).isGreaterThan(cases / 4);
    }

    @Test
    void shouldReadOrRefuseWhenAStateFileIsDamaged() throws IOException {
        String state = """
            {"y": {"mean": 1.5, "std": 2e-1, "ddof": 0},
             "other": {"mean": [1, 2, {"a": null}], "std": "\\u00fc", "name": true}}
            """;
        long seed = 20261124;
        SplittableRandom random = new SplittableRandom(seed);
        int read = 0;
        for (int i = 0; i < 500; i++) {
            String text = damaged(state, random);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            Files.write(folder.resolve("s.json"), bytes);
            String reference =
                    "file:s.json@sha256:" + FeatureSpecTest.sha256(new String(bytes, StandardCharsets.UTF_8));
            try {
                FeatureSpec.parse(SpecTexts.of("x", "[{standardize: {state: '" + reference + "'}}]"), folder);
                read++;
            } catch (FeatureSpecException e) {
                assertThat(e.problems())
                        .as("seed %d, case %d:%n%s", seed, i, text)
                        .allMatch(problem ->
                                problem.matches("(?s)(features\\.yaml|s\\.json):[1-9][0-9]*:[1-9][0-9]*: .+: .+"));
            }
        }
        assertThat(read).isBetween(10, 490);
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
