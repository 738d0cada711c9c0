// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FraudTrainerTest {

    /// Training is repeatable to the bit, so the repository must hold exactly what the code in it produces.
    @Test
    @Tag("slow")
    void shouldProduceTheFilesThatTheRepositoryHolds(@TempDir Path folder) throws IOException {
        FraudTrainer.run(folder);

        for (String part : List.of("1", "data")) {
            Path made = folder.resolve(part);
            Path kept = ZooFiles.fraud().resolve(part);
            assertThat(files(made)).isEqualTo(files(kept));
            for (String file : files(kept)) {
                assertThat(made.resolve(file)).hasSameBinaryContentAs(kept.resolve(file));
            }
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
