// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// What is there when a store is opened again, whatever became of its files.
class StoreRecoveryTest {
    private static final StoreOptions SMALL = new StoreOptions(Durability.PROCESS, 8, 1 << 30);

    @TempDir
    Path temp;

    private final WriteBatch batch = new WriteBatch();

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private EmbeddedStore open(Path folder) throws IOException {
        return EmbeddedStore.open(folder, SMALL, Samples.EVERY, Samples.TEN);
    }

    @Test
    void shouldHaveEverythingWhenItIsOpenedAgain() throws IOException {
        for (long seed = 1; seed <= 3; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Path folder = temp.resolve("seed" + seed);
            try (MapStore map = new MapStore(Samples.EVERY, Samples.TEN)) {
                for (int round = 0; round < 8; round++) {
                    try (EmbeddedStore store = open(folder)) {
                        String what = "seed " + seed + " round " + round;
                        AnyRows.assertSame(what, store.view("every"), map.view("every"));
                        for (int step = 0; step < 10; step++) {
                            batch.clear();
                            AnyRows.add(batch, store.view("every"), random, random.nextInt(30));
                            store.write(batch);
                            map.write(batch);
                            if (random.nextInt(15) == 0) {
                                store.checkpoint();
                            }
                        }
                        AnyRows.assertSame(what, store.view("every"), map.view("every"));
                    }
                }
            }
        }
    }

    /// A copy of a store's files is what a crash leaves, as nothing is closed in it.
    private Path copy(Path folder, String name) throws IOException {
        Path copy = Files.createDirectories(temp.resolve(name));
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }

    private Path last(Path folder, String end) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(end))
                    .sorted()
                    .reduce((_, last) -> last)
                    .orElseThrow();
        }
    }

    @Test
    void shouldHaveWholeBatchesWhenTheLogWasTorn() throws IOException {
        tear(97);
    }

    @Test
    @Tag("slow")
    void shouldHaveWholeBatchesWhenTheLogWasTornAnywhere() throws IOException {
        tear(1);
    }

    private void tear(int step) throws IOException {
        Path folder = temp.resolve("store");
        long[] ends = new long[4];
        try (EmbeddedStore store = open(folder)) {
            View ten = store.view("ten");
            for (int b = 0; b < 4; b++) {
                batch.clear();
                for (int key = 0; key < 3; key++) {
                    Samples.addTen(batch, ten, key, b);
                }
                store.write(batch);
                ends[b] = store.statistics().logBytes();
            }
        }
        for (int cut = 0; cut <= ends[3]; cut += step) {
            Path torn = copy(folder, "torn" + cut);
            Path log = last(torn, ".log");
            Files.write(log, Arrays.copyOf(Files.readAllBytes(log), cut));
            int at = cut;
            int whole = (int) Arrays.stream(ends).filter(end -> end <= at).count();
            try (EmbeddedStore read = EmbeddedStore.openToRead(torn)) {
                requireBatches("read, cut at " + cut, read, whole);
            }
            try (EmbeddedStore store = open(torn)) {
                requireBatches("cut at " + cut, store, whole);
                batch.clear();
                Samples.addTen(batch, store.view("ten"), 7, 9);
                store.write(batch);
            }
            try (EmbeddedStore store = open(torn)) {
                requireBatches("written after a cut at " + cut, store, whole);
                try (ViewReader reader = store.view("ten").reader()) {
                    assertThat(reader.find(7)).as("cut at %d", cut).isTrue();
                }
            }
        }
    }

    private static void requireBatches(String what, EmbeddedStore store, int whole) {
        try (ViewReader reader = store.view("ten").reader()) {
            for (int key = 0; key < 3; key++) {
                assertThat(reader.find(key)).as(what).isEqualTo(whole > 0);
                if (whole > 0) {
                    assertThat(reader.row().eventTime()).as(what).isEqualTo(whole - 1);
                    assertThat(Samples.problem(key, reader.row())).as(what).isEmpty();
                }
            }
        }
    }

    @Test
    void shouldSayWhatIsDamagedWhenABitIsNotAsItWas() throws IOException {
        Path folder = temp.resolve("store");
        StoreOptions durable = SMALL.durability(Durability.DISK);
        try (EmbeddedStore store = EmbeddedStore.open(folder, durable, Samples.EVERY, Samples.TEN)) {
            for (int b = 0; b < 4; b++) {
                batch.clear();
                Samples.addTen(batch, store.view("ten"), b, b);
                AnyRows.add(batch, store.view("every"), new SplittableRandom(b), 5);
                store.write(batch);
                if (b == 1) {
                    store.checkpoint();
                }
            }
        }
        SplittableRandom random = new SplittableRandom(3);
        int refused = 0;
        for (int i = 0; i < 150; i++) {
            Path damaged = copy(folder, "damaged" + i);
            List<Path> files;
            try (Stream<Path> all = Files.list(damaged)) {
                files = all.filter(file -> !file.endsWith("LOCK")).sorted().toList();
            }
            Path file = files.get(random.nextInt(files.size()));
            byte[] bytes = Files.readAllBytes(file);
            int bit = random.nextInt(bytes.length * 8);
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file, bytes);
            refused += requireSound(file + " bit " + bit, damaged) ? 0 : 1;
        }
        assertThat(refused).as("damaged files that were refused").isGreaterThan(100);
    }

    /// A store that opens has all rows but perhaps those of its last batch: that one may not have
    /// been acknowledged.
    private boolean requireSound(String what, Path damaged) throws IOException {
        try (EmbeddedStore store = open(damaged);
                ViewReader reader = store.view("ten").reader()) {
            for (int b = 0; b < 3; b++) {
                assertThat(reader.find(b)).as(what).isTrue();
                assertThat(Samples.problem(b, reader.row())).as(what).isEmpty();
            }
            return true;
        } catch (CorruptStoreException e) {
            assertThat(e).as(what).hasMessageContaining(damaged.toString());
            return false;
        }
    }

    @Test
    void shouldSayWhatIsMissingWhenAFileIs() throws IOException {
        Path folder = temp.resolve("store");
        try (EmbeddedStore store = open(folder)) {
            store.checkpoint();
            Samples.addTen(batch, store.view("ten"), 1, 1);
            store.write(batch);
        }
        for (String end : List.of(".log", ".rows")) {
            Path without = copy(folder, "without" + end);
            Path file = last(without, end);
            Files.delete(file);
            assertThatExceptionOfType(CorruptStoreException.class)
                    .isThrownBy(() -> open(without))
                    .withMessage(file + ": it is missing");
        }
        Path other = Files.createDirectories(temp.resolve("other"));
        Files.writeString(other.resolve("letter.txt"), "dear");
        assertThatExceptionOfType(CorruptStoreException.class)
                .isThrownBy(() -> open(other))
                .withMessageEndingWith("it has no MANIFEST, but other files: it is no feature store");
    }

    @Test
    void shouldGoOnFromTheOldSnapshotWhenACheckpointWasNotFinished() throws IOException {
        Path folder = temp.resolve("store");
        try (EmbeddedStore store = open(folder)) {
            for (int b = 0; b < 3; b++) {
                batch.clear();
                Samples.addTen(batch, store.view("ten"), b, b);
                store.write(batch);
                Path before = copy(folder, "before" + b);
                store.checkpoint();
                Path after = copy(folder, "after" + b);
                // The new log and a part of the new snapshot are there, but not the new manifest.
                try (Stream<Path> files = Files.list(after)) {
                    for (Path file : files.toList()) {
                        Path old = before.resolve(file.getFileName());
                        if (!Files.exists(old)) {
                            byte[] bytes = Files.readAllBytes(file);
                            boolean isRows = file.toString().endsWith(".rows");
                            Files.write(old, isRows ? Arrays.copyOf(bytes, bytes.length / 2) : bytes);
                        }
                    }
                }
                try (EmbeddedStore recovered = open(before);
                        ViewReader reader = recovered.view("ten").reader()) {
                    for (int key = 0; key <= b; key++) {
                        assertThat(reader.find(key))
                                .as("batch %d key %d", b, key)
                                .isTrue();
                    }
                    recovered.checkpoint();
                }
                try (Stream<Path> files = Files.list(before)) {
                    assertThat(files.map(file -> file.getFileName().toString()))
                            .as("a log, two snapshots, the manifest and the lock")
                            .hasSize(5);
                }
            }
        }
    }

    @Test
    void shouldNotChangeTheSnapshotWhenItsTableIsWrittenTo() throws IOException {
        Path folder = temp.resolve("store");
        try (EmbeddedStore store = open(folder)) {
            Samples.addTen(batch, store.view("ten"), 1, 1);
            store.write(batch);
            store.checkpoint();
        }
        Path rows = last(folder, ".rows");
        byte[] before = Files.readAllBytes(rows);
        try (EmbeddedStore store = open(folder)) {
            batch.clear();
            Samples.addTen(batch, store.view("ten"), 1, 2);
            store.write(batch);
            assertThat(Files.readAllBytes(rows)).isEqualTo(before);
        }
    }

    /// A file that must not grow is like a disk that is full: a part of a record is written, and no
    /// more.
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldGoOnWhenTheLogCouldNotBeWritten() throws Exception {
        Path folder = temp.resolve("store");
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -f 512 && exec \"$@\"",
                        "sh",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CappedWriter.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).endsWith(" File too large\n");
        long last = Long.parseLong(
                said.lines().reduce((_, line) -> line).orElseThrow().split(" ")[0]);
        assertThat(last).as("batches").isGreaterThan(10);
        try (EmbeddedStore store = open(folder);
                ViewReader reader = store.view("ten").reader()) {
            for (long key = 0; key < 50; key++) {
                assertThat(reader.find(key)).isTrue();
                assertThat(reader.row().eventTime()).isEqualTo(last);
                assertThat(Samples.problem(key, reader.row())).isEmpty();
            }
        }
    }
}
