// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The normative page names every key and word that the reader takes, and its example is read.
class FeatureDocsTest {
    private static final Path PAGE = Path.of("..", "docs", "features.md");

    private static String page() throws IOException {
        assumeTrue(Files.exists(PAGE), "there is no " + PAGE);
        return Files.readString(PAGE);
    }

    @Test
    void shouldReadTheExampleOfThePage() throws IOException {
        String page = page();
        int start = page.indexOf("```yaml\n") + "```yaml\n".length();
        String example = page.substring(start, page.indexOf("```", start));
        assertThat(example).contains("'file:country.txt@sha256:…'");

        FeatureSpec spec = FeatureSpec.parse(example.replace("'file:country.txt@sha256:…'", "[DE, FR]"), Path.of(""));

        assertThat(spec.columns()).containsExactly("amount_z", "amount_isnull", "country_DE", "country_FR", "hour_sin");
    }

    @Test
    void shouldNameEveryKeyAndWord() throws IOException {
        String page = page();
        List<String> missing = new ArrayList<>();
        Grammar.SHAPES.forEach((name, shape) -> shape.keys().stream()
                .filter(key -> !page.matches("(?s).*[`{ ,]" + key + "[`}: ,].*"))
                .forEach(key -> missing.add(name + "." + key)));
        Grammar.WORDS.forEach((key, words) -> words.stream()
                .filter(word -> !page.matches("(?s).*[` ]" + word + "[`; ,}\n].*"))
                .forEach(word -> missing.add(key + ": " + word)));
        Grammar.TRANSFORMS.stream()
                .filter(name -> !page.contains("| `" + name))
                .forEach(name -> missing.add("operator " + name));

        assertThat(missing).as("not in " + PAGE).isEmpty();
    }
}
