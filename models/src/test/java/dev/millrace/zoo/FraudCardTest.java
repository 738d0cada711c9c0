// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.zoo.payments.PaymentFeatures.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The model card says what the code and `metrics.json` say.
class FraudCardTest {
    private static final Map<String, String> MODELS = Map.of(
            "this model",
            "mlp",
            "logistic regression",
            "logistic",
            "amount rule",
            "amount_rule",
            "constant rate",
            "constant_rate");

    @Test
    void shouldListTheFeaturesInOrder() throws IOException {
        String card = Files.readString(ZooFiles.fraud().resolve("README.md"));
        String table = Stream.of(Column.values())
                .map(c -> "| " + c.ordinal() + " | `" + c.label() + "` | " + c.unit() + " | " + c.meaning() + " |")
                .collect(Collectors.joining("\n"));

        assertThat(card).contains(table);
    }

    @Test
    void shouldReportTheMeasuredFigures() throws IOException {
        List<String> lines = Files.readAllLines(ZooFiles.fraud().resolve("README.md"));
        Map<?, ?> metrics = (Map<?, ?>) ZooFiles.json(ZooFiles.fraud().resolve("1/metrics.json"));
        for (String part : List.of("validation_reported", "test_reported", "test_truth")) {
            Map<?, ?> results = (Map<?, ?>) metrics.get(part);
            MODELS.forEach((words, key) -> assertThat(lines).contains(line(part, words, (Map<?, ?>) results.get(key))));
        }
    }

    private static String line(String part, String words, Map<?, ?> figures) {
        String label = part.replace("_", ", ");
        return Stream.of("roc_auc", "pr_auc", "recall_at_fpr_0.1pct", "recall_at_fpr_1pct", "brier", "mean_score")
                .map(figures::get)
                .map(v -> Objects.isNull(v) ? "–" : String.format(Locale.ROOT, "%.4f", (Double) v))
                .collect(Collectors.joining(" | ", "| " + label + " | " + words + " | ", " |"));
    }
}
