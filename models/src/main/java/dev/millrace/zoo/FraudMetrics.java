// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.millrace.zoo.payments.FraudPattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Writes `metrics.json`: everything the model card reports, rounded to six decimals; single-threaded.
final class FraudMetrics implements AutoCloseable {
    private final JsonGenerator out;

    FraudMetrics(Path file) throws IOException {
        DefaultIndenter lines = new DefaultIndenter("  ", "\n");
        this.out = new JsonFactory()
                .createGenerator(Files.newBufferedWriter(file))
                .setPrettyPrinter(
                        new DefaultPrettyPrinter().withObjectIndenter(lines).withArrayIndenter(lines));
        out.writeStartObject();
        out.writeStringField("model", "fraud");
        out.writeStringField("data", "simulated payments, nothing real");
    }

    void start(String name) throws IOException {
        out.writeObjectFieldStart(name);
    }

    void end() throws IOException {
        out.writeEndObject();
    }

    void count(String name, long value) throws IOException {
        out.writeNumberField(name, value);
    }

    void number(String name, double value) throws IOException {
        out.writeNumberField(name, Math.rint(value * 1e6) / 1e6);
    }

    void split(String name, int fromDay, int toDay, Dataset data) throws IOException {
        start(name);
        count("from_day", fromDay);
        count("to_day", toDay);
        count("payments", data.size());
        count("reported_frauds", frauds(data.reportedFraud(Long.MAX_VALUE)));
        count("true_frauds", frauds(data.trueFraud()));
        end();
    }

    private static long frauds(boolean[] labels) {
        long n = 0;
        for (boolean label : labels) {
            n += label ? 1 : 0;
        }
        return n;
    }

    void evaluation(String name, double[] scores, boolean[] labels, boolean probabilities) throws IOException {
        Evaluation e = Evaluation.of(scores, labels);
        start(name);
        number("roc_auc", e.rocAuc());
        number("pr_auc", e.prAuc());
        number("recall_at_fpr_0.1pct", e.recallAt01Pct());
        number("recall_at_fpr_1pct", e.recallAt1Pct());
        if (probabilities) {
            number("brier", e.brier());
            number("log_loss", e.logLoss());
            number("mean_score", e.meanScore());
        }
        end();
    }

    /// Recall of every fraud pattern with the threshold that flags 1 % of the honest payments.
    void recallByPattern(String name, double[] scores, Dataset data) throws IOException {
        double threshold = Evaluation.of(scores, data.trueFraud()).thresholdAt1Pct();
        start(name);
        for (FraudPattern pattern : FraudPattern.values()) {
            boolean[] matches = new boolean[data.size()];
            for (int i = 0; i < matches.length; i++) {
                matches[i] = data.payments().get(i).label().truth() == pattern;
            }
            number(pattern.name().toLowerCase(Locale.ROOT), Evaluation.share(scores, matches, threshold));
        }
        end();
    }

    @Override
    public void close() throws IOException {
        out.writeEndObject();
        out.writeRaw("\n");
        out.close();
    }
}
