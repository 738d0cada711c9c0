// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the embedded store promises beyond the contract of all stores.
class EmbeddedStoreBehaviourTest {
    private static final StoreOptions SMALL = new StoreOptions(Durability.PROCESS, 8, 1 << 30);

    @TempDir
    Path temp;

    private final WriteBatch batch = new WriteBatch();

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private EmbeddedStore open(ViewSchema... schemas) throws IOException {
        return EmbeddedStore.open(temp, SMALL, schemas);
    }

    @Test
    void shouldNameViewFieldAndBothTypesWhenTheSchemaIsAnother() throws IOException {
        ViewSchema first = ViewSchema.parse("view v\nkey id int64\nfield a float64\nfield s string(8)\n");
        open(first).close();
        String[][] others = {
            {
                "view v\nkey id int64\nfield a float32\nfield s string(8)",
                "view 'v' has field 'a' of type float64 at position 0, but field 'a' of type float32 was asked for"
            },
            {
                "view v\nkey id int64\nfield a float64\nfield s string(9)",
                "view 'v' has field 's' of type string(8) at position 1, but field 's' of type string(9) was asked for"
            },
            {
                "view v\nkey id string(8)\nfield a float64\nfield s string(8)",
                "view 'v' has the key 'id' of type int64, but 'id' of type string(8) was asked for"
            },
            {
                "view v\nkey id int64\nfield a float64",
                "view 'v' has field 's' of type string(8) at position 1, but no field was asked for"
            },
            {
                "view v\nkey id int64\nfield a float64\nfield s string(8)\nfield t bool",
                "view 'v' has no field at position 2, but field 't' of type bool was asked for"
            },
        };
        for (String[] other : others) {
            assertThatExceptionOfType(SchemaMismatchException.class)
                    .isThrownBy(() -> open(Samples.TEN, ViewSchema.parse(other[0])))
                    .withMessage(other[1]);
        }
        try (EmbeddedStore store = open()) {
            assertThat(store.views()).as("nothing was added").hasSize(1);
            assertThat(store.view("v").schema()).isEqualTo(first);
            assertThat(store.view("v").schema().digest()).isEqualTo(first.digest());
        }
    }

    @Test
    void shouldAddViewsWhenTheyAreNew() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN)) {
            Samples.addTen(batch, store.view("ten"), 1, 1);
            store.write(batch);
        }
        try (EmbeddedStore store = open(Samples.EVERY)) {
            assertThat(store.views().stream().map(view -> view.schema().name())).containsExactly("ten", "every");
            store.write(batch.clear().row(store.view("every"), "a", 1, 1));
        }
        try (EmbeddedStore store = open();
                ViewReader numbers = store.view("ten").reader();
                ViewReader texts = store.view("every").reader()) {
            assertThat(numbers.find(1)).isTrue();
            assertThat(texts.find("a")).isTrue();
        }
    }

    @Test
    void shouldRefuseASecondWriterButNotReaders() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN)) {
            Samples.addTen(batch, store.view("ten"), 1, 1);
            store.write(batch);
            assertThatExceptionOfType(FileSystemException.class)
                    .isThrownBy(this::open)
                    .withMessageContaining(temp.toString())
                    .withMessageContaining("writes to the store; it can be opened to be read");
            try (EmbeddedStore read = EmbeddedStore.openToRead(temp);
                    ViewReader reader = read.view("ten").reader()) {
                batch.clear();
                Samples.addTen(batch, store.view("ten"), 1, 2);
                store.write(batch);
                store.checkpoint();
                assertThat(reader.find(1)).isTrue();
                assertThat(reader.row().eventTime())
                        .as("as it was when it was opened")
                        .isOne();
                assertThatIllegalStateException()
                        .isThrownBy(() -> read.write(batch))
                        .withMessage("the store is open to be read only");
            }
        }
        open().close();
    }

    @Test
    void shouldBeReadWhileAnotherWritesAndTakesCheckpoints() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        ConcurrentLinkedQueue<Throwable> problems = new ConcurrentLinkedQueue<>();
        try (EmbeddedStore store = open(Samples.TEN)) {
            Thread writer = Thread.ofPlatform().start(() -> {
                WriteBatch rows = new WriteBatch();
                try {
                    for (long time = 0; !ended.get(); time++) {
                        Samples.addTen(rows.clear(), store.view("ten"), time % 50, time);
                        store.write(rows);
                        if (time % 20 == 19) {
                            store.checkpoint();
                        }
                    }
                } catch (IOException | RuntimeException e) {
                    problems.add(e);
                }
            });
            for (int i = 0; i < 30; i++) {
                try (EmbeddedStore read = EmbeddedStore.openToRead(temp);
                        ViewReader reader = read.view("ten").reader()) {
                    for (long key = 0; key < 50; key++) {
                        if (reader.find(key)) {
                            assertThat(Samples.problem(key, reader.row())).isEmpty();
                        }
                    }
                }
            }
            ended.set(true);
            writer.join();
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void shouldGrowWhenThereAreMoreEntitiesThanRoom() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN)) {
            View ten = store.view("ten");
            long before = ten.statistics().capacity();
            try (ViewReader reader = ten.reader()) {
                for (long key = 0; key < 1_000; key++) {
                    batch.clear();
                    Samples.addTen(batch, ten, key * 1_000_003, key);
                    store.write(batch);
                    assertThat(reader.find(key / 2 * 1_000_003))
                            .as("key %d", key / 2)
                            .isTrue();
                }
            }
            assertThat(before).isBetween(8L, 9L);
            assertThat(ten.statistics().entities()).isEqualTo(1_000);
            assertThat(ten.statistics().capacity()).isBetween(1_000L, 3_000L);
        }
        // What has grown while the log was written grows when it is replayed.
        try (EmbeddedStore store = open()) {
            assertThat(store.view("ten").statistics().entities()).isEqualTo(1_000);
        }
    }

    @Test
    void shouldThrowOldRowsAwayWhenTheyExpire() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN, Samples.EVERY)) {
            View ten = store.view("ten");
            for (long key = 0; key < 6; key++) {
                Samples.addTen(batch, ten, key, key);
            }
            batch.delete(ten, 9, 1, 1).row(store.view("every"), "a", 0, 0);
            store.write(batch);
            store.expire(ten, 3);
            requireExpired(store);
        }
        try (EmbeddedStore store = open()) {
            requireExpired(store);
            store.checkpoint();
        }
        try (EmbeddedStore store = open()) {
            requireExpired(store);
        }
    }

    private static void requireExpired(EmbeddedStore store) {
        try (ViewReader reader = store.view("ten").reader();
                ViewReader other = store.view("every").reader()) {
            for (long key = 0; key < 6; key++) {
                assertThat(reader.find(key)).as("key %d", key).isEqualTo(key >= 3);
            }
            assertThat(other.find("a")).isTrue();
        }
        ViewStatistics statistics = store.view("ten").statistics();
        assertThat(statistics.entities()).isEqualTo(3);
        assertThat(statistics.deleted()).isZero();
        assertThat(statistics.oldestEventTime()).isEqualTo(3);
        assertThat(statistics.newestEventTime()).isEqualTo(5);
    }

    @Test
    void shouldRefuseToExpireAViewOfAnotherStore() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN);
                MapStore other = new MapStore(Samples.TEN)) {
            View view = other.view("ten");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store.expire(view, 1))
                    .withMessage("view 'ten' is not of this store");
        }
    }

    @Test
    void shouldTakeACheckpointWhenTheLogIsLong() throws IOException, InterruptedException {
        try (EmbeddedStore store = EmbeddedStore.open(temp, SMALL.logBytes(4096), Samples.TEN)) {
            while (store.statistics().checkpoints() < 3) {
                batch.clear();
                Samples.addTen(batch, store.view("ten"), 1, store.statistics().sequence());
                store.write(batch);
            }
        }
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files.filter(file -> file.toString().endsWith(".rows"))).hasSize(1);
        }
    }

    @Test
    void shouldGoOnWhenAThreadThatWritesIsInterrupted() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.open(temp, StoreOptions.DEFAULT, Samples.TEN)) {
            for (long key = 0; key < 3; key++) {
                batch.clear();
                Samples.addTen(batch, store.view("ten"), key, 1);
                Thread.currentThread().interrupt();
                store.write(batch);
                assertThat(Thread.interrupted()).as("it is told").isTrue();
            }
            Thread.currentThread().interrupt();
            store.checkpoint();
            assertThat(Thread.interrupted()).isTrue();
            store.write(batch);
        }
        try (EmbeddedStore store = open()) {
            assertThat(store.view("ten").statistics().entities()).isEqualTo(3);
        }
    }

    @Test
    void shouldShareRecordsWhenManyWrite() throws Exception {
        List<Thread> threads = new ArrayList<>();
        ConcurrentLinkedQueue<Throwable> problems = new ConcurrentLinkedQueue<>();
        try (EmbeddedStore store = EmbeddedStore.open(temp, StoreOptions.DEFAULT, Samples.TEN)) {
            for (int t = 0; t < 8; t++) {
                long first = t * 1_000L;
                threads.add(Thread.ofVirtual().start(() -> {
                    WriteBatch mine = new WriteBatch();
                    try (ViewReader reader = store.view("ten").reader()) {
                        for (long key = first; key < first + 20; key++) {
                            Samples.addTen(mine.clear(), store.view("ten"), key, 1);
                            store.write(mine);
                            assertThat(reader.find(key))
                                    .as("what was acknowledged")
                                    .isTrue();
                        }
                    } catch (Throwable e) {
                        problems.add(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(problems).isEmpty();
            assertThat(store.view("ten").statistics().entities()).isEqualTo(160);
            assertThat(store.statistics().sequence()).isBetween(20L, 160L);
        }
    }

    @Test
    void shouldAllocateNothingWhenRowsAreRead() throws IOException {
        try (EmbeddedStore store = open(Samples.TEN);
                ViewReader reader = store.view("ten").reader()) {
            for (long key = 0; key < 100; key++) {
                Samples.addTen(batch, store.view("ten"), key, 1);
            }
            store.write(batch);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 50 && least > 0; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                double sum = 0;
                for (int i = 0; i < 20_000; i++) {
                    sum += reader.find(i % 128) ? reader.row().getDouble(3) : 0;
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                assertThat(sum).isPositive();
            }
            assertThat(least).as("bytes for 20,000 reads").isZero();
        }
    }

    @Test
    void shouldReadSchemasAsTheyAreWritten() {
        assertThat(ViewSchema.parse(Samples.EVERY.text())).isEqualTo(Samples.EVERY);
        assertThat(ViewSchema.parse("# features\n\n view  v \n\tkey k string(7)\nfield a bool")
                        .text())
                .isEqualTo("view v\nkey k string(7)\nfield a bool\n");
        String[][] wrong = {
            {"view v\nkey k int64\nfield a float16", "schema, line 3: 'a' is of type 'float16', expected float64,"},
            {"view v\nkey k int64\nfield a string", "schema, line 3: 'a' is of type 'string', expected"},
            {"view v\nkey k int64\nfield a string(0)", "field 'a' of type string has at most 0 bytes, expected 1 to"},
            {"view v\nview w", "schema, line 2: 'view w' was not expected"},
            {"view v", "the schema has no line 'key NAME TYPE'"},
            {"view v\nkey k float64\nfield a bool", "the key 'k' of view 'v' is float64, expected int64, or string(N)"},
            {"view v\nkey k int64", "view 'v' has 0 fields, expected 1 to 4096"},
            {"view v\nkey k int64\nfield a bool\nfield a bool", "view 'v' has two fields 'a'"},
            {"view v/w\nkey k int64\nfield a bool", "the view's name is 'v/w', expected 1 to 64 letters"},
        };
        for (String[] one : wrong) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ViewSchema.parse(one[0]))
                    .withMessageContaining(one[1]);
        }
    }
}
