// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.JsonTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features explain` as it is called.
class FeaturesExplainCommandTest {
    private static final String SPEC = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 2
        request:
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
          - {name: n, type: int32}
          - {name: at, type: timestamp}
          - {name: f, type: float32}
          - {name: yes, type: bool}
        features:
          - name: amount_z
            input: amount
            treat: {outlier: {low: 0, high: 8, treatment: as_extreme}}
            transform: [{clip: {low: 0, high: 6}}, {standardize: {mean: 10, std: 2}}]
          - {name: land, input: country, transform: [{one_hot: {vocab: [CH, DE, FR], unknown: ignore, drop: none}}]}
          - {name: n, input: n, validate: [{between: {min: 0, max: 9}}]}
          - {name: year, input: at, default: 1970, transform: [{datetime: {part: year, zone: UTC}}]}
          - {name: hour, input: request_time, transform: [{datetime: {part: hour, zone: UTC}}]}
          - {name: f, input: f}
          - {name: yes, input: yes}
        output: {tensor: in, type: float32, layout: row}
        """;
    private static final String ROW = """
        {"amount": 12.5, "country": "DE", "n": 3, "at": "2026-01-31T12:00:00+01:00", "f": 0.1, "yes": true,
        "request_time": 7200000000}\
        """;

    @TempDir
    Path temp;

    private Path spec;

    private record Run(int code, String out, String err) {}

    private Run explain(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("features", "explain", spec.toString()));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    @BeforeEach
    void writeSpec() throws IOException {
        spec = Files.writeString(temp.resolve("small.yaml"), SPEC);
    }

    @Test
    void shouldPrintATableOfWhatBecameOfARow() {
        Run run = explain("--row", ROW);

        assertThat(run.code()).as(run.toString()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines.getFirst()).matches("small 2 [0-9a-f]{64}");
        assertThat(lines.stream()
                        .skip(2)
                        .map(line -> line.replaceAll(" {2,}", " | "))
                        .toList())
                .containsExactly(
                        "feature | status | raw | treated | transformed | columns",
                        "amount_z | CLIPPED | amount=12.5 | outlier 8.0 | clip 6.0 -> standardize -2.0"
                                + " | amount_z=-2.0",
                        "land | PRESENT | country='DE' | - | - | land_DE=1.0, 2 of 3 are 0",
                        "n | PRESENT | n=3 | - | - | n=3.0",
                        "year | PRESENT | at=1769857200000000 | - | year 2026 | year=2026.0",
                        "hour | PRESENT | request_time=7200000000 | - | hour 2 | hour=2.0",
                        "f | PRESENT | f=0.10000000149011612 | - | - | f=0.1",
                        "yes | PRESENT | yes=1 | - | - | yes=1.0");
    }

    @Test
    void shouldPrintTheSameAsJson() {
        Run run = explain("--json", "--row", ROW);

        assertThat(run.code()).as(run.toString()).isZero();
        JsonTree tree = JsonTree.parse(run.out());
        assertThat(tree.get("name").text()).isEqualTo("small");
        JsonTree first = tree.get("features").elements().getFirst();
        assertThat(first.get("status").text()).isEqualTo("CLIPPED");
        assertThat(first.get("steps").elements()).hasSize(3);
        assertThat(first.get("columns").elements().getFirst().get("value").text())
                .isEqualTo("-2.0");
    }

    @Test
    void shouldTellWhatARowIsRejectedFor() {
        Run late = explain("--row", "{\"amount\": 1, \"n\": 10}");
        assertThat(late.code()).as(late.toString()).isOne();
        assertThat(late.out())
                .endsWith("\nrejected: n: 10.0 came, expected a number from 0.0 to 9.0\n")
                .contains("land ")
                .doesNotContain("year");
        Run early = explain("--row", "{\"amount\": null}");
        assertThat(early.code()).as(early.toString()).isOne();
        assertThat(early.out()).contains("rejected: amount: null came, expected float64\n");
    }

    @Test
    void shouldSayWhatIsWrongWithARow() {
        String[][] cases = {
            {"{\"amuont\": 1}", "--row: field 'amuont' came, expected one of [amount, country, n, at, f, yes]"},
            {"{\"amount\": \"1\"}", "--row: field 'amount': the string \"1\" came, expected float64"},
            {"{\"amount\": 1e999}", "--row: field 'amount': "},
            {"{\"amount\": 1, \"amount\": 2}", "--row: 'amount' came twice"},
            {"{\"country\": 1}", "--row: field 'country': "},
            {"{\"n\": 1.5}", "--row: field 'n': "},
            {"{\"n\": 3000000000}", "field 'n' was given 3000000000, expected int32"},
            {"{\"yes\": 2}", "field 'yes' was given 2, expected bool"},
            {"{\"at\": \"yesterday\"}", "--row: field 'at': 'yesterday' came, expected timestamp"},
            {"{\"request_time\": true}", "--row: field 'request_time': "},
            {"{\"amount\": 1", "--row: "},
            {"{\"amount\": 1} x", "--row: "},
            {"[1]", "--row: an array came, expected an object"},
        };
        for (String[] one : cases) {
            Run run = explain("--row", one[0]);
            assertThat(run.code()).as(one[0]).isOne();
            assertThat(run.err()).startsWith("millrace: ").contains(one[1]);
            assertThat(run.err().lines()).hasSize(1);
        }
        assertThat(explain().code()).isEqualTo(2);
    }
}
