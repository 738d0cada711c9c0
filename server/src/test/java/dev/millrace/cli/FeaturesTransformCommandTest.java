// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `millrace features transform` as it is called.
class FeaturesTransformCommandTest {
    private static final String SPEC = """
        apiVersion: v1
        kind: FeaturePipeline
        name: all
        version: 1
        sources:
          device: {kind: request, fields: [{name: os, type: string}]}
        request:
          - {name: d, type: float64}
          - {name: f, type: float32}
          - {name: l, type: int64}
          - {name: i, type: int32}
          - {name: b, type: bool}
          - {name: s, type: string}
          - {name: t, type: timestamp}
        features:
          - {name: d_log, input: d, transform: [{log1p: {}}, {standardize: {mean: 0.3, std: 1.7}}]}
          - {name: f_in, input: f, treat: {missing: {treatment: as_value, value: 0.1, indicator: f_null}}}
          - {name: l_id, input: l, transform: [{hash: {buckets: 1000, algorithm: murmur3_x86_32}}]}
          - {name: i_min, input: i, transform: [{minmax: {min: -5, max: 5}}]}
          - {name: b_in, input: b}
          - {name: s, input: s, transform: [{one_hot: {vocab: [a, '', "ü"], unknown: bucket, drop: none}}]}
          - {name: os, input: device.os, default: -1, transform: [{vocab: {values: [x, y], unknown: 'null'}}]}
          - {name: t_hour, input: t, transform: [{cyclical: {part: hour, zone: Europe/Zurich, fn: cos}}]}
          - {name: now, input: request_time, transform: [{datetime: {part: second_of_day, zone: UTC}}]}
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String SMALL = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 2
        request:
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
        features:
          - name: amount_z
            input: amount
            transform: [{standardize: {mean: 10, std: 2}}]
            validate: [{between: {min: -5, max: 5}}]
          - {name: land, input: country, default: 9, transform: [{vocab: {values: [CH, DE], unknown: 'null'}}]}
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String STORED = """
        apiVersion: v1
        kind: FeaturePipeline
        name: stored
        version: 1
        entities: [{name: user, join_keys: [user_id], type: string}]
        sources:
          stats:
            kind: store
            entity: user
            ttl: 1h
            on_stale: default
            on_missing_entity: default
            fields:
              - {name: sum, type: float64, default: -1}
              - {name: few, type: float32}
              - {name: n, type: int32, default: -2}
              - {name: good, type: bool}
              - {name: country, type: string}
              - {name: since, type: timestamp}
              - {name: many, type: int64}
        request: [{name: user_id, type: string}]
        features:
          - {name: sum, input: stats.sum}
          - {name: few, input: stats.few}
          - {name: n, input: stats.n}
          - {name: good, input: stats.good}
          - {name: c, input: stats.country, transform: [{one_hot: {vocab: [CH, FR], unknown: bucket, drop: none}}]}
          - {name: year, input: stats.since, transform: [{datetime: {part: year, zone: UTC}}]}
          - {name: many, input: stats.many}
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final List<Column> FIELDS = List.of(
            Column.nullable("d", ColumnType.FLOAT64),
            Column.nullable("f", ColumnType.FLOAT32),
            Column.nullable("l", ColumnType.INT64),
            Column.nullable("i", ColumnType.INT32),
            Column.nullable("b", ColumnType.BOOL),
            Column.nullable("s", ColumnType.STRING),
            Column.nullable("t", ColumnType.TIMESTAMP),
            Column.nullable("device.os", ColumnType.STRING),
            Column.of("request_time", ColumnType.TIMESTAMP));
    private static final int ROWS = 5_000;
    private static final long SEED = 11;

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("features"));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    private static Run transform(Object... arguments) {
        return run(
                Stream.concat(Stream.of("transform"), Arrays.stream(arguments)).toArray());
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    private static TableBatch random() {
        TableBatch batch = TableBatch.of(FIELDS, ROWS);
        batch.rows(ROWS);
        SplittableRandom random = new SplittableRandom(SEED);
        String[] texts = {"a", "", "ü", "x", "y", "other, \"quoted\""};
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < FIELDS.size(); i++) {
                ColumnValues values = batch.values(i);
                if (FIELDS.get(i).nullable() && random.nextInt(8) == 0) {
                    values.setNull(row);
                    if (values.type() == ColumnType.STRING) {
                        values.setString(row, "");
                    }
                    continue;
                }
                switch (values.type()) {
                    case FLOAT64 -> values.setDouble(row, random.nextInt(50) == 0 ? -2 : random.nextDouble(-1, 1e4));
                    case FLOAT32 -> values.setFloat(row, (float) random.nextDouble(-1e5, 1e5));
                    case INT64 -> values.setLong(row, random.nextLong());
                    case INT32 -> values.setInt(row, random.nextInt(-100, 100));
                    case BOOL -> values.setBoolean(row, random.nextBoolean());
                    case STRING -> values.setString(row, texts[random.nextInt(texts.length)]);
                    case TIMESTAMP -> values.setLong(row, random.nextLong(1L << 52));
                }
            }
        }
        return batch;
    }

    /// The floats' bits that the plan writes of each row.
    private static int[][] expected(FeaturePlan plan, TableBatch batch) {
        FeatureRow row = plan.newRow();
        float[] floats = new float[plan.width()];
        int[][] bits = new int[batch.rows()][];
        for (int i = 0; i < bits.length; i++) {
            row.begin(batch.values(FIELDS.size() - 1).getLong(i));
            for (int column = 0; column < FIELDS.size() - 1; column++) {
                ColumnValues values = batch.values(column);
                int field = plan.field(FIELDS.get(column).name());
                if (values.isNull(i)) {
                    continue;
                }
                switch (values.type()) {
                    case FLOAT64 -> row.set(field, values.getDouble(i));
                    case FLOAT32 -> row.set(field, values.getFloat(i));
                    case INT64, TIMESTAMP -> row.set(field, values.getLong(i));
                    case INT32 -> row.set(field, (long) values.getInt(i));
                    case BOOL -> row.set(field, values.getBoolean(i));
                    case STRING -> row.set(field, values.getString(i));
                }
            }
            assertThat(plan.write(row, MemorySegment.ofArray(floats), 0))
                    .as(row.problem())
                    .isTrue();
            bits[i] = bits(floats);
        }
        return bits;
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(floats[i]);
        }
        return bits;
    }

    private static List<float[]> floats(Path file, List<String> names) throws IOException {
        List<Column> columns =
                names.stream().map(name -> Column.of(name, ColumnType.FLOAT32)).toList();
        List<float[]> rows = new ArrayList<>();
        TableBatch batch = TableBatch.of(columns, 777);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            while (reader.next(batch)) {
                assertThat(batch.hasProblems()).isFalse();
                for (int row = 0; row < batch.rows(); row++) {
                    float[] floats = new float[columns.size()];
                    for (int i = 0; i < floats.length; i++) {
                        floats[i] = batch.values(i).getFloat(row);
                    }
                    rows.add(floats);
                }
            }
        }
        return rows;
    }

    @ParameterizedTest
    @ValueSource(strings = {"rows.parquet", "rows.csv", "rows.jsonl"})
    void shouldWriteTheBitsThatThePlanWritesRowByRow(String name) throws IOException {
        Path spec = write(FeatureSpec.FILE_NAME, SPEC);
        Path data = temp.resolve(name);
        TableBatch rows = random();
        try (TableWriter writer = TableWriter.create(data, FIELDS)) {
            writer.append(rows);
            writer.finish();
        }
        Path out = temp.resolve("out.parquet");

        Run run = transform(temp, "--data", data, "--out", out);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("rows        5,000\n").contains("features    all 1 (");
        FeaturePlan plan = FeaturePlan.compile(FeatureSpec.read(spec));
        assertThat(TableFile.open(out).columns().stream().map(Column::name).toList())
                .isEqualTo(plan.columns());
        assertThat(TableFile.open(out).columns()).allMatch(column -> column.type() == ColumnType.FLOAT32);
        List<float[]> found = floats(out, plan.columns());
        int[][] expected = expected(plan, rows);
        assertThat(found).hasSize(ROWS);
        for (int i = 0; i < ROWS; i++) {
            assertThat(bits(found.get(i))).as("row %d, seed %d", i, SEED).containsExactly(expected[i]);
        }
    }

    @Test
    void shouldKeepColumnsAndWriteStatuses() throws IOException {
        Path spec = write("small.yaml", SMALL);
        Path data = write("rows.csv", "id,amount,country\n007,12,CH\n008,9,XX\n009,10,\n");
        Path out = temp.resolve("out.csv");

        Run run = transform(spec, "--data", data, "--out", out, "--keep", "id,country", "--status");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("degraded    2 rows\n");
        assertThat(Files.readString(out)).isEqualTo("""
            id,country,amount_z,land,amount_z_status,land_status
            007,CH,1.0,0.0,PRESENT,PRESENT
            008,XX,-0.5,9.0,PRESENT,NULL_VALUE
            009,,0.0,9.0,PRESENT,NULL_VALUE
            """);
    }

    @Test
    void shouldTakeNullForAColumnThatIsNotThereAndSaySo() throws IOException {
        Path spec = write("small.yaml", SMALL);
        Path out = temp.resolve("out.csv");

        Run run = transform(spec, "--data", write("rows.csv", "amount\n12\n"), "--out", out);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("null        no column country in the data\n");
        assertThat(Files.readString(out)).isEqualTo("amount_z,land\n1.0,9.0\n");
    }

    @Test
    void shouldFindFieldsThatOnlyLaterObjectsHave() throws IOException {
        Path spec = write("small.yaml", SMALL);
        Path data = write("rows.jsonl", "{\"amount\": 10}\n".repeat(1_500) + "{\"country\": \"DE\", \"amount\": 10}\n");
        Path out = temp.resolve("out.csv");

        Run run = transform(spec, "--data", data, "--out", out);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(Files.readAllLines(out)).hasSize(1_502).last().isEqualTo("0.0,1.0");
    }

    @Test
    void shouldDoWithRejectedRowsAsItIsTold() throws IOException {
        Path spec = write("small.yaml", SMALL);
        Path data = write("rows.csv", "id,amount,country\n1,12,CH\n2,,CH\n3,1000,CH\n4,much,CH\n5,8,DE\n");
        Path out = temp.resolve("out.csv");

        Run skip = transform(spec, "--data", data, "--out", out, "--keep", "id", "--on-error", "skip");
        assertThat(skip.code()).as(skip.toString()).isZero();
        assertThat(skip.out())
                .contains("rejected    3 rows, first line 3, amount: null came, expected float64\n")
                .contains("rows        5\n");
        assertThat(Files.readString(out)).isEqualTo("id,amount_z,land\n1,1.0,0.0\n5,-1.0,1.0\n");

        Run missing = transform(spec, "--data", data, "--out", out, "--keep", "id", "--on-error", "null", "--status");
        assertThat(missing.code()).as(missing.toString()).isZero();
        assertThat(Files.readString(out)).isEqualTo("""
            id,amount_z,land,amount_z_status,land_status
            1,1.0,0.0,PRESENT,PRESENT
            2,,,,
            3,,,,
            4,,,,
            5,-1.0,1.0,PRESENT,PRESENT
            """);
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
    void shouldNameWhatARowIsRejectedFor() throws IOException {
        Path spec = write("small.yaml", SMALL);
        String[][] cases = {
            {"amount,x\n12,1\n,1\n", "bad.csv: line 3, amount: null came, expected float64"},
            {"amount\n12\n1000\n", "bad.csv: line 3, amount_z: 495.0 came, expected a number from -5.0 to 5.0"},
            {"amount\n12\nmuch\n", "bad.csv: line 3, column 'amount': 'much' came, expected a number (FLOAT64)"},
        };
        for (String[] one : cases) {
            assertComplains(one[1], spec, "--data", write("bad.csv", one[0]));
        }
    }

    @Test
    void shouldNameWhatIsNotThere() throws IOException {
        Path small = write("small.yaml", SMALL);
        Path all = write("all.yaml", SPEC);
        Path stored = write("stored.yaml", STORED);
        Path data = write("rows.csv", "country,user_id,at\nCH,u,2026-01-31T12:00:00Z\n");
        assertComplains(
                "rows.csv: there is no column 'amount', which small requires as float64", small, "--data", data);
        assertComplains("there is no column 'request_time' with the time of the request", all, "--data", data);
        assertComplains(
                "view 'stats' is of kind store: --store has to say", stored, "--data", data, "--time-column", "at");
        assertComplains(
                "there is no column 'other'", small, "--data", write("a.csv", "amount\n1\n"), "--keep", "other");
        assertComplains(
                "two columns are called 'amount_z'",
                small,
                "--data",
                write("b.csv", "amount,amount_z\n1,2\n"),
                "--keep",
                "amount_z");
        assertComplains("none.yaml: there is no such file", temp.resolve("none.yaml"), "--data", data);
        Path wrong = write("wrong.yaml", SMALL.replace("std: 2", "std: -2"));
        assertComplains("features.amount_z.transform[0].standardize.std: -2.0 came", wrong, "--data", data);
        assertThat(transform(small).code()).isEqualTo(2);
        assertThat(transform(small, "--data", data, "--out", data).code()).isEqualTo(2);
    }

    private Path store(String sum) throws IOException {
        Path store = temp.resolve("store_" + sum);
        Path schema = write("stats.schema", """
            view stats
            key user string(8)
            field country string(4)
            field since timestamp
            field many int64
            field good bool
            field extra float64
            field n int32
            field few float32
            field sum %s
            """.formatted(sum));
        Path rows = write("stats.csv", """
            user,event_time,country,since,many,good,extra,n,few,sum
            u1,2026-01-31T12:00:00Z,FR,2020-02-29T00:00:00Z,12345678,true,5,-7,0.1,2.5
            u2,2026-01-31T12:00:00Z,,,,,,,,
            old,2026-01-31T10:00:00Z,CH,2020-02-29T00:00:00Z,1,false,5,1,1,1
            """);
        Run run = run("load", store, "--schema", schema, "--data", rows);
        assertThat(run.code()).as(run.toString()).isZero();
        return store;
    }

    @Test
    void shouldTakeStoredValuesFromTheStore() throws IOException {
        Path spec = write("stored.yaml", STORED);
        Path data = write("rows.csv", """
            user_id,at
            u1,2026-01-31T12:30:00Z
            u2,2026-01-31T12:30:00Z
            old,2026-01-31T12:30:00Z
            nobody-knows,2026-01-31T12:30:00Z
            u1,2026-01-31T12:30:00Z
            """);
        Path out = temp.resolve("out.csv");

        Run run = transform(
                spec, "--data", data, "--out", out, "--store", store("float64"), "--time-column", "at", "--status");

        assertThat(run.code()).as(run.toString()).isZero();
        List<String> lines = Files.readAllLines(out);
        assertThat(lines.getFirst()).startsWith("sum,few,n,good,c_CH,c_FR,c_unknown,year,many,sum_status");
        String known = "2.5,0.1,-7.0,1.0,0.0,1.0,0.0,2020.0,1.2345678E7" + ",PRESENT".repeat(7);
        assertThat(lines.subList(1, 6))
                .containsExactly(
                        known,
                        "NaN,NaN,NaN,NaN,0.0,0.0,1.0,NaN,NaN" + ",NULL_VALUE".repeat(7),
                        "-1.0,NaN,-2.0,NaN,0.0,0.0,1.0,NaN,NaN" + ",OUTSIDE_MAX_AGE".repeat(7),
                        "-1.0,NaN,-2.0,NaN,0.0,0.0,1.0,NaN,NaN" + ",NOT_FOUND".repeat(7),
                        known);
        assertThat(run.out()).contains("degraded    2 rows\n");
    }

    @Test
    void shouldRefuseAStoreOfOtherTypes() throws IOException {
        Path spec = write("stored.yaml", STORED);
        Path data = write("rows.csv", "user_id,request_time\nu1,2026-01-31T12:30:00Z\n");
        assertComplains(
                "field 'sum' of view 'stats' is float32, expected float64",
                spec,
                "--data",
                data,
                "--store",
                store("float32"));
        Path lacks = write(
                "lacks.yaml", STORED.replace("{name: n, ", "{name: lacks, ").replace("stats.n}", "stats.lacks}"));
        assertComplains("view 'stats' has no field 'lacks'", lacks, "--data", data, "--store", store("float64"));
        assertComplains("there is no feature store", spec, "--data", data, "--store", temp.resolve("none"));
    }
}
