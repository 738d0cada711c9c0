// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrialRecordTest {
    @TempDir
    Path temp;

    private TrialRecord record() {
        return new TrialRecord(Optional.of(temp.resolve("work/trials")));
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve("work/trials"))) {
            return files.sorted().toList();
        }
    }

    @Test
    void shouldRememberFromOneStartToTheNextWhenThereIsAFolder() throws IOException {
        TrialRecord first = record();
        first.add("a");
        first.add("b");
        assertThat(first.has("a")).isTrue();
        assertThat(first.has("c")).isFalse();
        assertThat(record().has("a")).isTrue();
        assertThat(record().has("c")).isFalse();
        assertThat(files()).hasSize(2);

        TrialRecord forgetful = new TrialRecord(Optional.empty());
        assertThat(forgetful.has("a")).isFalse();
        forgetful.add("a");
        assertThat(forgetful.has("a")).isTrue();
    }

    @Test
    void shouldTakeEntriesForNoneThatAreNotWhatTheyHaveToBe() throws IOException {
        record().add("subject");
        Path entry = files().getFirst();
        for (byte[] content : List.of(
                new byte[0],
                "subjec".getBytes(US_ASCII),
                "Subject".getBytes(US_ASCII),
                "subject\n".getBytes(US_ASCII),
                new byte[1 << 20])) {
            Files.write(entry, content);
            assertThat(record().has("subject")).isFalse();
        }
        Files.delete(entry);
        Files.createDirectory(entry);
        assertThat(record().has("subject")).isFalse();
        Files.delete(entry);
        record().add("subject");
        // That of another, under this one's name.
        Files.move(entry, entry.resolveSibling(ModelDigest.sha256("other") + ".passed"));
        assertThat(record().has("other")).isFalse();
    }

    @Test
    void shouldCostNoMoreThanATrialWhenTheFolderIsNoUse() throws IOException {
        Path file = Files.createFile(temp.resolve("file"));
        TrialRecord record = new TrialRecord(Optional.of(file.resolve("trials")));
        assertThat(record.has("a")).isFalse();
        record.add("a");
        assertThat(record.has("a")).isTrue();
        assertThat(new TrialRecord(Optional.of(file)).has("a")).isFalse();
    }

    @Test
    void shouldForgetTheOldestWhenThereAreTooMany() throws IOException {
        record().add("old");
        Path old = files().getFirst();
        Files.setLastModifiedTime(old, FileTime.fromMillis(1000));
        for (int i = 0; i < TrialRecord.MOST - 1; i++) {
            Files.createFile(old.resolveSibling(i + ".passed"));
        }
        record().add("new");

        assertThat(record().has("old")).isFalse();
        assertThat(record().has("new")).isTrue();
        assertThat(files()).hasSize(TrialRecord.MOST);
    }

    @Test
    void shouldTellSubjectsApartByAllThatATrialDependsOn() throws IOException {
        TrialLimits limits = TrialLimits.DEFAULT;
        SessionSettings settings = SessionSettings.DEFAULT;
        String subject = TrialRecord.subject("sha", temp, settings, limits);

        assertThat(subject).contains("sha", OrtRuntime.version(), System.getProperty("os.arch"));
        assertThat(TrialRecord.subject("sha", temp, settings, limits)).isEqualTo(subject);
        assertThat(TrialRecord.subject("other", temp, settings, limits)).isNotEqualTo(subject);
        assertThat(TrialRecord.subject("sha", temp, settings, new TrialLimits(1, limits.timeout())))
                .isNotEqualTo(subject);
        assertThat(TrialRecord.subject(
                        "sha", temp, settings.withOptimization(SessionSettings.Optimization.NONE), limits))
                .isNotEqualTo(subject);
        SessionSettings entries = new SessionSettings(
                1, 0, settings.optimization(), settings.arena(), settings.memoryPattern(), Map.of("a", "1", "b", "2"));
        assertThat(TrialRecord.subject("sha", temp, entries, limits)).isNotEqualTo(subject);
        Path set = Files.createDirectories(temp.resolve("test_data_set_0"));
        Files.write(set.resolve("input_0.pb"), new byte[] {1});
        String withGolden = TrialRecord.subject("sha", temp, settings, limits);
        assertThat(withGolden).isNotEqualTo(subject);
        Files.write(set.resolve("input_0.pb"), new byte[] {2});
        assertThat(TrialRecord.subject("sha", temp, settings, limits)).isNotEqualTo(withGolden);
    }
}
