// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features transform --view`: what was known when a request came.
class FeaturesHistoryTest {
    private static final String SPEC = """
        apiVersion: v1
        kind: FeaturePipeline
        name: past
        version: 1
        entities: [{name: user, join_keys: [user_id], type: KEY}]
        sources:
          late:
            kind: store
            entity: user
            timestamp_field: seen_at
            created_timestamp_field: written_at
            TTL
            on_missing_entity: MISSING
            fields:
              - {name: sum, type: float64, default: -1}
              - {name: few, type: float32}
              - {name: n, type: int32, default: -2}
              - {name: good, type: bool}
              - {name: country, type: string, default: FR}
              - {name: since, type: timestamp}
              - {name: many, type: int64}
          prompt:
            kind: store
            entity: user
            timestamp_field: seen_at
            ttl: 1ms
            on_stale: serve_and_flag
            fields: [{name: level, type: int32}]
        request:
          - {name: user_id, type: KEY}
          - {name: amount, type: float64}
        features:
          - {name: sum, input: late.sum}
          - {name: few, input: late.few}
          - {name: n, input: late.n}
          - {name: good, input: late.good}
          - {name: c, input: late.country, transform: [{one_hot: {vocab: [CH, FR], unknown: bucket, drop: none}}]}
          - {name: since, input: late.since, transform: [{cyclical: {part: minute, zone: UTC, fn: sin}}]}
          - {name: many, input: late.many}
          - {name: level, input: prompt.level}
          - {name: amount, input: amount, transform: [{log1p: {}}]}
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String SMALL = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 1
        entities: [{name: user, join_keys: [user_id], type: int64}]
        sources:
          stats:
            kind: store
            entity: user
            timestamp_field: seen_at
            created_timestamp_field: written_at
            ttl: 1h
            fields: [{name: sum, type: float64, default: -1}]
          device: {kind: request, fields: [{name: os, type: string}]}
        request: [{name: user_id, type: int64}]
        features: [{name: sum, input: stats.sum}]
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String HISTORY = """
        user_id,seen_at,written_at,sum
        1,2026-01-31T12:00:00Z,2026-01-31T12:00:05Z,1
        1,2026-01-31T12:10:00Z,2026-01-31T12:30:00Z,2
        1,2026-01-31T12:20:00Z,2026-01-31T12:20:00Z,3
        2,2026-01-31T12:00:00Z,2026-01-31T11:00:00Z,4
        """;
    private static final List<Column> LATE = List.of(
            Column.nullable("sum", ColumnType.FLOAT64),
            Column.nullable("few", ColumnType.FLOAT32),
            Column.nullable("n", ColumnType.INT32),
            Column.nullable("good", ColumnType.BOOL),
            Column.nullable("country", ColumnType.STRING),
            Column.nullable("since", ColumnType.TIMESTAMP),
            Column.nullable("many", ColumnType.INT64));
    private static final List<Column> PROMPT = List.of(Column.nullable("level", ColumnType.INT32));
    private static final int STEPS = 5;
    private static final int REQUESTS = 20;
    private static final int ENTITIES = 6;

    @TempDir
    Path temp;

    private final Map<String, Integer> seen = new TreeMap<>();

    /// A row of a view.
    ///
    /// @param values by field; null for none
    private record Event(long key, long event, long created, Object[] values) {}

    private record Request(Long key, long time, double amount) {}

    private record Run(int code, String out, String err) {}

    private static Run transform(Object... arguments) {
        return run("transform", arguments);
    }

    /// The command that compares serving with training says so, too.
    private static void assertParity(Object... arguments) {
        Run run = run("parity", arguments);
        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains(STEPS * REQUESTS + ", 0 of them not equal")
                .endsWith("serving equals training\n");
    }

    private static Run run(String command, Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = Stream.concat(Stream.of("features", command), Arrays.stream(arguments))
                .map(Object::toString)
                .toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all);
        return new Run(code, out.toString(), err.toString());
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    @Test
    void shouldGiveTheBitsThatWereServed() throws IOException {
        for (long seed = 0; seed < 6; seed++) {
            compare(seed);
        }
        assertThat(seen.keySet()).contains("PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE");
    }

    @Test
    @Tag("slow")
    void shouldGiveTheBitsThatWereServedOfManyLogs() throws IOException {
        for (long seed = 1_000; seed < 1_200; seed++) {
            compare(seed);
        }
    }

    /// Replays a log into a store and asks on the way; then asks all of it of the log.
    private void compare(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        String key = seed % 2 == 0 ? "int64" : "string";
        Path folder = Files.createDirectory(temp.resolve("seed" + seed));
        String[] stale = {"default", "serve_and_flag", "null"};
        String[] missing = {"default", "null"};
        Path spec = Files.writeString(
                folder.resolve("features.yaml"),
                SPEC.replace("KEY", key)
                        .replace("TTL", seed % 4 == 3 ? "" : "ttl: 1ms\n    on_stale: " + stale[(int) seed % 3])
                        .replace("MISSING", missing[random.nextInt(2)]));
        List<Event> late = events(random, LATE, true);
        List<Event> prompt = events(random, PROMPT, false);
        List<List<String>> served = new ArrayList<>();
        List<Request> requests = new ArrayList<>();
        try (EmbeddedStore store = store(folder.resolve("store"), key)) {
            long time = -3_000;
            for (int step = 0; step < STEPS; step++) {
                long before = time;
                time += random.nextInt(1, 1_500);
                write(store, "late", key, late, before, time);
                write(store, "prompt", key, prompt, before, time);
                List<Request> asked = requests(random, time);
                requests.addAll(asked);
                Path data = requestFile(folder.resolve("step" + step + ".parquet"), key, asked);
                Path out = folder.resolve("served" + step + ".parquet");
                served.addAll(rows(spec, data, out, "--store", folder.resolve("store")));
            }
        }
        Path lateFile = historyFile(folder.resolve("late.parquet"), key, LATE, late);
        Path promptFile = historyFile(folder.resolve("prompt.csv"), key, PROMPT, prompt);
        Path data = requestFile(folder.resolve("all.csv"), key, requests);
        List<List<String>> joined = rows(
                spec,
                data,
                folder.resolve("joined.parquet"),
                "--view",
                "late=" + lateFile,
                "--view",
                "prompt=" + promptFile);
        Object[] parity = {spec, "--data", data, "--view", "late=" + lateFile, "--view", "prompt=" + promptFile};
        assertParity(parity);
        assertParity(Stream.concat(Arrays.stream(parity), Stream.of("--served", folder.resolve("joined.parquet")))
                .toArray());
        assertThat(joined).hasSize(STEPS * REQUESTS);
        for (int i = 0; i < joined.size(); i++) {
            assertThat(joined.get(i)).as("seed %d, %s", seed, requests.get(i)).isEqualTo(served.get(i));
            joined.get(i).forEach(value -> seen.merge(value, 1, Integer::sum));
        }
    }

    /// Many at the same times; what is late was created after its event time, but may be so in any
    /// order.
    private static List<Event> events(SplittableRandom random, List<Column> fields, boolean mayBeLate) {
        List<Event> events = new ArrayList<>();
        int count = random.nextInt(1, 150);
        for (int i = 0; i < count; i++) {
            long event = random.nextInt(-5_000, 5_000) / 500 * 500L;
            long created = mayBeLate && random.nextInt(3) > 0 ? event + random.nextInt(4) * 700L : event;
            Object[] values = fields.stream()
                    .map(field -> random.nextInt(6) == 0 ? null : value(random, field))
                    .toArray();
            events.add(new Event(random.nextInt(ENTITIES), event, created, values));
        }
        return events;
    }

    private static Object value(SplittableRandom random, Column field) {
        return switch (field.type()) {
            case FLOAT64 -> random.nextInt(9) == 0 ? Double.NaN : random.nextDouble(-1e6, 1e6);
            case FLOAT32 -> (float) random.nextDouble(-1e6, 1e6);
            case INT32 -> random.nextInt();
            case BOOL -> random.nextBoolean();
            case STRING -> new String[] {"CH", "FR", "", "ü"}[random.nextInt(4)];
            case TIMESTAMP -> random.nextLong(1L << 50);
            case INT64 -> random.nextLong();
        };
    }

    private static List<Request> requests(SplittableRandom random, long time) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            Long key = random.nextInt(10) == 0 ? null : Long.valueOf(random.nextInt(ENTITIES + 1));
            requests.add(new Request(key, time, random.nextDouble()));
        }
        return requests;
    }

    private static EmbeddedStore store(Path folder, String key) throws IOException {
        String keyType = key.equals("string") ? "string(9)" : key;
        return EmbeddedStore.open(
                folder,
                StoreOptions.DEFAULT.durability(Durability.PROCESS).capacity(16),
                ViewSchema.parse("view late\nkey user " + keyType + "\nfield sum float64\nfield few float32\n"
                        + "field n int32\nfield good bool\nfield country string(8)\nfield since timestamp\n"
                        + "field many int64\n"),
                ViewSchema.parse("view prompt\nkey user " + keyType + "\nfield level int32\n"));
    }

    /// Writes what was created after one time and not after another, in the order of creation.
    private static void write(EmbeddedStore store, String name, String key, List<Event> events, long after, long until)
            throws IOException {
        View view = store.view(name);
        WriteBatch batch = new WriteBatch();
        boolean isFirst = after == -3_000;
        events.stream()
                .filter(event -> (isFirst || event.created() > after) && event.created() <= until)
                .sorted(Comparator.comparingLong(Event::created))
                .forEach(event -> {
                    if (key.equals("string")) {
                        batch.row(view, "user" + event.key(), event.event(), event.created());
                    } else {
                        batch.row(view, event.key(), event.event(), event.created());
                    }
                    put(batch, event.values());
                });
        if (batch.rows() > 0) {
            store.write(batch);
        }
    }

    private static void put(WriteBatch batch, Object[] values) {
        for (int i = 0; i < values.length; i++) {
            switch (values[i]) {
                case null -> batch.putNull(i);
                case Double value -> batch.putDouble(i, value);
                case Float value -> batch.putFloat(i, value);
                case Integer value -> batch.putInt(i, value);
                case Long value -> batch.putLong(i, value);
                case Boolean value -> batch.putBoolean(i, value);
                default -> batch.putString(i, (String) values[i]);
            }
        }
    }

    private static Path requestFile(Path file, String key, List<Request> requests) throws IOException {
        List<Column> columns = List.of(
                keyColumn(key, true),
                Column.of("request_time", ColumnType.TIMESTAMP),
                Column.of("amount", ColumnType.FLOAT64));
        List<Object[]> rows = new ArrayList<>();
        requests.forEach(request -> rows.add(new Object[] {key(key, request.key()), request.time(), request.amount()}));
        return write(file, columns, rows);
    }

    private static Path historyFile(Path file, String key, List<Column> fields, List<Event> events) throws IOException {
        List<Column> columns = new ArrayList<>(List.of(
                keyColumn(key, false),
                Column.of("seen_at", ColumnType.TIMESTAMP),
                Column.of("written_at", ColumnType.INT64)));
        columns.addAll(fields);
        List<Object[]> rows = new ArrayList<>();
        for (Event event : events) {
            List<Object> values = new ArrayList<>(Arrays.asList(key(key, event.key()), event.event(), event.created()));
            values.addAll(Arrays.asList(event.values()));
            rows.add(values.toArray());
        }
        return write(file, columns, rows);
    }

    private static Column keyColumn(String key, boolean nullable) {
        return new Column("user_id", key.equals("string") ? ColumnType.STRING : ColumnType.INT64, nullable);
    }

    private static Object key(String key, Long value) {
        return value != null && key.equals("string") ? "user" + value : value;
    }

    private static Path write(Path file, List<Column> columns, List<Object[]> rows) throws IOException {
        TableBatch batch = TableBatch.of(columns, Math.max(1, rows.size()));
        batch.rows(rows.size());
        for (int row = 0; row < rows.size(); row++) {
            for (int i = 0; i < columns.size(); i++) {
                switch (rows.get(row)[i]) {
                    case null -> batch.values(i).setNull(row);
                    case Double value -> batch.values(i).setDouble(row, value);
                    case Float value -> batch.values(i).setFloat(row, value);
                    case Integer value -> batch.values(i).setInt(row, value);
                    case Long value -> batch.values(i).setLong(row, value);
                    case Boolean value -> batch.values(i).setBoolean(row, value);
                    default -> batch.values(i).setString(row, (String) rows.get(row)[i]);
                }
            }
        }
        try (TableWriter writer = TableWriter.create(file, columns)) {
            writer.append(batch);
            writer.finish();
        }
        return file;
    }

    /// The floats' bits and the statuses of all rows.
    private static List<List<String>> rows(Path spec, Path data, Path out, Object... more) throws IOException {
        Object[] arguments = Stream.concat(
                        Stream.of(spec, "--data", data, "--out", out, "--status"), Arrays.stream(more))
                .toArray();
        Run run = transform(arguments);
        assertThat(run.code()).as(run.toString()).isZero();
        TableFile file = TableFile.open(out);
        TableBatch batch = TableBatch.of(file.columns(), 64);
        List<List<String>> rows = new ArrayList<>();
        try (TableReader reader = file.read(file.columns(), false)) {
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    List<String> values = new ArrayList<>();
                    for (int i = 0; i < batch.columns().size(); i++) {
                        values.add(
                                batch.columns().get(i).type() == ColumnType.STRING
                                        ? batch.values(i).getString(row)
                                        : Integer.toHexString(Float.floatToRawIntBits(
                                                batch.values(i).getFloat(row))));
                    }
                    rows.add(values);
                }
            }
        }
        return rows;
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    @Test
    void shouldTakeWhatWasKnownThen() throws IOException {
        Path data = file("rows.csv", """
            user_id,at
            1,2026-01-31T12:00:04Z
            1,2026-01-31T12:00:05Z
            1,2026-01-31T12:19:00Z
            1,2026-01-31T12:40:00Z
            1,2026-01-31T13:20:01Z
            2,2026-01-31T11:30:00Z
            3,2026-01-31T12:40:00Z
            """);
        Path out = temp.resolve("out.csv");

        Run run = transform(
                file("small.yaml", SMALL),
                "--data",
                data,
                "--out",
                out,
                "--time-column",
                "at",
                "--status",
                "--view",
                "stats=" + file("history.csv", HISTORY));

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(Files.readString(out)).isEqualTo("""
            sum,sum_status
            -1.0,NOT_FOUND
            1.0,PRESENT
            1.0,PRESENT
            3.0,PRESENT
            -1.0,OUTSIDE_MAX_AGE
            -1.0,NOT_FOUND
            -1.0,NOT_FOUND
            """);
        assertThat(run.out())
                .containsPattern("history {5}stats: 4 rows of 2 entities, [0-9]+ KiB; 1 were created before their");
    }

    /// It fails with this in its one line of complaint, and writes nothing.
    private void assertComplains(String problem, Object... arguments) {
        Path out = temp.resolve("never.parquet");
        Run run = transform(
                Stream.concat(Arrays.stream(arguments), Stream.of("--out", out)).toArray());
        assertThat(run.code()).as(run.toString()).isOne();
        assertThat(run.err()).startsWith("millrace: ").contains(problem);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(temp.toFile().list()).noneMatch(name -> name.startsWith("never"));
    }

    @Test
    void shouldNameWhatIsWrongWithAView() throws IOException {
        Path spec = file("small.yaml", SMALL);
        Path data = file("rows.csv", "user_id,request_time\n1,2026-01-31T12:30:00Z\n");
        Path history = file("history.csv", HISTORY);
        assertComplains(
                "'other' came, expected one of the views of kind store [stats]",
                spec,
                "--data",
                data,
                "--view",
                "other=" + history);
        assertComplains(
                "'device' came, expected one of the views of kind store [stats]",
                spec,
                "--data",
                data,
                "--view",
                "device=" + history);
        assertComplains("--view: 'stats' came, expected NAME=FILE", spec, "--data", data, "--view", "stats");
        assertComplains(
                "--view: 'stats' came twice, expected it once",
                spec,
                "--data",
                data,
                "--view",
                "stats=a.csv",
                "--view",
                "stats=" + history);
        assertComplains(
                "view 'stats' is of kind store: --store has to say which folder its values are in, or --view"
                        + " stats=FILE",
                spec,
                "--data",
                data);
        assertComplains(
                "nowhere.csv: there is no such file",
                spec,
                "--data",
                data,
                "--view",
                "stats=" + temp.resolve("nowhere.csv"));
    }

    @Test
    void shouldNameWhatIsWrongWithAHistory() throws IOException {
        Path spec = file("small.yaml", SMALL);
        Path data = file("rows.csv", "user_id,request_time\n1,2026-01-31T12:30:00Z\n");
        Path history = file("history.csv", HISTORY);
        Path untimed = file("untimed.csv", "user_id\n1\n");
        Path ageless = file("ageless.yaml", SMALL.replace("ttl: 1h", ""));
        assertComplains(
                "untimed.csv: there is no column 'request_time' with the time of the request",
                ageless,
                "--data",
                untimed,
                "--view",
                "stats=" + history);
        Path bad = file("bad.csv", HISTORY + "3,,2026-01-31T12:20:00Z,3\n");
        assertComplains(
                "bad.csv: line 6, column 'seen_at': nothing came, expected a time",
                spec,
                "--data",
                data,
                "--view",
                "stats=" + bad);
        Path typed = file("typed.csv", HISTORY + "3,2026-01-31T12:20:00Z,2026-01-31T12:20:00Z,many\n");
        assertComplains(
                "typed.csv: line 6, column 'sum': 'many' came, expected a number",
                spec,
                "--data",
                data,
                "--view",
                "stats=" + typed);
    }
}
