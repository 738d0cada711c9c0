// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UploadPathTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1/model.onnx",
                "999999999999999999/a",
                "2/model.onnx/weights.bin",
                "1/a/b/c/d/e/f",
                "1/...",
                "1/..a",
                "1/a..",
                "1/~",
                "1/ä ö",
                "1/%2e%2e",
                "1/.hidden",
                "1/model.zip"
            })
    void shouldTakePathsThatStayInTheVersion(String text) {
        UploadPath path = UploadPath.of(text);

        assertThat(String.join("/", path.names())).isEqualTo(text);
        assertThat(path.version()).isPositive();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "\"\"                   | version",
                "1                    | version",
                "model.onnx           | version",
                "0/model.onnx         | version",
                "01/model.onnx        | version",
                "-1/model.onnx        | version",
                "1.0/model.onnx       | version",
                "/1/model.onnx        | version",
                "/etc/passwd          | version",
                "../1/model.onnx      | version",
                "./1/model.onnx       | version",
                "9999999999999999999/a| version",
                "1/                   | '' is no name",
                "1//model.onnx        | '' is no name",
                "1/model.onnx/        | '' is no name",
                "1/..                 | '..' is no name",
                "1/.                  | '.' is no name",
                "1/../../model.onnx   | '..' is no name",
                "1/a/../model.onnx    | '..' is no name",
                "1/./model.onnx       | '.' is no name",
                "1\\model.onnx        | version",
                "1/..\\..\\evil       | U+005C",
                "1/C:evil             | U+003A",
                "1/model.onnx:stream  | U+003A",
                "1/a/b/c/d/e/f/g/h    | more than 8 names",
            })
    void shouldRefuseByNameWhatLeadsElsewhere(String text, String why) {
        assertThatThrownBy(() -> UploadPath.of(text))
                .isInstanceOfSatisfying(
                        ManagementException.class,
                        problem -> assertThat(problem.problem()).isEqualTo(Problem.INVALID))
                .hasMessageContaining("file:" + text)
                .hasMessageContaining(why);
    }

    @Test
    void shouldRefuseCharactersThatNoNameHas() {
        for (int character : new int[] {0, 1, 7, 10, 13, 27, 127, 0x85, 0xd800, 0xffff}) {
            String name = "1/a" + (character < 0x10000 ? String.valueOf((char) character) : "") + "b";
            assertThatThrownBy(() -> UploadPath.of(name))
                    .isInstanceOf(ManagementException.class)
                    .hasMessageContaining(String.format("U+%04X", character))
                    .message()
                    .doesNotContain(String.valueOf((char) character));
        }
    }

    @Test
    void shouldRefuseNamesThatAreTooLong() {
        assertThat(UploadPath.of("1/" + "a".repeat(255)).names()).hasSize(2);
        assertThatThrownBy(() -> UploadPath.of("1/" + "a".repeat(256))).hasMessageContaining("longer than 255 bytes");
        assertThatThrownBy(() -> UploadPath.of("1/" + "ä".repeat(128))).hasMessageContaining("longer than 255 bytes");
        assertThatThrownBy(() -> UploadPath.of("1/" + ("a".repeat(250) + "/").repeat(5) + "b"))
                .hasMessageContaining("longer than 1024 bytes")
                .hasMessageNotContaining("a".repeat(200));
    }

    /// Whatever is taken stays below the folder, by the file system's own reckoning.
    @Test
    void shouldTakeNothingThatLeavesTheFolder() {
        String[] parts = {"1", "/", "..", ".", "a", "\\", "\0", "//", "2/", "~", ":", "%2f", "etc", " "};
        Path folder = Path.of("/srv/upload/model");
        long seed = 20260101;
        SplittableRandom random = new SplittableRandom(seed);
        int taken = 0;
        for (int i = 0; i < 200_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(8); length >= 0; length--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            try {
                UploadPath path = UploadPath.of(text.toString());
                Path file = folder;
                for (String name : path.names()) {
                    file = file.resolve(name);
                }
                taken++;
                assertThat(file.normalize()).as("seed %d: %s", seed, text).isEqualTo(file);
                assertThat(file.startsWith(folder))
                        .as("seed %d: %s", seed, text)
                        .isTrue();
                assertThat(file.getNameCount())
                        .isEqualTo(folder.getNameCount() + path.names().size());
            } catch (ManagementException _) {
                // refused
            }
        }
        assertThat(taken).isGreaterThan(100);
    }
}
