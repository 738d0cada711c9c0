// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.JsonTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features` as it is called.
class FeaturesCommandTest {
    private static final String SCHEMA = """
        view customers
        key customer string(16)
        field amount float64
        field country string(3)
        field orders int32
        field good bool
        field since timestamp
        """;
    private static final String ROWS = """
        customer,seen,amount,country,orders,good,since,other
        c1,2026-01-31T12:00:00Z,12.5,CH,3,true,2020-02-29T00:00:00Z,x
        c2,2026-01-31T12:00:01.5+01:00,,,,,,
        c1,2026-01-31T11:00:00Z,99,DE,4,false,1,x
        """;

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

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    private Path loaded() throws IOException {
        Path store = temp.resolve("store");
        Run run = run(
                "load",
                store,
                "--schema",
                write("customers.schema", SCHEMA),
                "--data",
                write("rows.csv", ROWS),
                "--event-time",
                "seen");
        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).isEqualTo(temp.resolve("rows.csv") + ": 3 rows\nview 'customers' has 2 entities\n");
        return store;
    }

    @Test
    void shouldPrintRowsThatWereLoaded() throws IOException {
        Run run = run("get", loaded(), "customers", "c1", "c2");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines().map(String::length).distinct())
                .as("columns are aligned")
                .hasSize(1);
        assertThat(run.out().replaceAll(" {2,}", " | ")).isEqualTo("""
            customer | c1 | c2
            event time | 2026-01-31T12:00:00Z | 2026-01-31T11:00:01.500Z
            availability time | 2026-01-31T12:00:00Z | 2026-01-31T11:00:01.500Z
            amount | 12.5 | null
            country | CH | null
            orders | 3 | null
            good | true | null
            since | 2020-02-29T00:00:00Z | null
            """);
    }

    @Test
    void shouldPrintTheSameAsJson() throws IOException {
        Run run = run("get", "--json", loaded(), "customers", "c1", "nobody");

        assertThat(run.code()).as("one was not found").isOne();
        assertThat(JsonTree.parse(run.out()).toString())
                .isEqualTo(JsonTree.parse("""
                    {"view":"customers","rows":[{"key":"c1","found":true,"event_time":"2026-01-31T12:00:00Z",
                    "availability_time":"2026-01-31T12:00:00Z","values":{"amount":12.5,"country":"CH","orders":3,
                    "good":true,"since":"2020-02-29T00:00:00Z"}},{"key":"nobody","found":false}]}\
                    """).toString());
    }

    @Test
    void shouldPrintWhatAStoreHolds() throws IOException {
        Path store = loaded();
        Run text = run("stats", store);
        Run json = run("stats", store, "--json");

        assertThat(text.code()).as(text.toString()).isZero();
        assertThat(text.out())
                .contains("customers\n")
                .contains("customer string(16)\n")
                .contains("65,536\n");
        assertThat(text.out().lines().filter(line -> line.startsWith("oldest event time")))
                .singleElement()
                .asString()
                .endsWith("  2026-01-31T11:00:01.500Z");
        JsonTree tree = JsonTree.parse(json.out());
        assertThat(tree.get("batches").toString()).isEqualTo("1");
        JsonTree view = tree.get("views").elements().getFirst();
        assertThat(view.get("entities").toString()).isEqualTo("2");
        assertThat(view.get("fields").elements()).hasSize(5);
        assertThat(view.get("newest_event_time").text()).isEqualTo("2026-01-31T12:00:00Z");
    }

    @Test
    void shouldLoadOtherFilesIntoTheSameView() throws IOException {
        Path store = loaded();
        Path more = write("more.jsonl", """
            {"customer": "c3", "event_time": 1800000000000000, "known": 1800000000000001, "amount": 1e-3}
            {"customer": "c1", "event_time": 1800000000000000, "known": 1800000000000000, "country": "FR"}
            """);

        Run run = run("load", store, "--view", "customers", "--data", more, "--availability-time", "known");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).endsWith("has 3 entities\n");
        Run got = run("get", store, "customers", "c3", "c1");
        assertThat(got.out())
                .contains("2027-01-15T08:00:00.000001Z")
                .contains("0.001")
                .contains("FR");
    }

    @Test
    void shouldLoadParquet() throws IOException {
        Path schema = write("t.schema", """
            view t
            key id int64
            field x_0 float32
            field x_1 float64
            field s string(16)
            field gap float64
            field flag bool
            field n int32
            """);
        Path store = temp.resolve("parquet");

        Run run = run(
                "load",
                store,
                "--schema",
                schema,
                "--data",
                Path.of("../models/src/test/resources/dataset/zstd.parquet"),
                "--event-time",
                "l");

        assertThat(run.code()).as(run.toString()).isZero();
        Run got = run("get", "--json", store, "t", "2", "3");
        JsonTree two = JsonTree.parse(got.out()).get("rows").elements().getFirst();
        assertThat(two.get("event_time").text()).isEqualTo("1970-01-01T05:33:20Z");
        assertThat(two.get("values").get("x_0").toString()).isEqualTo(Float.toString((float) (2 / 3.0)));
        assertThat(two.get("values").get("x_1").toString()).isEqualTo(Double.toString(2 / 7.0));
        assertThat(two.get("values").get("s").text()).isEqualTo("text 2 ü");
        assertThat(two.get("values").get("gap").toString()).isEqualTo("null");
        assertThat(two.get("values").get("flag").toString()).isEqualTo("true");
        assertThat(two.get("values").get("n").toString()).isEqualTo("2000");
    }

    /// It fails with this in its one line of complaint.
    private static void assertComplains(String problem, Object... arguments) {
        Run run = run(arguments);
        assertThat(run.code()).as(run.toString()).isOne();
        assertThat(run.err()).startsWith("millrace: ").contains(problem);
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void shouldSayWhatIsWrongWithTheStore() throws IOException {
        Path store = loaded();
        Path none = temp.resolve("none");
        assertComplains("none: there is no feature store", "stats", none);
        assertComplains("none: there is no feature store", "load", none, "--view", "v", "--data", "rows.csv");
        assertThat(Files.exists(none)).isFalse();
        assertComplains("there is no view 'costumers', but [customers]", "get", store, "costumers", "c1");
        Path other = write("other.schema", SCHEMA.replace("float64", "float32"));
        assertComplains(
                "view 'customers' has field 'amount' of type float64 at position 0, but field 'amount' of type float32",
                "load",
                store,
                "--schema",
                other,
                "--data",
                "x");
        Path wrong = write("wrong.schema", SCHEMA.replace("float64", "double"));
        assertComplains(
                "wrong.schema: schema, line 3: 'amount' is of type 'double'",
                "load",
                store,
                "--schema",
                wrong,
                "--data",
                "x");
        assertThat(run("get", store).code()).isEqualTo(2);
        assertThat(run().code()).isEqualTo(2);
    }

    @Test
    void shouldSayWhatIsWrongWithTheData() throws IOException {
        Path store = loaded();
        Path rows = temp.resolve("rows.csv");
        assertComplains(
                "rows.csv: there is no column 'event_time'", "load", store, "--view", "customers", "--data", rows);
        String[][] cases = {
            {"CH,3", "CH,1.5", "line 2, column 'orders': '1.5' came, expected int32"},
            {"2026-01-31T12:00:00Z", "yesterday", "line 2, column 'seen': 'yesterday' came, expected microseconds since"
            },
            {"c2", "", "line 3, column 'customer': nothing came"},
            {"12.5", "0x1p3", "line 2, column 'amount': '0x1p3' came, expected float64"},
            {"CH", "Schweiz", "line 2, column 'country': field 'country' of view 'customers' is 7 bytes long"},
        };
        for (String[] one : cases) {
            Path file = write("bad.csv", ROWS.replace(one[0], one[1]));
            assertComplains(
                    "bad.csv: " + one[2], "load", store, "--view", "customers", "--data", file, "--event-time", "seen");
        }
    }
}
