// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.features.FeatureSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A history gives the row that looking at all of them one by one gives.
class ViewHistoryTest {
    private static final String SPEC = """
        apiVersion: v1
        kind: FeaturePipeline
        name: past
        version: 1
        entities: [{name: user, join_keys: [user_id], type: %s}]
        sources:
          stats:
            kind: store
            entity: user
            timestamp_field: seen_at
            %s
            fields:
              - {name: id, type: int32}
              - {name: note, type: string}
              - {name: sum, type: float64}
              - {name: few, type: float32}
              - {name: good, type: bool}
              - {name: since, type: timestamp}
        request: [{name: user_id, type: %s}]
        features: [{name: sum, input: stats.sum}]
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String CREATED = "created_timestamp_field: written_at";

    @TempDir
    Path temp;

    private record Row(long key, long event, long created, String note) {}

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private static FeatureView view(String key, boolean hasCreated) {
        String text = SPEC.formatted(key, hasCreated ? CREATED : "", key);
        return FeatureSpec.parse(text, Path.of("")).views().getFirst();
    }

    private static String text(long key) {
        return "k" + key + (key % 3 == 0 ? "ü" : "");
    }

    private static List<Row> random(SplittableRandom random, int count, boolean hasCreated) {
        List<Row> rows = new ArrayList<>();
        int keys = random.nextInt(1, 8);
        int times = random.nextInt(1, 60);
        for (int i = 0; i < count; i++) {
            long event = random.nextInt(-times, times);
            long created = hasCreated ? event + random.nextInt(-2, random.nextInt(1, 40)) : event;
            String note = random.nextInt(4) == 0 ? null : "é".repeat(random.nextInt(20));
            rows.add(new Row(random.nextInt(keys), event, created, note));
        }
        return rows;
    }

    private Path write(String name, FeatureView view, List<Row> rows) throws IOException {
        boolean isText = view.entity().type().word().equals("string");
        List<Column> columns = List.of(
                Column.of("user_id", isText ? ColumnType.STRING : ColumnType.INT64),
                Column.of("seen_at", name.endsWith("csv") ? ColumnType.TIMESTAMP : ColumnType.INT64),
                Column.of("written_at", ColumnType.TIMESTAMP),
                Column.of("id", ColumnType.INT32),
                Column.nullable("note", ColumnType.STRING),
                Column.nullable("sum", ColumnType.FLOAT64),
                Column.of("few", ColumnType.FLOAT32),
                Column.of("good", ColumnType.BOOL),
                Column.of("since", ColumnType.TIMESTAMP));
        TableBatch batch = TableBatch.of(columns, Math.max(1, rows.size()));
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            if (isText) {
                batch.values(0).setString(i, text(row.key()));
            } else {
                batch.values(0).setLong(i, row.key());
            }
            batch.values(1).setLong(i, row.event());
            batch.values(2).setLong(i, row.created());
            batch.values(3).setInt(i, i);
            if (row.note() == null) {
                batch.values(4).setNull(i);
                batch.values(5).setNull(i);
            } else {
                batch.values(4).setString(i, row.note());
                batch.values(5).setDouble(i, i / 3.0);
            }
            batch.values(6).setFloat(i, i / 7.0f);
            batch.values(7).setBoolean(i, i % 2 == 0);
            batch.values(8).setLong(i, -i);
        }
        batch.rows(rows.size());
        Path file = temp.resolve(name);
        try (TableWriter writer = TableWriter.create(file, columns)) {
            writer.append(batch);
            writer.finish();
        }
        return file;
    }

    /// The place of the row that was known, or -1.
    private static int naive(List<Row> rows, long key, long time, boolean hasCreated) {
        int best = -1;
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            if (row.key() != key || row.event() > time || (hasCreated && row.created() > time)) {
                continue;
            }
            Row other = best < 0 ? null : rows.get(best);
            boolean isNewer = other == null
                    || row.event() > other.event()
                    || (row.event() == other.event() && (!hasCreated || row.created() >= other.created()));
            best = isNewer ? i : best;
        }
        return best;
    }

    private static boolean find(ViewReader reader, boolean isText, long key) {
        byte[] bytes = ("xx" + text(key)).getBytes(StandardCharsets.UTF_8);
        return isText ? reader.find(bytes, 2, bytes.length - 2) : reader.find(key);
    }

    private static void assertIsRow(ViewReader reader, ViewLayout layout, Row row, int id) {
        MemorySegment memory = reader.memory();
        long at = reader.offset();
        assertThat(reader.eventTimeMicros()).isEqualTo(row.event());
        int bits = memory.get(ValueLayout.JAVA_BYTE, at);
        assertThat(bits).isEqualTo(row.note() == null ? 0b111001 : 0b111111);
        assertThat(memory.get(ValueLayout.JAVA_INT_UNALIGNED, at + layout.offset(0)))
                .isEqualTo(id);
        assertThat(memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at + layout.offset(3)))
                .isEqualTo(id / 7.0f);
        assertThat(memory.get(ValueLayout.JAVA_BYTE, at + layout.offset(4))).isEqualTo((byte) (id % 2 == 0 ? 1 : 0));
        assertThat(memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at + layout.offset(5)))
                .isEqualTo(-id);
        if (row.note() != null) {
            assertThat(memory.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at + layout.offset(2)))
                    .isEqualTo(id / 3.0);
            long text = at + layout.offset(1);
            int start = memory.get(ValueLayout.JAVA_INT_UNALIGNED, text);
            int length = memory.get(ValueLayout.JAVA_INT_UNALIGNED, text + 4);
            byte[] bytes = memory.asSlice(at + start, length).toArray(ValueLayout.JAVA_BYTE);
            assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo(row.note());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"h.csv", "h.jsonl"})
    void shouldFindTheRowThatLookingAtAllOfThemFinds(String name) throws IOException {
        int found = 0;
        int missed = 0;
        for (int seed = 0; seed < (name.endsWith("csv") ? 120 : 12); seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            boolean hasCreated = seed % 3 > 0;
            boolean isText = seed % 2 > 0;
            FeatureView view = view(isText ? "string" : "int64", hasCreated);
            List<Row> rows = random(random, random.nextInt(1, seed % 10 == 0 ? 3000 : 200), hasCreated);
            try (ViewHistory history = ViewHistory.read(TableFile.open(write(name, view, rows)), view)) {
                assertThat(history.rows()).isEqualTo(rows.size());
                PointInTime moment = new PointInTime(List.of(history), FeatureSource.NONE);
                ViewLayout layout = ViewLayout.of(view);
                ViewReader reader = moment.open(view, layout);
                for (int i = 0; i < 200; i++) {
                    long key = random.nextInt(9);
                    long time = random.nextInt(-70, 110);
                    moment.at(time);
                    int expected = naive(rows, key, time, hasCreated);
                    assertThat(find(reader, isText, key))
                            .as("seed %d, key %d at %d", seed, key, time)
                            .isEqualTo(expected >= 0);
                    if (expected >= 0) {
                        assertIsRow(reader, layout, rows.get(expected), expected);
                        found++;
                    } else {
                        missed++;
                    }
                }
            }
        }
        assertThat(found).isGreaterThan(100);
        assertThat(missed).isGreaterThan(100);
    }

    @Test
    void shouldHoldManyEntitiesAndLongTexts() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < 30_000; i++) {
            rows.add(new Row(i % 10_000, i, i + 1L, "x".repeat(i % 1000 == 0 ? 65_536 : i % 90)));
        }
        for (String key : List.of("int64", "string")) {
            FeatureView view = view(key, true);
            try (ViewHistory history = ViewHistory.read(TableFile.open(write("m.csv", view, rows)), view)) {
                assertThat(history.entities()).isEqualTo(10_000);
                assertThat(history.bytes()).isBetween(30_000L * (24 + 48), 64L << 20);
                PointInTime moment = new PointInTime(List.of(history), FeatureSource.NONE);
                ViewReader reader = moment.open(view, ViewLayout.of(view));
                moment.at(20_500);
                for (int i = 0; i < 10_000; i++) {
                    assertThat(find(reader, key.equals("string"), i)).isTrue();
                    int expected = i < 500 ? 20_000 + i : 10_000 + i;
                    assertIsRow(reader, ViewLayout.of(view), rows.get(expected), expected);
                }
                assertThat(find(reader, key.equals("string"), 10_000)).isFalse();
            }
        }
    }

    @Test
    void shouldPassOverRowsThatWereAllWrittenLater() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            rows.add(new Row(7, i, i == 3 ? 4 : 1_000_000, ""));
        }
        FeatureView view = view("int64", true);
        try (ViewHistory history = ViewHistory.read(TableFile.open(write("l.csv", view, rows)), view)) {
            PointInTime moment = new PointInTime(List.of(history), FeatureSource.NONE);
            ViewReader reader = moment.open(view, ViewLayout.of(view));
            moment.at(999_999);
            assertThat(reader.find(7)).isTrue();
            assertThat(reader.eventTimeMicros()).isEqualTo(3);
            moment.at(3);
            assertThat(reader.find(7)).isFalse();
            moment.at(1_000_000);
            assertThat(reader.find(7)).isTrue();
            assertThat(reader.eventTimeMicros()).isEqualTo(4_999);
        }
    }

    @Test
    void shouldCountRowsThatWereCreatedBeforeTheirEventTime() throws IOException {
        List<Row> rows = List.of(new Row(1, 10, 10, ""), new Row(1, 11, 10, ""), new Row(1, 11, 12, ""));
        FeatureView view = view("int64", true);
        try (ViewHistory history = ViewHistory.read(TableFile.open(write("a.csv", view, rows)), view)) {
            assertThat(history.ahead()).isOne();
        }
    }

    private void assertRefuses(String text, String problem) throws IOException {
        Path file = Files.writeString(temp.resolve("bad.csv"), text);
        FeatureView view = view("int64", true);
        assertThatThrownBy(() -> ViewHistory.read(TableFile.open(file), view).close())
                .isInstanceOf(InvalidDataException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(problem);
    }

    @Test
    void shouldNameTheRowAndTheColumnOfWhatIsWrong() throws IOException {
        String head = "user_id,seen_at,written_at,id,note,sum,few,good,since\n";
        String right = "1,2026-01-31T12:00:00Z,2026-01-31T12:00:00Z,1,a,1,1,true,\n";
        String time = "2026-01-31T12:00:00Z";
        assertRefuses(
                head.replace("seen_at", "at") + right,
                "there is no column 'seen_at', which is timestamp_field of view 'stats'");
        assertRefuses(head.replace("user_id", "user") + right, "'user_id', which is the entity's key of view 'stats'");
        assertRefuses(
                head.replace("few", "less") + right, "there is no column 'few', which is a field of view 'stats'");
        assertRefuses(head + right + right.replaceFirst("1,", ","), "line 3, column 'user_id': nothing came");
        assertRefuses(head + right + right.replaceFirst("1,", "x,"), "line 3, column 'user_id': 'x' came");
        assertRefuses(head + right + right.replaceFirst(time, ""), "line 3, column 'seen_at': nothing came");
        assertRefuses(head + right + "1," + time + ",,1,a,1,1,true,\n", "line 3, column 'written_at': nothing came");
        assertRefuses(head + right + right.replace("true", "maybe"), "line 3, column 'good': 'maybe' came");
        assertRefuses(
                head + right + right.replace(",a,", "," + "a".repeat(65_537) + ","),
                "line 3, column 'note': a text of 65537 bytes came, expected at most 65536");
        FeatureView unnamed = FeatureSpec.parse(
                        SPEC.formatted("int64", "", "int64").replace("timestamp_field: seen_at", ""), Path.of(""))
                .views()
                .getFirst();
        Path file = Files.writeString(temp.resolve("bad.csv"), head + right);
        assertThatThrownBy(() -> ViewHistory.read(TableFile.open(file), unnamed).close())
                .hasMessageContaining("view 'stats' came without timestamp_field");
    }
}
