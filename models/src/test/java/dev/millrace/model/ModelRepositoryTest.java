// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.model.ModelRepository.Entry;
import dev.millrace.model.ModelRepository.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ModelRepositoryTest {
    @TempDir
    Path temp;

    private Path model(String path) throws IOException {
        Path file = temp.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "not looked into");
    }

    private static Version version(long number, Path file) {
        return new Version(number, file);
    }

    @Test
    void shouldFindModelsByNameAndVersionsByNumber() throws IOException {
        Path ten = model("b/10/model.onnx");
        Path nine = model("b/9/model.onnx");
        Path one = model("a/1/model.onnx");

        List<Entry> entries = ModelRepository.scan(List.of(temp));

        assertThat(entries).extracting(Entry::name).containsExactly("a", "b");
        assertThat(entries.getFirst().versions()).containsExactly(version(1, one));
        assertThat(entries.getLast().versions()).containsExactly(version(9, nine), version(10, ten));
        assertThat(entries).allMatch(entry -> entry.problem().isEmpty());
    }

    @Test
    void shouldPassOverWhatIsNoVersion() throws IOException {
        Path one = model("a/1/model.onnx");
        for (String other : List.of("0", "01", "-1", "+1", "1.0", "v2", "1a", " 2", "latest", ".3", "goldens", "٣")) {
            model("a/" + other + "/model.onnx");
        }
        model("a/README.md");
        model("a/2");

        assertThat(ModelRepository.scan(List.of(temp)).getFirst().versions()).containsExactly(version(1, one));
    }

    @Test
    void shouldTakeVersionsAsLargeAsALong() throws IOException {
        Path large = model("a/999999999999999999/model.onnx");
        model("a/99999999999999999999/model.onnx");

        assertThat(ModelRepository.scan(List.of(temp)).getFirst().versions())
                .containsExactly(version(999_999_999_999_999_999L, large));
    }

    @Test
    void shouldPassOverFilesAndHiddenFoldersBesideModels() throws IOException {
        model("a/1/model.onnx");
        model(".git/1/model.onnx");
        model("README.md");

        assertThat(ModelRepository.scan(List.of(temp))).extracting(Entry::name).containsExactly("a");
    }

    @Test
    void shouldTakeTheFileInAFolderOfItsName() throws IOException {
        Path inside = model("a/1/model.onnx/model.onnx");
        model("a/1/model.onnx/weights.bin");

        assertThat(ModelRepository.scan(List.of(temp)).getFirst().versions()).containsExactly(version(1, inside));
    }

    @Test
    void shouldSayWhatIsMissingWhenThereIsNoVersion() throws IOException {
        Files.createDirectories(temp.resolve("a/latest"));

        Entry entry = ModelRepository.scan(List.of(temp)).getFirst();

        assertThat(entry.versions()).isEmpty();
        assertThat(entry.problem())
                .hasValueSatisfying(problem -> assertThat(problem)
                        .contains("no version folder")
                        .contains(temp.resolve("a").toString()));
    }

    @Test
    void shouldRefuseANameThatTwoRootsHave() throws IOException {
        model("first/a/1/model.onnx");
        model("first/b/1/model.onnx");
        model("second/a/2/model.onnx");
        model("third/a/3/model.onnx");
        List<Path> roots = List.of(temp.resolve("first"), temp.resolve("second"), temp.resolve("third"));

        List<Entry> entries = ModelRepository.scan(roots);

        assertThat(entries).extracting(Entry::name).containsExactly("a", "b");
        assertThat(entries.getFirst().versions()).isEmpty();
        assertThat(entries.getFirst().problem())
                .hasValueSatisfying(
                        problem -> assertThat(problem).contains("first").contains("second"));
        assertThat(entries.getLast().problem()).isEmpty();
    }

    @Test
    void shouldBeEmptyWhenRootsAre() throws IOException {
        assertThat(ModelRepository.scan(List.of(temp))).isEmpty();
        assertThat(ModelRepository.scan(List.of())).isEmpty();
    }

    @Test
    void shouldThrowWhenARootIsNoFolder() throws IOException {
        Path file = model("file");
        Path missing = temp.resolve("missing");

        assertThatThrownBy(() -> ModelRepository.scan(List.of(file)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString());
        assertThatThrownBy(() -> ModelRepository.scan(List.of(temp, missing)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(missing.toString());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldFollowSymbolicLinks() throws IOException {
        model("store/x/7/model.onnx");
        Path root = Files.createDirectories(temp.resolve("root"));
        Files.createSymbolicLink(root.resolve("a"), temp.resolve("store/x"));
        Files.createSymbolicLink(root.resolve("broken"), temp.resolve("nowhere"));

        assertThat(ModelRepository.scan(List.of(root)))
                .containsExactly(new Entry(
                        "a",
                        List.of(version(7, root.resolve("a/7/model.onnx"))),
                        java.util.Optional.empty(),
                        java.util.Optional.empty()));
    }
}
