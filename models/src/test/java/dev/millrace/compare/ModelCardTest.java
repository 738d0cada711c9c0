// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.inspect.ModelReport;
import dev.millrace.model.Batching;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.Cpu;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/// Cards of made-up figures.
class ModelCardTest {
    private static final Path FRAUD = Path.of("zoo/fraud/1/model.onnx");

    @TempDir
    Path temp;

    private static Quality quality(double accuracy, double auc) {
        List<Quality.Tenth> tenths = IntStream.range(0, 10)
                .mapToObj(i ->
                        i == 4 ? new Quality.Tenth(0, Double.NaN, Double.NaN) : new Quality.Tenth(7, i / 10.0, 0.5))
                .toList();
        return new Quality(
                2000,
                OptionalDouble.of(accuracy),
                OptionalDouble.of(auc),
                Optional.empty(),
                List.of(new double[] {0, 0}, new double[] {0.1, 0.9}, new double[] {1, 1}),
                tenths);
    }

    private static Side side(String file, long bytes, double accuracy, double auc) {
        return new Side(
                Path.of("/somewhere", file),
                bytes,
                new Batching(Batching.Kind.ROWS, "rows are independent", true),
                Optional.of(quality(accuracy, auc)));
    }

    private static ComparisonReport report() {
        TreeMap<Integer, Long> decades = new TreeMap<>();
        decades.put(-4, 1500L);
        decades.put(-2, 300L);
        Timing slow = new Timing(30_000, 29_000, 33_000, 101, 66);
        Timing fast = new Timing(10_000, 9_500, 10_400, 101, 200);
        return new ComparisonReport(
                Optional.of(side("float.onnx", 16_149, 0.981, 0.993)),
                side("int8.onnx", 8_000, 0.979, 0.9925),
                2000,
                List.of(new OutputDifference(
                        "score", 2000, 1800, 0, 0.0212, 0.0014, 2e-4, 3e-4, 0.0105, 0.02, decades)),
                Optional.of(new Decisions("score", Rule.THRESHOLD, 2000, 5)),
                List.of(new Speed(1, Optional.of(slow), fast), new Speed(64, Optional.of(slow), fast)),
                new Cpu("Some <CPU>", Cpu.Bytes.SATURATES));
    }

    @Test
    void shouldTellWhatWasFound() throws IOException {
        ModelCard card = ModelCard.of(ModelReport.of(FRAUD), report(), Path.of("/data/test.csv"), "CARD");

        assertThat(card.text())
                .startsWith("# Model card: fraud\n\nCard fraud example model of the Millrace project.")
                .contains(
                        "| file | int8.onnx, 8,000 bytes |\n",
                        "| compared with | float.onnx, 16,149 bytes: 49.5 % of its size |\n",
                        "| operators | Gemm 3, Relu 2, Mul 1, Sigmoid 1, Sub 1 |\n",
                        "| license | Apache-2.0 |\n",
                        "| input | features | FLOAT | \\[batch, 22\\] |\n",
                        "On 2,000 rows of test.csv.\n",
                        "| accuracy | 0.9810 | 0.9790 | -0.0020 |\n",
                        "| area under the ROC curve | 0.9930 | 0.9925 | -0.0005 |\n",
                        "5 of 2,000 decisions are others, 0.250 % ('score', 0.5 or more).\n",
                        "| score | 2,000 | 1,800 | 0.0212 | 0.00140 | 2.00e-04 | 3.00e-04 | 0.0105 | 0.0200 |\n",
                        "One thread of Some &lt;CPU&gt;, which has no VNNI",
                        "| 64 | 30.0 us | 29.0 us to 33.0 us | 10.0 us | 9.50 us to 10.4 us | 3.00 |\n")
                .contains(
                        "![ROC curve](CARD-roc.svg)",
                        "![reliability](CARD-reliability.svg)",
                        "![histogram of differences](CARD-differences.svg)",
                        "![time of a run](CARD-latency.svg)")
                .doesNotContain("/somewhere", "/data");
        assertThat(card.plots())
                .containsOnlyKeys("CARD-roc.svg", "CARD-reliability.svg", "CARD-differences.svg", "CARD-latency.svg");
    }

    @Test
    void shouldDrawWhatXmlReadersRead() throws Exception {
        ModelCard card = ModelCard.of(ModelReport.of(FRAUD), report(), Path.of("test.csv"), "CARD");

        for (String svg : card.plots().values()) {
            var document = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(svg)));
            assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
            assertThat(svg).doesNotContain("NaN", "Infinity");
        }
        assertThat(card.plots().get("CARD-latency.svg")).contains(">30.0 us<", ">10.0 us<", ">64 rows<");
        assertThat(card.plots().get("CARD-differences.svg"))
                .contains(">1e-4<", ">1e-3<", ">1e-2<", ">75.0 %<", ">10.0 %<");
    }

    @Test
    void shouldPutTinyDifferencesTogetherWhenTheyAreOfManyMagnitudes() throws IOException {
        ComparisonReport report = report();
        TreeMap<Integer, Long> decades = new TreeMap<>(Map.of(-40, 20L, -11, 30L, -10, 500L, -2, 700L));
        OutputDifference wide =
                new OutputDifference("score", 2000, 1250, 0, 0.02, 0.001, 2e-4, 3e-4, 0.01, 0.02, decades);
        ComparisonReport all = new ComparisonReport(
                report.before(), report.after(), 2000, List.of(wide), Optional.empty(), List.of(), report.cpu());

        ModelCard card = ModelCard.of(ModelReport.of(FRAUD), all, Path.of("test.csv"), "C");

        String svg = card.plots().get("C-differences.svg");
        assertThat(svg).contains(">none: 37.5 %<", ">less: 2.50 %<", ">1e-10: 25.0 %<", ">1e-2: 35.0 %<");
        assertThat(svg).contains(">1e-9<", ">1e-3<").doesNotContain(">1e-11<");
    }

    @Test
    void shouldTellOfOneModelAlone() throws IOException {
        ComparisonReport both = report();
        ComparisonReport one = new ComparisonReport(
                Optional.empty(),
                new Side(Path.of("m.onnx"), 10, both.after().batching(), Optional.empty()),
                1,
                List.of(),
                Optional.empty(),
                List.of(new Speed(1, Optional.empty(), both.speeds().getFirst().after())),
                both.cpu());

        ModelCard card = ModelCard.of(ModelReport.of(FRAUD), one, Path.of("test.csv"), "C");

        assertThat(card.text())
                .contains("On 1 row of test.csv.\n", "there are no labels", "| 1 | 10.0 us | 9.50 us to 10.4 us |\n")
                .doesNotContain("## Differences", "before");
        assertThat(card.plots()).containsOnlyKeys("C-latency.svg");
    }

    @Test
    void shouldSayWhyThereIsNoAreaWhenTheModelHasNone() throws IOException {
        ComparisonReport both = report();
        Quality without = new Quality(
                2000,
                OptionalDouble.of(0.5),
                OptionalDouble.empty(),
                Optional.of("a score is NaN"),
                List.of(),
                List.of());
        Side after = new Side(Path.of("m.onnx"), 10, both.after().batching(), Optional.of(without));
        ComparisonReport compared =
                new ComparisonReport(both.before(), after, 2000, List.of(), Optional.empty(), List.of(), both.cpu());
        ComparisonReport alone =
                new ComparisonReport(Optional.empty(), after, 2000, List.of(), Optional.empty(), List.of(), both.cpu());

        String card = ModelCard.of(ModelReport.of(FRAUD), compared, Path.of("test.csv"), "C")
                .text();
        String one = ModelCard.of(ModelReport.of(FRAUD), alone, Path.of("test.csv"), "C")
                .text();

        assertThat(card)
                .contains("| area under the ROC curve | 0.9930 | - | - |\n")
                .contains("There is no area under the ROC curve of the model: a score is NaN.\n");
        assertThat(one)
                .contains("| accuracy | 0.5000 |\n")
                .contains("There is no area under the ROC curve of the model: a score is NaN.\n");
    }

    @Test
    void shouldNotLetAModelWriteMarkdown() throws IOException {
        Path file = temp.resolve("model.onnx");
        Files.copy(FRAUD, file);
        try (OnnxFile model = OnnxFile.open(FRAUD)) {
            model.setMetadata("evil|<b>", "![x](http://example.org) `a`\n# head\n| x |");
            model.write(file);
        }

        String text = ModelCard.of(ModelReport.of(file), report(), Path.of("test.csv"), "C")
                .text();

        assertThat(text).contains("| evil\\|&lt;b&gt; | \\!\\[x\\](http://example.org) \\`a\\` \\# head \\| x \\| |\n");
    }

    @Test
    void shouldLinkPlotsWhenTheCardsNameHasWhatMarkdownTakesForMore() throws IOException {
        ModelCard card = ModelCard.of(ModelReport.of(FRAUD), report(), Path.of("test.csv"), "a card (1)*ü");

        assertThat(card.text()).contains("![ROC curve](a%20card%20%281%29%2A%C3%BC-roc.svg)\n");
        assertThat(card.plots()).containsKey("a card (1)*ü-roc.svg");
    }

    @Test
    void shouldReplaceCharactersThatXmlDoesNotAllow() throws Exception {
        String name = "a\u0000\u001b\ufffe\ud800\tb\ud83d\ude00";
        ComparisonReport report = report();
        OutputDifference odd =
                new OutputDifference(name, 10, 1, 0, 0.02, 0.001, 0, 0, 0, 0, new TreeMap<>(Map.of(-2, 1L)));
        ComparisonReport all = new ComparisonReport(
                report.before(), report.after(), 10, List.of(odd), Optional.empty(), List.of(), report.cpu());

        String svg = ModelCard.of(ModelReport.of(FRAUD), all, Path.of("test.csv"), "C")
                .plots()
                .get("C-differences.svg");

        var document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        assertThat(document.getElementsByTagName("title").item(0).getTextContent())
                .isEqualTo("Differences of 'a\ufffd\ufffd\ufffd\ufffd\tb\ud83d\ude00'");
    }
}
