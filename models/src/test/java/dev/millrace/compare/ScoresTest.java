// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Areas under ROC curves as scikit-learn finds them; `make.py` beside the file made them.
class ScoresTest {
    private static final Offset<Double> ROUNDING = Offset.offset(1e-12);

    private static Scores scores(List<String> pairs) {
        Scores scores = new Scores();
        for (String pair : pairs) {
            int colon = pair.indexOf(':');
            scores.add(Double.parseDouble(pair.substring(0, colon)), pair.endsWith("1"));
        }
        return scores;
    }

    @TestFactory
    Stream<DynamicTest> shouldFindTheAreasThatScikitLearnFinds() throws IOException {
        List<String> cases;
        try (InputStream in = ScoresTest.class.getResourceAsStream("/compare/auc.txt")) {
            cases = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
        assertThat(cases).hasSize(12);
        return cases.stream().map(line -> {
            List<String> parts = List.of(line.split(" "));
            return DynamicTest.dynamicTest(
                    parts.getFirst(),
                    () -> check(Double.parseDouble(parts.get(1)), new ArrayList<>(parts.subList(2, parts.size()))));
        });
    }

    private static void check(double expected, List<String> pairs) {
        assertThat(scores(pairs).area()).isCloseTo(expected, ROUNDING);
        Collections.shuffle(pairs, new Random(1));
        assertThat(scores(pairs).area()).as("in another order").isCloseTo(expected, ROUNDING);
    }

    @Test
    void shouldDrawACurveOfThatArea() {
        List<String> pairs = List.of("0.9:1", "0.8:1", "0.8:0", "0.7:0", "0.6:1", "0.6:1", "0.6:0", "0.1:0");
        Scores scores = scores(pairs);

        List<double[]> curve = scores.curve();

        assertThat(curve.getFirst()).containsExactly(0, 0);
        assertThat(curve.getLast()).containsExactly(1, 1);
        double area = 0;
        for (int i = 1; i < curve.size(); i++) {
            double[] from = curve.get(i - 1);
            double[] to = curve.get(i);
            area += (to[0] - from[0]) * (from[1] + to[1]) / 2;
        }
        assertThat(area).isCloseTo(scores.area(), ROUNDING);
    }

    @Test
    void shouldDrawFewPointsWhenThereAreManyScores() {
        Scores scores = new Scores();
        Random random = new Random(3);
        for (int i = 0; i < 50_000; i++) {
            scores.add(random.nextGaussian(), random.nextInt(100) == 0);
        }

        assertThat(scores.curve()).hasSizeBetween(50, 300);
        assertThat(scores.curve().getLast()).containsExactly(1, 1);
    }

    @Test
    void shouldHaveNoAreaWhenOneLabelIsMissing() {
        assertThat(scores(List.of("0.5:1", "0.4:1")).obstacle()).contains("all labels are the same");
        assertThat(scores(List.of("0.5:0")).obstacle()).contains("all labels are the same");
        assertThat(scores(List.of("0.5:0", "0.4:1")).obstacle()).isEmpty();
    }
}
