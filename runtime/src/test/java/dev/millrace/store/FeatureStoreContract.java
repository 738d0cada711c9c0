// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What every [FeatureStore] does. A test of one extends this.
abstract class FeatureStoreContract {
    private FeatureStore store;
    private View every;
    private View ten;
    private final WriteBatch batch = new WriteBatch();

    /// A store with no rows in these views, in this order.
    abstract FeatureStore open(ViewSchema... schemas) throws IOException;

    @BeforeEach
    void open() throws IOException {
        store = open(Samples.EVERY, Samples.TEN);
        every = store.view("every");
        ten = store.view("ten");
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    @Test
    void shouldFindNothingWhenNothingWasWritten() {
        try (ViewReader texts = every.reader();
                ViewReader numbers = ten.reader()) {
            assertThat(texts.find("a")).isFalse();
            assertThat(texts.find("")).isFalse();
            assertThat(numbers.find(0)).isFalse();
        }
        assertThat(ten.statistics().entities()).isZero();
    }

    @Test
    void shouldReadWhatWasWrittenWhenItIsOfAnyType() throws IOException {
        batch.row(every, "c42", 1_000, 2_000)
                .putBoolean(0, true)
                .putString(1, "CH")
                .putFloat(2, 0.5f)
                .putDouble(3, -12.25)
                .putLong(4, Long.MIN_VALUE)
                .putInt(5, -7)
                .putString(6, "Zürich, 東京")
                .putLong(7, 1_700_000_000_000_000L);
        store.write(batch);

        try (ViewReader reader = every.reader()) {
            assertThat(reader.find("c42")).isTrue();
            Row row = reader.row();
            assertThat(row.eventTime()).isEqualTo(1_000);
            assertThat(row.availabilityTime()).isEqualTo(2_000);
            assertThat(row.getBoolean(0)).isTrue();
            assertThat(row.getString(1)).isEqualTo("CH");
            assertThat(row.getFloat(2)).isEqualTo(0.5f);
            assertThat(row.getDouble(3)).isEqualTo(-12.25);
            assertThat(row.getLong(4)).isEqualTo(Long.MIN_VALUE);
            assertThat(row.getInt(5)).isEqualTo(-7);
            assertThat(row.getString(6)).isEqualTo("Zürich, 東京");
            assertThat(row.getLong(7)).isEqualTo(1_700_000_000_000_000L);
            for (int field = 0; field < 8; field++) {
                assertThat(row.isNull(field)).as("field %d", field).isFalse();
            }
        }
    }

    @Test
    void shouldTellNullFromZeroWhenAFieldWasNotPut() throws IOException {
        batch.row(every, "c1", 1, 1)
                .putDouble(3, 0.0)
                .putString(1, "")
                .putInt(5, 3)
                .putNull(5);
        store.write(batch);

        try (ViewReader reader = every.reader()) {
            assertThat(reader.find("c1")).isTrue();
            List<Integer> nulls = new ArrayList<>();
            for (int field = 0; field < 8; field++) {
                if (reader.row().isNull(field)) {
                    nulls.add(field);
                }
            }
            assertThat(nulls).containsExactly(0, 2, 4, 5, 6, 7);
            assertThat(reader.row().getString(1)).isEmpty();
            assertThat(reader.row().getInt(5))
                    .as("what lies where a field is null")
                    .isZero();
        }
    }

    @Test
    void shouldKeepNullsApartWhenThereAreMoreFieldsThanBitsInAWord() throws IOException {
        for (int fields : new int[] {1, 62, 63, 64, 127, 128}) {
            List<Field> all = new ArrayList<>();
            for (int i = 0; i < fields; i++) {
                all.add(Field.of("f" + i, FieldType.INT32));
            }
            try (FeatureStore wide = another(new ViewSchema("wide" + fields, Field.of("id", FieldType.INT64), all))) {
                View view = wide.views().getFirst();
                for (int put = 0; put < fields; put++) {
                    wide.write(batch.clear().row(view, put, 1, 1).putInt(put, put + 1));
                }
                try (ViewReader reader = view.reader()) {
                    for (int put = 0; put < fields; put++) {
                        assertThat(reader.find(put)).isTrue();
                        for (int i = 0; i < fields; i++) {
                            assertThat(reader.row().isNull(i))
                                    .as("%d fields, %d put, %d", fields, put, i)
                                    .isEqualTo(i != put);
                        }
                        assertThat(reader.row().getInt(put)).isEqualTo(put + 1);
                    }
                }
            }
        }
    }

    /// A store beside the one that is open.
    abstract FeatureStore another(ViewSchema schema) throws IOException;

    @Test
    void shouldKeepTheNewerRowWhenTwoAreWritten() throws IOException {
        // event time, availability time and what is put; then what is there
        long[][] cases = {
            {5, 1, 10, 6, 0, 20, 20},
            {5, 1, 10, 4, 9, 20, 10},
            {5, 1, 10, 5, 2, 20, 20},
            {5, 2, 10, 5, 1, 20, 10},
            {5, 1, 10, 5, 1, 20, 20},
            {-5, 1, 10, -6, 9, 20, 10},
            {-5, 1, 10, 0, 0, 20, 20},
        };
        for (int i = 0; i < cases.length; i++) {
            long[] one = cases[i];
            for (boolean together : new boolean[] {false, true}) {
                long key = 2L * i + (together ? 1 : 0);
                batch.clear().row(ten, key, one[0], one[1]).putDouble(0, (double) one[2]);
                if (!together) {
                    store.write(batch);
                    batch.clear();
                }
                store.write(batch.row(ten, key, one[3], one[4]).putDouble(1, (double) one[5]));

                try (ViewReader reader = ten.reader()) {
                    assertThat(reader.find(key)).isTrue();
                    double there = reader.row().isNull(1)
                            ? reader.row().getDouble(0)
                            : reader.row().getDouble(1);
                    assertThat(there)
                            .as("case %d, in one batch: %s", i, together)
                            .isEqualTo((double) one[6]);
                    assertThat(reader.row().isNull(0))
                            .as("fields of two rows")
                            .isNotEqualTo(reader.row().isNull(1));
                }
            }
        }
    }

    @Test
    void shouldFindNothingWhenTheEntityWasDeleted() throws IOException {
        batch.row(ten, 1, 10, 10).putDouble(0, 1);
        batch.delete(ten, 1, 11, 11);
        batch.delete(every, "gone", 5, 5);
        store.write(batch);
        try (ViewReader numbers = ten.reader();
                ViewReader texts = every.reader()) {
            assertThat(numbers.find(1)).isFalse();
            assertThat(texts.find("gone")).isFalse();
            assertThat(ten.statistics().entities()).isZero();
            assertThat(ten.statistics().deleted()).isOne();

            store.write(batch.clear().row(ten, 1, 10, 99).putDouble(0, 2));
            assertThat(numbers.find(1)).as("an older row that comes late").isFalse();

            store.write(batch.clear().row(ten, 1, 12, 12).putDouble(0, 3));
            assertThat(numbers.find(1)).isTrue();
            assertThat(numbers.row().getDouble(0)).isEqualTo(3);
        }
    }

    @Test
    void shouldTellKeysApartWhenTheyAreAlike() throws IOException {
        long[] numbers = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 0x0101010101010101L};
        String[] texts = {"", "a", "aa", "a\0", "\0", "ä", "aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaab"};
        for (int i = 0; i < numbers.length; i++) {
            batch.row(ten, numbers[i], i, i);
        }
        for (int i = 0; i < texts.length; i++) {
            batch.row(every, texts[i], i, i);
        }
        store.write(batch);

        try (ViewReader reader = ten.reader()) {
            for (int i = 0; i < numbers.length; i++) {
                assertThat(reader.find(numbers[i])).isTrue();
                assertThat(reader.row().eventTime()).isEqualTo(i);
            }
            assertThat(reader.find(2)).isFalse();
        }
        try (ViewReader reader = every.reader()) {
            // The longest first: what is left of it must not be part of the next.
            for (int i = texts.length - 1; i >= 0; i--) {
                byte[] text = ("<" + texts[i] + ">").getBytes(StandardCharsets.UTF_8);
                assertThat(reader.find(MemorySegment.ofArray(text), 1, text.length - 2))
                        .isTrue();
                assertThat(reader.row().eventTime()).isEqualTo(i);
            }
            assertThat(reader.find("aaa")).isFalse();
            assertThat(reader.find("a".repeat(25))).as("longer than any key").isFalse();
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenItIsUsedWrongly() throws IOException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> store.view("tne"))
                .withMessage("there is no view 'tne', but [every, ten]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.row(ten, "x", 1, 1))
                .withMessage("the key 'id' of view 'ten' is int64, but was given as string");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.row(every, 7, 1, 1))
                .withMessage("the key 'customer' of view 'every' is string(24), but was given as int64");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> batch.row(every, "c".repeat(25), 1, 1))
                .withMessageContaining("is 25 bytes long")
                .withMessageEndingWith("expected at most 24");
        assertThat(batch.rows()).isZero();
        assertThatIllegalStateException()
                .isThrownBy(() -> batch.putDouble(0, 1))
                .withMessage("no row was begun that takes fields");

        WriteBatch begun = batch.row(every, "c", 1, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> begun.putInt(3, 1))
                .withMessage("field 'amount' of view 'every' is float64, but int32 was put");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> begun.putString(1, "CHE!"))
                .withMessage("field 'country' of view 'every' is 4 bytes long: 'CHE!', expected at most 3");
        store.write(begun);
        try (ViewReader texts = every.reader();
                ViewReader numbers = ten.reader()) {
            assertThatIllegalArgumentException().isThrownBy(() -> texts.find(1)).withMessageContaining("string(24)");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> numbers.find("1"))
                    .withMessageContaining("int64");
            assertThat(texts.find("c")).isTrue();
            assertThat(texts.row().isNull(1)).isTrue();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> texts.row().getFloat(3))
                    .withMessage("field 'amount' of view 'every' is float64, but was read as float32");
        }
    }

    @Test
    void shouldRefuseABatchWhenItWasMadeForAnotherStore() throws IOException {
        try (FeatureStore other = another(Samples.ten("other"))) {
            batch.row(other.views().getFirst(), 1, 1, 1);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> store.write(batch))
                .withMessageContaining("it was made for another store");
    }

    @Test
    void shouldRefuseEverythingWhenItIsClosed() throws IOException {
        batch.row(ten, 1, 1, 1);
        store.write(batch);
        try (ViewReader reader = ten.reader()) {
            assertThat(reader.find(1)).isTrue();
            store.close();
            store.close();
            assertThatIllegalStateException().isThrownBy(() -> reader.find(1)).withMessage("the store is closed");
        }
        assertThatIllegalStateException().isThrownBy(() -> store.write(batch)).withMessage("the store is closed");
        assertThatIllegalStateException().isThrownBy(ten::reader).withMessage("the store is closed");
    }

    @Test
    void shouldAgreeWithAMapWhenAnythingIsWritten() throws IOException {
        for (long seed = 1; seed <= 6; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try (FeatureStore tested = another(Samples.EVERY);
                    MapStore map = new MapStore(Samples.EVERY)) {
                for (int step = 0; step < 50; step++) {
                    batch.clear();
                    AnyRows.add(batch, tested.views().getFirst(), random, random.nextInt(40));
                    tested.write(batch);
                    map.write(batch);
                }
                AnyRows.assertSame(
                        "seed " + seed, tested.views().getFirst(), map.views().getFirst());
            }
        }
    }

    @Test
    void shouldNeverShowHalfAnUpdateWhenOthersWrite() throws Exception {
        race(200);
    }

    @Test
    @Tag("stress")
    void shouldNeverShowHalfAnUpdateWhenOthersWriteForLong() throws Exception {
        race(20_000);
    }

    /// Readers beside a writer: every row is whole, none goes back, and entities that are there
    /// stay.
    private void race(int batches) throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        AtomicLong acknowledged = new AtomicLong(-1);
        ConcurrentLinkedQueue<String> problems = new ConcurrentLinkedQueue<>();
        int keys = 4_000;
        CountDownLatch begun = new CountDownLatch(2);
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            SplittableRandom random = new SplittableRandom(i);
            readers.add(Thread.ofPlatform().start(() -> {
                try (ViewReader reader = ten.reader()) {
                    begun.countDown();
                    while (!ended.get()) {
                        long key = random.nextInt(keys);
                        long known = acknowledged.get();
                        // Batch b writes the keys b * 20 to b * 20 + 19, modulo how many there are.
                        boolean expected = known >= 0 && key < Math.min(keys, (known + 1) * 20);
                        boolean found = reader.find(key);
                        if (expected && !found) {
                            problems.add("key " + key + " is missing after batch " + known);
                        } else if (found && !Samples.problem(key, reader.row()).isEmpty()) {
                            problems.add(Samples.problem(key, reader.row()));
                        }
                    }
                } catch (RuntimeException | Error e) {
                    problems.add(e.toString());
                }
            }));
        }
        begun.await();
        for (int b = 0; b < batches; b++) {
            batch.clear();
            for (int i = 0; i < 20; i++) {
                Samples.addTen(batch, ten, (b * 20 + i) % keys, b);
            }
            store.write(batch);
            acknowledged.set(b);
        }
        ended.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(problems).isEmpty();
        assertThat(ten.statistics().newestEventTime()).isEqualTo(batches - 1);
    }
}
