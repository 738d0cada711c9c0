// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bench.report.Chart.Mark;
import dev.millrace.bench.report.Chart.Panel;
import dev.millrace.bench.report.Chart.Picture;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ChartTest {
    @RepeatedTest(20)
    void shouldBeAPictureWithAMarkPerMeasurement(RepetitionInfo repetition) throws Exception {
        SplittableRandom random = new SplittableRandom(repetition.getCurrentRepetition());
        List<Panel> panels = new ArrayList<>();
        List<Mark> all = new ArrayList<>();
        for (int panel = 0; panel < random.nextInt(1, 5); panel++) {
            List<Mark> marks = new ArrayList<>();
            for (int i = 0; i < random.nextInt(1, 7); i++) {
                double p50 = Math.exp(random.nextDouble(3, 25));
                double p99 = p50 * random.nextDouble(1, 20);
                marks.add(new Mark("a <b> & \"c\" " + i, random.nextInt(3), p50, p99, p99 * random.nextDouble(1, 20)));
            }
            panels.add(new Panel("batch <" + panel, marks));
            all.addAll(marks);
        }

        Document svg = parse(Chart.svg(new Picture("a & b", "on <this> machine\u0001", panels)));

        NodeList dots = svg.getElementsByTagName("circle");
        assertThat(dots.getLength()).isEqualTo(all.size());
        double width = Double.parseDouble(svg.getDocumentElement().getAttribute("width"));
        double height = Double.parseDouble(svg.getDocumentElement().getAttribute("height"));
        for (int i = 0; i < dots.getLength(); i++) {
            Element dot = (Element) dots.item(i);
            assertThat(Double.parseDouble(dot.getAttribute("cx"))).isBetween(300.0, width);
            assertThat(Double.parseDouble(dot.getAttribute("cy"))).isBetween(50.0, height);
            assertThat(dot.getTextContent()).startsWith(all.get(i).label() + ": p50 ");
        }
    }

    @Test
    void shouldPutTheSlowerToTheRight() throws Exception {
        List<Mark> marks = List.of(new Mark("fast", 0, 2_000, 2_500, 9_000), new Mark("slow", 2, 4_000, 5_000, 6_000));

        Document svg = parse(Chart.svg(new Picture("t", "n", List.of(new Panel("p", marks)))));

        NodeList dots = svg.getElementsByTagName("circle");
        assertThat(Double.parseDouble(((Element) dots.item(1)).getAttribute("cx")))
                .isGreaterThan(Double.parseDouble(((Element) dots.item(0)).getAttribute("cx")));
        assertThat(Chart.svg(new Picture("t", "n", List.of()))).contains("prefers-color-scheme: dark");
    }

    @Test
    void shouldNameDurationsInTheUnitThatIsReadBest() {
        assertThat(Chart.duration(812.4)).isEqualTo("812 ns");
        assertThat(Chart.duration(999.7)).isEqualTo("1 µs");
        assertThat(Chart.duration(2_472)).isEqualTo("2.47 µs");
        assertThat(Chart.duration(12_880)).isEqualTo("12.9 µs");
        assertThat(Chart.duration(139_776)).isEqualTo("140 µs");
        assertThat(Chart.duration(3_000_000)).isEqualTo("3 ms");
        assertThat(Chart.duration(5e12)).isEqualTo("5000 s");
    }

    private static Document parse(String svg) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }
}
