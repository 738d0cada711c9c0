// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DigitsTrainerTest {
    private static final Path DIGITS = Path.of("zoo/digits");

    /// Training is repeatable to the bit, so the repository must hold exactly what the code in it produces.
    @Test
    @Tag("slow")
    @Timeout(600)
    void shouldProduceTheFilesThatTheRepositoryHolds(@TempDir Path folder) throws IOException {
        DigitsTrainer.run(DIGITS.resolve("data/optdigits.csv.gz"), folder);

        assertThat(files(folder))
                .hasSize(32)
                .containsAll(files(DIGITS.resolve("1")).stream()
                        .map(file -> "1/" + file)
                        .toList());
        for (String file : files(folder)) {
            assertThat(folder.resolve(file)).hasSameBinaryContentAs(DIGITS.resolve(file));
        }
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }
}
