// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A process that writes to a store is killed at random moments: what it had acknowledged is there,
/// no row is a part of one, and there is nothing that was never written.
@DisabledOnOs(OS.WINDOWS)
class StoreKillTest {
    private static final int LONGEST_MICROS = 200_000;

    @TempDir
    Path temp;

    private long acknowledged;
    private long highest;
    private int inRecovery;
    private int unacknowledged;

    @Test
    void shouldLoseNothingWhenTheWriterIsKilled() throws Exception {
        kill(1, 3);
    }

    @Test
    @Tag("slow")
    @Timeout(600)
    void shouldLoseNothingWhenTheWriterIsKilledAHundredTimes() throws Exception {
        kill(2, 100);
        // Each has to have been there, or not all was tested.
        assertThat(inRecovery).as("kills while the store was opened").isPositive();
        assertThat(unacknowledged)
                .as("batches that were there and not acknowledged")
                .isPositive();
    }

    private void kill(long seed, int rounds) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Path folder = temp.resolve("store");
        try (MapStore map = new MapStore(Samples.EVERY, Samples.TEN)) {
            for (int round = 0; round < rounds; round++) {
                String what = "seed " + seed + " round " + round;
                // Round after round it goes on with what the last one left.
                write(folder, seed, random, what);
                check(folder, seed, map, what);
            }
        }
        assertThat(highest).as("batches").isGreaterThan(rounds);
    }

    private void write(Path folder, long seed, SplittableRandom random, String what) throws Exception {
        Durability durability = random.nextInt(3) == 0 ? Durability.DISK : Durability.PROCESS;
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx128m",
                        "-Xlog:disable",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriter.class.getName(),
                        folder.toString(),
                        durability.name(),
                        Long.toString(seed))
                .redirectError(temp.resolve("stderr").toFile())
                .start();
        try (BufferedReader out = process.inputReader()) {
            boolean early = random.nextInt(5) == 0;
            String line = early ? "" : out.readLine();
            assertThat(line)
                    .as(what + " it did not open: " + temp.resolve("stderr"))
                    .isNotNull();
            LockSupport.parkNanos(1_000L * random.nextInt(early ? 2 * LONGEST_MICROS : LONGEST_MICROS));
            // The process itself would close the stream that is still to be read.
            process.toHandle().destroyForcibly();
            boolean opened = !early;
            for (line = out.readLine(); line != null; line = out.readLine()) {
                opened |= line.equals("open");
                if (!line.equals("open")) {
                    acknowledged = Math.max(acknowledged, Long.parseLong(line));
                }
            }
            inRecovery += opened ? 0 : 1;
        }
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(what).isTrue();
        assertThat(process.exitValue())
                .as(what + " it was not the kill that ended it")
                .isEqualTo(128 + 9);
    }

    private void check(Path folder, long seed, MapStore map, String what) throws IOException {
        // A store that was killed before it was there is none.
        try (EmbeddedStore store = EmbeddedStore.open(folder, StoreOptions.DEFAULT, Samples.EVERY, Samples.TEN)) {
            long there = store.statistics().sequence();
            assertThat(there).as(what).isGreaterThanOrEqualTo(acknowledged);
            unacknowledged += (int) (there - acknowledged);
            WriteBatch batch = new WriteBatch();
            for (long number = highest + 1; number <= there; number++) {
                KilledWriter.fill(batch, map, seed, number);
                map.write(batch);
            }
            highest = there;
            acknowledged = there;
            AnyRows.assertSame(what, store.view("every"), map.view("every"));
            View ten = store.view("ten");
            assertThat(ten.statistics())
                    .as(what)
                    .usingRecursiveComparison()
                    .comparingOnlyFields(List.of("entities", "deleted", "oldestEventTime", "newestEventTime")
                            .toArray(String[]::new))
                    .isEqualTo(map.view("ten").statistics());
            try (ViewReader mine = ten.reader();
                    ViewReader theirs = map.view("ten").reader()) {
                for (long key = 0; key < there * 2; key++) {
                    boolean found = mine.find(key);
                    assertThat(found).as("%s key %d", what, key).isEqualTo(theirs.find(key));
                    if (found) {
                        assertThat(Samples.problem(key, mine.row())).as(what).isEmpty();
                        assertThat(mine.row().eventTime())
                                .as(what)
                                .isEqualTo(theirs.row().eventTime());
                    }
                }
            }
        }
    }
}
