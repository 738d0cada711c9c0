// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/// What the suite tells, and that its page lists the cases that there are.
class ReportTest {
    private static final Case REQUIRED = Case.required(1, "group.one", Case.SPECIFICATION, "a & b", _ -> null);
    private static final Case RECOMMENDED = Case.recommended(2, "group.two", Case.PRACTICE, "b", _ -> null);

    private static Result result(Case test, Verdict verdict, String note) {
        return new Result(test, verdict, "POST /x", "200 \u0001<x>\"", note, 1500);
    }

    @Test
    void shouldTellMoreWhenACaseIsUnmet() {
        assertThat(Report.line(result(REQUIRED, Verdict.PASSED, "")))
                .isEqualTo("  1  group.one                   required     passed");
        assertThat(Report.line(result(REQUIRED, Verdict.FAILED, "why")).lines())
                .containsExactly(
                        "  1  group.one                   required     FAILED    why",
                        "       expected  a & b",
                        "       sent      POST /x",
                        "       came      200 \u0001<x>\"");
    }

    @Test
    void shouldSayWhatTheServerDoesWhenAllIsCounted() {
        Report good = new Report(
                "http://a",
                List.of(result(REQUIRED, Verdict.PASSED, ""), result(RECOMMENDED, Verdict.DEVIATES, "not so")));
        Report bad = new Report("http://a", List.of(result(REQUIRED, Verdict.FAILED, "")));
        Report partly = new Report("http://a", List.of(result(REQUIRED, Verdict.SKIPPED, "")));

        assertThat(good.summary())
                .isEqualTo("2 cases: 1 passed, 1 deviate, 0 failed, 0 skipped\n"
                        + "http://a does all that the specification asks for, as far as these cases go");
        assertThat(bad.summary()).endsWith("does not do all that the specification asks for");
        assertThat(partly.summary()).endsWith("does all that could be tried of what the specification asks for");
    }

    @Test
    void shouldWriteJsonAndXmlThatOthersCanRead() throws Exception {
        Report report = new Report(
                "http://a",
                List.of(
                        result(REQUIRED, Verdict.FAILED, "why & \uFFFF"),
                        result(RECOMMENDED, Verdict.DEVIATES, "not so"),
                        result(RECOMMENDED, Verdict.SKIPPED, "no model")));

        Json json = Json.parse(report.json().getBytes(StandardCharsets.UTF_8));
        assertThat(json.get("failed").number()).isEqualTo(1);
        assertThat(json.get("cases").elements()).hasSize(3);
        assertThat(json.get("cases").elements().getFirst().get("came").text()).isEqualTo("200 \u0001<x>\"");

        Document xml = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(report.junit().getBytes(StandardCharsets.UTF_8)));
        assertThat(xml.getDocumentElement().getAttribute("failures")).isEqualTo("1");
        assertThat(xml.getElementsByTagName("testcase").getLength()).isEqualTo(3);
        assertThat(xml.getElementsByTagName("failure").item(0).getTextContent()).contains("came: 200 ?<x>\"");
        assertThat(xml.getElementsByTagName("skipped").getLength()).isEqualTo(1);
    }

    @Test
    void shouldBeDescribedCaseByCaseInItsPage() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("docs").resolve("conformance.md"))) {
            root = root.getParent();
        }
        List<String> rows = Files.readAllLines(root.resolve("docs").resolve("conformance.md")).stream()
                .filter(line -> line.matches("\\| \\d+ \\|.*"))
                .toList();

        assertThat(rows).isEqualTo(Suite.markdown());
    }
}
