// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace score` with models of all kinds, and such as fail.
class ScoreKindsTest {
    private static final Path MODELS = Path.of("../runtime/src/test/resources/models");

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private Run score(String model, String data, Object... arguments) throws IOException {
        boolean json = data.startsWith("{");
        Path in = Files.writeString(temp.resolve(json ? "in.jsonl" : "in.csv"), data);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(
                "score",
                MODELS.resolve(model + ".onnx").toString(),
                "--data",
                in.toString(),
                "--out",
                temp.resolve("out.csv").toString()));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(temp.resolve("out.csv"));
    }

    /// The row is told, not the batch that it was in.
    @Test
    void shouldTellTheRowThatTheModelFailsOn() throws IOException {
        Run run = score("fails_on_index", "x,n\n0,a\n1,b\n2,c\n99,d\n3,e\n");

        assertThat(run.code()).as(run.toString()).isEqualTo(1);
        assertThat(run.err())
                .startsWith("millrace: " + temp.resolve("in.csv") + ": line 5: ")
                .hasLineCount(1);
        assertThat(temp.resolve("out.csv")).doesNotExist();
    }

    @Test
    void shouldAnswerTheOthersWhenTheModelFailsOnSome() throws IOException {
        String data = "x,n\n0,a\n1,b\n99,c\n2,d\n77,e\n3,f\n";

        Run skipped = score("fails_on_index", data, "--on-error", "skip", "--keep", "n");
        assertThat(skipped.code()).as(skipped.toString()).isZero();
        assertThat(skipped.out()).contains("no answer   2 rows, first line 4: ");
        assertThat(lines()).containsExactly("n,y", "a,10.0", "b,11.0", "d,12.0", "f,13.0");

        Run missing = score("fails_on_index", data, "--on-error", "null", "--keep", "n");
        assertThat(missing.code()).as(missing.toString()).isZero();
        assertThat(lines()).containsExactly("n,y", "a,10.0", "b,11.0", "c,", "d,12.0", "e,", "f,13.0");
    }

    /// The first output of the model is x0 + 2 x1 + 3 x2 + 4 x3 + 0.5 of its columns.
    @Test
    void shouldAskByRawValuesWithWhatIsStored() throws IOException {
        Path version = Files.createDirectories(temp.resolve("models/pay/1"));
        Files.copy(Path.of("src/test/resources/models/linear/1/model.onnx"), version.resolve("model.onnx"));
        Files.writeString(version.resolve("features.yaml"), """
            apiVersion: v1
            kind: FeaturePipeline
            name: payments
            version: 1
            entities: [{name: user, join_keys: [user_id], type: int64}]
            sources: {stats: {kind: store, entity: user, fields: [{name: mean, type: float64, default: 0}]}}
            request:
              - {name: user_id, type: int64}
              - {name: amount, type: float64, required: true}
              - {name: country, type: string}
              - {name: web, type: bool}
            features:
              - {name: mean, input: stats.mean}
              - {name: amount, input: amount, validate: [{between: {min: 0, max: 100}}]}
              - {name: NL, input: country, transform: [{one_hot: {vocab: [NL], unknown: ignore}}]}
              - {name: web, input: web, default: 0}
            output: {tensor: x, type: float32, layout: row}
            """);
        ViewSchema stats = ViewSchema.parse("view stats\nkey user_id int64\nfield mean float64\n");
        try (EmbeddedStore store = EmbeddedStore.open(temp.resolve("store"), StoreOptions.DEFAULT, stats)) {
            store.write(new WriteBatch().row(store.view("stats"), 7, 1, 1).putDouble(0, 100));
        }
        Path data = Files.writeString(
                temp.resolve("in.csv"),
                "amount,web,user_id,country,label\n10,,7,NL,a\n20,true,,,b\n200,,7,,c\n,,,,d\n");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(
                new PrintWriter(out),
                new PrintWriter(err),
                "score",
                "pay",
                "--model-repository",
                temp.resolve("models").toString(),
                "--feature-store",
                temp.resolve("store").toString(),
                "--data",
                data.toString(),
                "--ignore",
                "label",
                "--keep",
                "label",
                "--on-error",
                "null",
                "--out",
                temp.resolve("out.csv").toString());

        assertThat(code).as(err.toString()).isZero();
        assertThat(lines().stream()
                        .map(line -> line.substring(0, line.lastIndexOf(',')))
                        .toList())
                .containsExactly("label,y_0", "a,123.5", "b,44.5", "c,", "d,");
        assertThat(out.toString()).contains("2 rows, first line 4: amount: 200.0 came");
    }

    @Test
    void shouldAnswerWithEveryType() throws IOException {
        String values = "\"f64_0\":0.1,\"f64_1\":-0.0,\"f64_2\":NaN,\"f16_0\":0.5,\"f16_1\":null,\"f16_2\":2,"
                + "\"i64_0\":-9223372036854775808,\"i64_1\":9223372036854775807,\"i64_2\":0,"
                + "\"i32_0\":-2147483648,\"i32_1\":1,\"i32_2\":2,\"i16_0\":-32768,\"i16_1\":1,\"i16_2\":2,"
                + "\"i8_0\":-128,\"i8_1\":127,\"i8_2\":0,\"u8_0\":255,\"u8_1\":1,\"u8_2\":0,"
                + "\"bool_0\":true,\"bool_1\":false,\"bool_2\":1";

        Run run = score("types", "{" + values + "}\n");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(lines().get(0)).startsWith("f64_out_0,f64_out_1,f64_out_2,f16_out_0");
        assertThat(lines().get(1))
                .isEqualTo("0.1,-0.0,NaN,0.5,NaN,2.0,-9223372036854775808,9223372036854775807,0,-2147483648,1,2,"
                        + "-32768,1,2,-128,127,0,255,1,0,true,false,true");
        assertThat(score("types", "{" + values.replace(":255", ":256") + "}").err())
                .contains("in.jsonl: line 1, column 'u8_0': '256' came, expected an integer from 0 to 255 (UINT8)");
        assertThat(score("types", "{" + values.replace("-128", "-129") + "}").err())
                .contains("'-129' came, expected an integer from -128 to 127 (INT8)");
        assertThat(score("types", "{" + values.replace(":true", ":null") + "}").err())
                .contains("line 1, field 'bool_0': nothing came, expected true or false");
        assertThat(score("types", "{" + values + "}\n{\"f64_0\":1}").err())
                .contains("line 2, field 'f64_1': it is missing, expected a number (FLOAT64)");
    }

    @Test
    void shouldAnswerWithIntegersWithoutASign() throws IOException {
        String data = "u16_0,u16_1,u32_0,u32_1,u64_0,u64_1\n65535,0,4294967295,0,18446744073709551615,7\n";

        Run run = score("unsigned", data);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(lines().get(1)).isEqualTo("65535,0,4294967295,0,18446744073709551615,7");
        assertThat(score("unsigned", data.replace(",7\n", ",-7\n")).err())
                .contains("column 'u64_1': '-7' came, expected an integer from 0 to 18446744073709551615 (UINT64)");
    }

    @Test
    void shouldAnswerTextsAndNameKeysOfMaps() throws IOException {
        assertThat(score("strings", "x,n\nab,1\n\"\",2\n,3\n\"ü,\",4\n").code()).isZero();
        assertThat(lines()).containsExactly("y", "ab", "\"\"", "\"\"", "\"ü,\"");

        assertThat(score("zip_map", "x_0,x_1,x_2\n1,2,3\n4,5,6\n").code()).isZero();
        assertThat(lines()).containsExactly("y_ape,y_cat,y_dog", "3.0,1.0,2.0", "6.0,4.0,5.0");
    }

    /// Rows that depend on each other, that may differ in size, or that are taken one at a time.
    @Test
    void shouldAskForEachRowAloneWhereRowsAreNoBatch() throws IOException {
        assertThat(score("softmax_over_rows", "x_0,x_1,x_2,x_3\n1,2,3,4\n5,6,7,8\n")
                        .code())
                .isZero();
        assertThat(lines()).containsExactly("y_0,y_1,y_2,y_3", "1.0,1.0,1.0,1.0", "1.0,1.0,1.0,1.0");

        assertThat(score("fixed_batch", "x_0,x_1,x_2,x_3\n0,0,0,0\n1,1,1,1\n").code())
                .isZero();
        assertThat(lines()).containsExactly("y_0,y_1,y_2,y_3", "1.0,2.0,3.0,4.0", "2.0,3.0,4.0,5.0");

        assertThat(score("variable_shapes", "x_0,x_1\n1,2\n3,4\n").code()).isZero();
        assertThat(lines()).containsExactly("y_0,y_1,total", "2.0,4.0,6.0", "6.0,8.0,14.0");
    }

    @Test
    void shouldWriteATableWithoutRows() throws IOException {
        Run run = score("two_inputs", "a_0,n,a_1,a_2,a_3,b\n", "--keep", "n");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(lines()).containsExactly("n,sum_0,sum_1,sum_2,sum_3,flag");
        assertThat(score("variable_shapes", "x_0\n").err()).contains("in.csv: no row has an answer");
    }

    @Test
    void shouldPutColumnsTogetherToInputsByTheirNames() throws IOException {
        Run run = score("two_inputs", "a_0,n,a_1,a_2,a_3,b\n1,x,2,3,4,5\n1,y,2,3,4,-5\n", "--keep", "b,n");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(lines())
                .containsExactly(
                        "b,n,sum_0,sum_1,sum_2,sum_3,flag",
                        "5,x,6.0,7.0,8.0,9.0,true",
                        "-5,y,-4.0,-3.0,-2.0,-1.0,false");
    }
}
