// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spec.FeatureSpec;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features fit` as it is called. `fit.json` has what scikit-learn learned from `fit.csv` and
/// made of it, and says how.
class FeaturesFitTest {
    private static final String TEMPLATE = """
        # What is learned has no hash yet.
        apiVersion: v1
        kind: FeaturePipeline
        name: fitted
        version: 1
        request:
          - {name: a, type: float64}
          - {name: b, type: float64}   # large
          - {name: c, type: float64}
          - {name: k, type: float64}
          - {name: w, type: int64}
          - {name: t, type: string}
          - {name: u, type: int64}
        features:
          - {name: a_z, input: a, transform: [{standardize: {state: file:state.json}}]}
          - {name: b_z, input: b, transform: [{standardize: {ddof: 0, state: "file:state.json"}}]}
          - {name: k_z, input: k, transform: [{standardize: {state: 'file:state.json'}}]}
          - {name: w_z, input: w, transform: [{standardize: {state: file:state.json}}]}
          - name: a_log_z
            input: a
            transform:
              - log1p
              - standardize:
                  state: file:state.json
          - {name: a_mm, input: a, transform: [{minmax: {state: file:ranges.json}}]}
          - {name: a_rob, input: a, transform: [{robust: {state: file:state.json}}]}
          - {name: c_rob, input: c, transform: [{robust: {state: file:state.json}}]}
          - name: b_bin
            input: b
            transform: [{bucketize: {boundaries: file:b.txt, closed: left, out_of_range: clamp, fit: {bins: 7}}}]
          - name: w_bin
            input: w
            transform: [{bucketize: {state: file:state.json, closed: left, out_of_range: clamp, fit: {bins: 5}}}]
          - name: c_bin
            input: c
            transform:
              - {impute: {state: file:state.json, state_key: c_of_bin, fit: {strategy: median}}}
              - {bucketize: {boundaries: file:c.json, closed: left, out_of_range: clamp, fit: {bins: 10}}}
          - {name: c_mean, input: c, transform: [{impute: {state: file:state.json}}]}
          - {name: c_median, input: c, transform: [{impute: {state: file:state.json, fit: {strategy: median}}}]}
          - {name: c_mode, input: c, transform: [{impute: {state: file:state.json, fit: {strategy: mode}}}]}
          - name: a_iz
            input: a
            transform:
              - {impute: {state: file:state.json, state_key: a_of_iz, fit: {strategy: median}}}
              - {standardize: {state: file:state.json}}
          - {name: a_izm, input: features.a_iz, transform: [{minmax: {state: file:state.json}}]}
          - {name: t_hot, input: t, transform: [{one_hot: {vocab: file:t.txt, unknown: ignore}}]}
          - {name: t_ord, input: t, transform: [{vocab: {values: file:t.json, unknown: reject}}]}
          - {name: u_ord, input: u, transform: [{vocab: {values: file:u.txt, unknown: reject}}]}
        output: {tensor: in, type: float32, layout: row}   # the end
        """;
    private static final String HEAD = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 1
        request:
          - {name: x, type: float64}
          - {name: n, type: int64}
          - {name: s, type: string}
        features:
        """;
    private static final String TAIL = "output: {tensor: in, type: float32, layout: row}\n";

    @TempDir
    Path temp;

    /// A value of JSON.
    private record Json(YamlNode node) {
        static Json of(String text) {
            return new Json(Yaml.parseValue(text));
        }

        static Json read(Path file) throws IOException {
            return of(Files.readString(file));
        }

        Map<String, Json> all() {
            Map<String, Json> all = new LinkedHashMap<>();
            ((YamlNode.Mapping) node).entries().forEach(each -> all.put(each.name(), new Json(each.value())));
            return all;
        }

        Json get(String name) {
            return all().get(name);
        }

        List<Json> items() {
            return ((YamlNode.Sequence) node).items().stream().map(Json::new).toList();
        }

        String text() {
            return ((YamlNode.Scalar) node).text();
        }

        double number() {
            return Double.parseDouble(text());
        }
    }

    private record Run(int code, String out, String err) {}

    private static Run run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = Stream.concat(Stream.of("features"), Arrays.stream(arguments))
                .map(Object::toString)
                .toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all);
        return new Run(code, out.toString(), err.toString());
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    private static Json golden() throws IOException {
        try (InputStream in = FeaturesFitTest.class.getResourceAsStream("fit.json")) {
            return Json.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private Path goldenData() throws IOException {
        try (InputStream in = FeaturesFitTest.class.getResourceAsStream("fit.csv")) {
            return Files.write(temp.resolve("fit.csv"), in.readAllBytes());
        }
    }

    private Path fitted(String name) throws IOException {
        Path spec = file("template.yaml", TEMPLATE);
        Run run = run("fit", goldenData(), "--spec", spec, "--out", temp.resolve(name));
        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("passes: 3").contains("rows        400\n");
        return temp.resolve(name);
    }

    private static void assertClose(String what, double came, String expected) {
        double wanted = Double.parseDouble(expected);
        assertThat(Math.abs(came - wanted))
                .as("%s: %s, expected %s", what, came, wanted)
                .isLessThanOrEqualTo(1e-12 * Math.abs(wanted));
    }

    @Test
    void shouldLearnWhatScikitLearnLearns() throws IOException {
        Path out = fitted("out");

        Json state = Json.read(out.resolve("state.json"));
        Json golden = golden().get("state");
        for (String name : List.of("a_z", "b_z", "k_z", "w_z", "a_log_z", "a_iz")) {
            Json expected = golden.get(name);
            double std = state.get(name).get("std").number();
            assertClose(
                    name,
                    state.get(name).get("mean").number(),
                    expected.get("mean").text());
            assertClose(name, std == 0 ? 1 : std, expected.get("scale").text());
        }
        assertThat(state.get("k_z").get("std").number()).isZero();
        for (String name : List.of("a_rob", "c_rob", "c_mean", "c_median", "c_mode", "a_izm")) {
            golden.get(name)
                    .all()
                    .forEach((key, value) ->
                            assertClose(name, state.get(name).get(key).number(), value.text()));
        }
        Json ranges = Json.read(out.resolve("ranges.json")).get("a_mm");
        assertClose(
                "a_mm",
                ranges.get("min").number(),
                golden.get("a_mm").get("min").text());
        assertClose(
                "a_mm",
                ranges.get("max").number(),
                golden.get("a_mm").get("max").text());
        assertEdges(golden, "b_bin", Files.readAllLines(out.resolve("b.txt")));
        assertEdges(golden, "c_bin", texts(Json.read(out.resolve("c.json"))));
        assertEdges(golden, "w_bin", texts(state.get("w_bin").get("boundaries")));
        List<String> categories = texts(golden.get("t_hot").get("categories"));
        assertThat(Files.readAllLines(out.resolve("t.txt"))).isEqualTo(categories);
        assertThat(texts(Json.read(out.resolve("t.json")))).isEqualTo(categories);
        assertThat(Files.readAllLines(out.resolve("u.txt")))
                .isEqualTo(texts(golden.get("u_ord").get("categories")));
    }

    private static List<String> texts(Json list) {
        return list.items().stream().map(Json::text).toList();
    }

    private static void assertEdges(Json golden, String name, List<String> came) {
        List<String> edges = texts(golden.get(name).get("edges"));
        assertThat(came).hasSameSizeAs(edges);
        for (int i = 0; i < edges.size(); i++) {
            assertClose(name, Double.parseDouble(came.get(i)), edges.get(i));
        }
    }

    @Test
    void shouldTransformAsScikitLearnDoesAfterwards() throws IOException {
        Path out = fitted("out");
        Path columns = temp.resolve("columns.parquet");

        Run run = run("transform", out, "--data", goldenData(), "--out", columns);

        assertThat(run.code()).as(run.toString()).isZero();
        FeatureSpec spec = FeatureSpec.read(out.resolve("features.yaml"));
        Json golden = golden().get("columns");
        TableFile table = TableFile.open(columns);
        TableBatch batch = TableBatch.of(table.columns(), 400);
        try (TableReader reader = table.read(table.columns(), false)) {
            assertThat(reader.next(batch)).isTrue();
        }
        int column = 0;
        for (var feature : spec.features()) {
            List<Json> rows = golden.get(feature.name()).items();
            assertThat(rows).as(feature.name()).hasSize(400);
            for (int i = 0; i < feature.columns().width(); i++, column++) {
                for (int row = 0; row < 400; row++) {
                    float came = batch.values(column).getFloat(row);
                    float wanted =
                            (float) Double.parseDouble(cells(rows.get(row)).get(i));
                    assertThat(came == wanted
                                    || (Float.isNaN(came) && Float.isNaN(wanted))
                                    || Math.abs(came - wanted) <= tolerance(feature.name(), wanted))
                            .as("%s, row %d: %s, expected %s", feature.name(), row, came, wanted)
                            .isTrue();
                }
            }
        }
        assertThat(column).isEqualTo(batch.columns().size());
    }

    /// The next float; where a billion is subtracted the mean's last bits are in it.
    private static double tolerance(String feature, float wanted) {
        return feature.equals("b_z") ? 1e-5 : Math.ulp(wanted) + Math.ulp(1f) * 1e-7;
    }

    private static List<String> cells(Json row) {
        return row.items().stream()
                .map(cell -> cell.text().replace("nan", "NaN"))
                .toList();
    }

    @Test
    void shouldOnlyAddHashes() throws IOException {
        Path out = fitted("out");

        String text = Files.readString(out.resolve("features.yaml"));

        assertThat(text.replaceAll("@sha256:[0-9a-f]{64}", "")).isEqualTo(TEMPLATE);
        assertThat(text.split("@sha256:", -1)).hasSize(1 + 21);
    }

    @Test
    void shouldWriteTheSameBytesAgain() throws IOException {
        Path first = fitted("first");
        Path second = fitted("second");

        for (String name : List.of("features.yaml", "state.json", "ranges.json", "b.txt", "c.json", "t.txt", "u.txt")) {
            assertThat(second.resolve(name)).as(name).hasSameBinaryContentAs(first.resolve(name));
        }
        assertThat(first.toFile().list()).hasSize(8);
    }

    private Run fit(String features, String data) throws IOException {
        return run(
                "fit",
                file("small.csv", data),
                "--spec",
                file("small.yaml", HEAD + features.indent(2) + TAIL),
                "--out",
                temp.resolve("small"));
    }

    private String learned(String features, String data, String name) throws IOException {
        Run run = fit(features, data);
        assertThat(run.code()).as(run.toString()).isZero();
        return Files.readString(temp.resolve("small").resolve(name));
    }

    @Test
    void shouldOrderAndCutCategoriesAsItIsTold() throws IOException {
        String data = "s,n\nb,1\na,5\nb,5\nc,9\na,9\n,\nd,-2\nb,9\n";
        String feature =
                "- {name: y, input: s, transform: [{vocab: {values: file:v.txt, unknown: 'null', fit: %s}}]}\n";
        assertThat(learned(feature.formatted("{order: value}"), data, "v.txt")).isEqualTo("a\nb\nc\nd\n");
        assertThat(learned(feature.formatted("{order: frequency}"), data, "v.txt"))
                .isEqualTo("b\na\nc\nd\n");
        assertThat(learned(feature.formatted("{order: frequency, max_size: 3}"), data, "v.txt"))
                .isEqualTo("b\na\nc\n");
        assertThat(learned(feature.formatted("{max_size: 2}"), data, "v.txt")).isEqualTo("a\nb\n");
        assertThat(learned(feature.formatted("{min_count: 3}"), data, "v.txt")).isEqualTo("b\n");
        assertThat(learned(
                        "- {name: y, input: n, transform: [{one_hot: {vocab: file:v.json, unknown: ignore, fit:"
                                + " {order: frequency, max_size: 2}}}]}\n",
                        data,
                        "v.json"))
                .isEqualTo("[9, 5]\n");
    }

    @Test
    void shouldLearnFromWhatTreatmentsGive() throws IOException {
        assertThat(learned(
                        "- {name: y, input: x, treat: {outlier: {low: 0, high: 10, treatment: as_extreme}},"
                                + " transform: [{standardize: {state: file:s.json, ddof: 1}}]}\n",
                        "x\n4\n6\n1e300\n-5\n\nnan\n",
                        "s.json"))
                .isEqualTo("{\n  \"y\": {\"mean\": 5.0, \"std\": " + Math.sqrt((1 + 1 + 25 + 25) / 3.0) + "}\n}\n");
        assertThat(learned(
                        "- {name: y, input: n, transform: [{impute: {state: file:s.json}}]}\n",
                        "n\n1\n2\n5\n",
                        "s.json"))
                .isEqualTo("{\n  \"y\": {\"value\": 3}\n}\n");
        assertThat(learned(
                        "- {name: y, input: x, transform: [{bucketize: {boundaries: file:b.json, closed: left, fit:"
                                + " {bins: 4}}}]}\n",
                        "x\n0\n1\n2\n3\n4\n",
                        "b.json"))
                .isEqualTo("[1.0, 2.0, 3.0]\n");
    }

    @Test
    void shouldKeepFilesThatHaveAHash() throws IOException {
        byte[] bytes = "b\na\n".getBytes(StandardCharsets.UTF_8);
        Files.write(temp.resolve("given.txt"), bytes);
        String hash = HexFormat.of().formatHex(sha256(bytes));
        String features = "- {name: s_in, input: s, transform: [{vocab: {values: 'file:given.txt@sha256:" + hash
                + "', unknown: 'null'}}, {standardize: {state: file:s.json}}]}\n";
        assertThat(learned(features, "s\na\nb\na\na\n", "s.json")).contains("\"mean\": 0.75");
        assertThat(Files.readAllBytes(temp.resolve("small").resolve("given.txt")))
                .isEqualTo(bytes);
        Run transform = run(
                "transform",
                temp.resolve("small"),
                "--data",
                temp.resolve("small.csv"),
                "--out",
                temp.resolve("o.csv"));
        assertThat(transform.code()).as(transform.toString()).isZero();
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldLearnNothingFromRowsThatAreRejected() throws IOException {
        String features = "- {name: a, input: n, validate: [{not_null: true}]}\n"
                + "- {name: y, input: x, transform: [{minmax: {state: file:s.json}}]}\n";
        String data = "x,n\n1,1\n9,\n2,1\nmany,1\n";
        Run fail = fit(features, data);
        assertThat(fail.code()).isOne();
        assertThat(fail.err()).contains("small.csv: line 3, a: null came, expected a value");
        Run skip = run(
                "fit",
                temp.resolve("small.csv"),
                "--spec",
                temp.resolve("small.yaml"),
                "--out",
                temp.resolve("skip"),
                "--on-error",
                "skip");
        assertThat(skip.code()).as(skip.toString()).isZero();
        assertThat(skip.out()).contains("rejected    2 rows");
        assertThat(Files.readString(temp.resolve("skip").resolve("s.json")))
                .isEqualTo("{\n  \"y\": {\"min\": 1.0, \"max\": 2.0}\n}\n");
    }

    private void assertRefuses(String features, String data, String problem) throws IOException {
        Run run = fit(features, data);
        assertThat(run.code()).as(run.toString()).isOne();
        assertThat(run.err()).contains(problem);
        assertThat(temp.resolve("small")).doesNotExist();
    }

    @Test
    void shouldSayWhatCannotBeLearned() throws IOException {
        String[][] cases = {
            {"x", "power: {method: yeo_johnson, state: file:s.json}", "that of power is not learned here"},
            {"x", "bucketize: {boundaries: file:b.json, closed: left}", "came without fit.bins, expected how many"},
            {"x", "standardize: {state: file:a/s.json}", "'a/s.json' came, expected the name of a file in the folder"},
            {"s", "impute: {state: file:s.json}}, {vocab: {values: [a], unknown: 'null'}", "a text has no mean"},
            {"s", "vocab: {values: file:v.txt, unknown: 'null', fit: {min_count: 9}}", "as fit.min_count says, 9 times"
            },
            {"x", "embed: {table: file:t.json}", "a number came, expected"},
            {"x", "impute: {state: file:s.json}}, {standardize: {state: file:s.json}", "came before, expected another"},
            {"x", "clip: {low: 0, high: 1}", "nothing is to be learned, expected references without hash"},
            {"x", "minmax: {state: file:s.json, fit: {bins: 3}}", "fit: came, expected one of"},
            {
                "x",
                "impute: {state: file:s.json, fit: {strategy: sum}}",
                "'sum' came, expected one of [mean, median, mode]"
            },
        };
        for (String[] one : cases) {
            assertRefuses(
                    "- {name: y, input: " + one[0] + ", transform: [{" + one[1] + "}]}\n", "x,s\n1,a\n2,b\n", one[2]);
        }
        String robust = "- {name: y, input: x, transform: [{robust: {state: file:s.json}}]}\n";
        assertRefuses(robust, "x\n1\ninf\n", "small.csv: line 3, features.y.transform[0].robust: Infinity came");
        assertRefuses(robust, "x,n\n,1\n,2\n", "features.y.transform[0].robust: no value came, expected one at least");
        assertRefuses(
                "- {name: y, input: s, transform: [{vocab: {values: file:v.txt, unknown: 'null'}}]}\n",
                "s\n\"a\nb\"\n",
                "a category with a line break came, expected a file that ends in .json");
    }

    @Test
    void shouldNotReplaceTheTemplate() throws IOException {
        String features = "- {name: y, input: x, transform: [{robust: {state: file:s.json}}]}\n";
        Path spec = file("features.yaml", HEAD + features.indent(2) + TAIL);
        Path data = file("small.csv", "x\n1\n");
        Run run = run("fit", data, "--spec", spec);
        assertThat(run.code()).isOne();
        assertThat(run.err()).contains("would be replaced by what is written, expected --out");
        Run transform = run("transform", spec, "--data", data, "--out", temp.resolve("o.csv"));
        assertThat(transform.err()).contains("'millrace features fit' learns what is without a hash");
        Path other = Files.move(spec, temp.resolve("template.yaml"));
        Run beside = run("fit", data, "--spec", other);
        assertThat(beside.code()).as(beside.toString()).isZero();
        assertThat(Files.readString(spec)).contains("file:s.json@sha256:");
        assertThat(TableFile.open(data).columns()).containsExactly(Column.nullable("x", ColumnType.INT64));
    }
}
