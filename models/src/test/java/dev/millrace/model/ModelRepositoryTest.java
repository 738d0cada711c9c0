// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.millrace.model.ModelRepository.Entry;
import dev.millrace.model.ModelRepository.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
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
        return new Version(number, file.getParent());
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
    void shouldTakeOneConfigurationOfEitherForm() throws IOException {
        model("a/1/model.onnx");
        Path yaml = model("a/model.yaml");
        assertThat(ModelRepository.scan(List.of(temp)).getFirst().config()).contains(yaml);
        model("a/config.pbtxt");
        assertThat(ModelRepository.scan(List.of(temp)).getFirst().problem())
                .contains("config.pbtxt and model.yaml are both in " + temp.resolve("a") + ", expected one of them");
    }

    @Test
    void shouldTakeTheFileInAFolderOfItsName() throws IOException {
        Path inside = model("a/1/model.onnx/model.onnx");
        model("a/1/model.onnx/weights.bin");

        Version found =
                ModelRepository.scan(List.of(temp)).getFirst().versions().getFirst();
        assertThat(found.file(ModelRepository.MODEL_FILE)).isEqualTo(inside);
        assertThat(found.file("other.onnx")).isEqualTo(temp.resolve("a/1/other.onnx"));
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
    void shouldFindOneModelAsAllAreFound() throws IOException {
        model("first/a/1/model.onnx");
        model("first/b/1/model.onnx");
        model("first/.hidden/1/model.onnx");
        model("first/empty/readme");
        model("second/a/2/model.onnx");
        List<Path> roots = List.of(temp.resolve("first"), temp.resolve("second"));

        for (Entry entry : ModelRepository.scan(roots)) {
            assertThat(ModelRepository.find(roots, entry.name())).contains(entry);
        }
        for (String none : List.of("c", "", ".", "..", ".hidden", "a/1", "../first/a")) {
            assertThat(ModelRepository.find(roots, none)).as(none).isEmpty();
        }
        assertThatThrownBy(() -> ModelRepository.find(List.of(temp.resolve("missing")), "a"))
                .isInstanceOf(IOException.class);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldFindTheOthersWhenOneCannotBeRead() throws IOException {
        model("a/1/model.onnx");
        Path closed = model("b/1/model.onnx").getParent().getParent();
        assumeThat(closed.toFile().setReadable(false)).isTrue();
        try {
            assumeThat(Files.isReadable(closed))
                    .as("who runs this may read all")
                    .isFalse();
            List<Entry> all = ModelRepository.scan(List.of(temp));
            assertThat(all).extracting(Entry::name).containsExactly("a", "b");
            assertThat(all.getFirst().problem()).isEmpty();
            assertThat(all.getLast().problem()).hasValue("it cannot be read: " + closed);
            assertThat(ModelRepository.find(List.of(temp), "b")).contains(all.getLast());
        } finally {
            assertThat(closed.toFile().setReadable(true)).isTrue();
        }
    }

    @Test
    void shouldPassOverWhatFileSystemsHaveAtTheirRoot() throws IOException {
        model("a/1/model.onnx");
        model("lost+found/1/model.onnx");
        assertThat(ModelRepository.scan(List.of(temp))).extracting(Entry::name).containsExactly("a");
    }

    @Test
    void shouldFindAModelWhileFilesOfOthersComeAndGo() throws Exception {
        model("a/1/model.onnx");
        Path coming = model("b/1/model.onnx");
        AtomicBoolean stopped = new AtomicBoolean();
        Thread changer = Thread.ofPlatform().start(() -> {
            while (!stopped.get()) {
                try {
                    Files.delete(coming);
                    Files.writeString(coming, "anew");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        });

        try {
            for (int i = 0; i < 2_000; i++) {
                List<Entry> all = ModelRepository.scan(List.of(temp));
                assertThat(all).extracting(Entry::name).containsExactly("a", "b");
                assertThat(all.getFirst().problem()).isEmpty();
                assertThat(ModelRepository.find(List.of(temp), "a")).contains(all.getFirst());
            }
        } finally {
            stopped.set(true);
            changer.join();
        }
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
        model("root/.store/x/7/model.onnx");
        Path root = temp.resolve("root");
        Files.createSymbolicLink(root.resolve("a"), root.resolve(".store/x"));
        Files.createSymbolicLink(root.resolve("broken"), temp.resolve("nowhere"));

        assertThat(ModelRepository.scan(List.of(root)))
                .containsExactly(new Entry(
                        "a",
                        List.of(version(7, root.resolve("a/7/model.onnx"))),
                        java.util.Optional.empty(),
                        java.util.Optional.empty()));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldRefuseLinksThatLeadOutOfTheRepository() throws IOException {
        Path repository = Files.createDirectories(temp.resolve("repository"));
        Path secret = model("elsewhere/1/model.onnx");
        Path config = Files.writeString(temp.resolve("config.pbtxt"), "");
        model("repository/good/1/model.onnx");
        model("repository/version/1/model.onnx");
        Files.createSymbolicLink(repository.resolve("version/2"), secret.getParent());
        Files.createDirectories(repository.resolve("file/1"));
        Files.createSymbolicLink(repository.resolve("file/1/model.onnx"), secret);
        model("repository/data/1/model.onnx");
        Files.createSymbolicLink(repository.resolve("data/1/weights.bin"), secret);
        Files.createSymbolicLink(repository.resolve("model"), temp.resolve("elsewhere"));
        model("repository/config/1/model.onnx");
        Files.createSymbolicLink(repository.resolve("config/config.pbtxt"), config);
        model("repository/indirect/1/model.onnx");
        Files.createSymbolicLink(repository.resolve("indirect/2"), repository.resolve("file/1"));
        Files.createDirectories(repository.resolve("dots/1"));
        Files.createSymbolicLink(repository.resolve("dots/1/model.onnx"), Path.of("../../../elsewhere/1/model.onnx"));

        List<Entry> entries = ModelRepository.scan(List.of(repository));

        assertThat(entries)
                .filteredOn(entry -> entry.problem().isEmpty())
                .extracting(Entry::name)
                .containsExactly("good");
        assertThat(entries)
                .filteredOn(entry -> !entry.name().equals("good"))
                .hasSize(7)
                .allSatisfy(entry -> {
                    assertThat(entry.versions()).isEmpty();
                    assertThat(entry.config()).isEmpty();
                    assertThat(entry.problem().orElseThrow()).contains("leads out of the repository");
                });
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldFollowLinksWithinTheRepositoryAndToIt() throws IOException {
        // As Kubernetes mounts a ConfigMap or a volume: every name leads through ..data to the folder of an update.
        Path mount = Files.createDirectories(temp.resolve("mount"));
        model("mount/..2026_01_01/a/1/model.onnx");
        Files.createSymbolicLink(mount.resolve("..data"), Path.of("..2026_01_01"));
        Files.createSymbolicLink(mount.resolve("a"), Path.of("..data/a"));
        model("mount/b/1/model.onnx");
        Files.createSymbolicLink(mount.resolve("b/2"), Path.of("1"));
        Path link = Files.createSymbolicLink(temp.resolve("link"), mount);

        for (Path root : List.of(mount, link)) {
            List<Entry> entries = ModelRepository.scan(List.of(root));

            assertThat(entries).allMatch(entry -> entry.problem().isEmpty());
            assertThat(entries).extracting(Entry::name).containsExactly("a", "b");
            assertThat(entries.getLast().versions()).extracting(Version::number).containsExactly(1L, 2L);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldPassOverLinksThatLeadNowhere() throws IOException {
        Path one = model("a/1/model.onnx");
        Files.createSymbolicLink(temp.resolve("a/1/gone"), Path.of("nowhere"));
        Files.createSymbolicLink(temp.resolve("a/1/loop"), Path.of("loop"));
        Files.createSymbolicLink(temp.resolve("a/1/self"), Path.of("."));

        assertThat(ModelRepository.scan(List.of(temp)).getFirst())
                .isEqualTo(new Entry(
                        "a", List.of(version(1, one)), java.util.Optional.empty(), java.util.Optional.empty()));
    }
}
