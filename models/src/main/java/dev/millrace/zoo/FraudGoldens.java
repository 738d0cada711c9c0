// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.zoo.payments.FraudPattern;
import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentFeatures.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Writes requests in the Open Inference Protocol's form and the answers that a [Scorer] gives; single-threaded.
///
/// The answers are double arithmetic over the file's float constants, not the output of the engine under test.
final class FraudGoldens {
    private static final double ATOL = 1e-5;
    private static final double RTOL = 1e-4;

    private final JsonFactory json = new JsonFactory();
    private final Scorer scorer;
    private final Path folder;

    FraudGoldens(Scorer scorer, Path folder) {
        this.scorer = scorer;
        this.folder = folder;
    }

    /// Replaces the folder's goldens by ones made of these payments.
    void write(Dataset data) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> old = Files.list(folder)) {
            for (Path file :
                    old.filter(path -> path.toString().endsWith(".json")).toList()) {
                Files.delete(file);
            }
        }
        for (FraudPattern pattern : FraudPattern.values()) {
            int at = first(data, i -> data.payments().get(i).label().truth() == pattern);
            String name =
                    pattern == FraudPattern.NONE ? "honest" : pattern.name().toLowerCase(Locale.ROOT);
            write(
                    name,
                    "one simulated payment, in truth " + pattern,
                    List.of(data.rows().get(at)));
        }
        write("rows7", "the first 7 payments of the test period", data.rows().subList(0, 7));
        write("rows64", "16 frauds and 48 honest payments in order of time", mixture(data));
        extremes(data.rows().getFirst());
    }

    private void extremes(float[] honest) throws IOException {
        float[] zeros = new float[PaymentFeatures.size()];
        float[] negative = zeros.clone();
        Arrays.fill(negative, -1);
        float[] million = zeros.clone();
        Arrays.fill(million, 1e6f);
        float[] minusMillion = zeros.clone();
        Arrays.fill(minusMillion, -1e6f);
        float[] large = honest.clone();
        large[Column.AMOUNT_LOG.ordinal()] = (float) StrictMath.log1p(1e9);
        large[Column.AMOUNT_TO_MEAN_LOG.ordinal()] = 17;
        large[Column.AMOUNT_Z.ordinal()] = 60;
        large[Column.AMOUNT_TO_MERCHANT_LOG.ordinal()] = 17;
        write("zeros", "all zero", List.of(zeros));
        write("negative", "all -1", List.of(negative));
        write("large_amount", "an honest payment's row with an amount of a billion euros", List.of(large));
        write(
                "extremes",
                "zeros, -1, 1e6, -1e6 and the large amount together",
                List.of(zeros, negative, million, minusMillion, large));
    }

    private static int first(Dataset data, IntPredicate matches) {
        return IntStream.range(0, data.size()).filter(matches).findFirst().orElseThrow();
    }

    private static List<float[]> mixture(Dataset data) {
        boolean[] fraud = data.trueFraud();
        int[] frauds =
                IntStream.range(0, data.size()).filter(i -> fraud[i]).limit(16).toArray();
        int[] honest =
                IntStream.range(0, data.size()).filter(i -> !fraud[i]).limit(48).toArray();
        List<float[]> rows = new ArrayList<>();
        IntStream.concat(Arrays.stream(frauds), Arrays.stream(honest))
                .sorted()
                .forEach(i -> rows.add(data.rows().get(i)));
        return rows;
    }

    private void write(String name, String note, List<float[]> rows) throws IOException {
        try (JsonGenerator out = open(name + ".request.json")) {
            out.writeStartObject();
            out.writeArrayFieldStart("inputs");
            startTensor(out, "features", rows.size(), PaymentFeatures.size());
            for (float[] row : rows) {
                for (float value : row) {
                    out.writeNumber((double) value);
                }
            }
            endTensor(out);
            out.writeEndArray();
            out.writeEndObject();
        }
        try (JsonGenerator out = open(name + ".expected.json")) {
            out.writeStartObject();
            out.writeStringField("model", "fraud");
            out.writeStringField("note", note);
            out.writeNumberField("atol", ATOL);
            out.writeNumberField("rtol", RTOL);
            out.writeArrayFieldStart("outputs");
            startTensor(out, "score", rows.size(), 1);
            for (float[] row : rows) {
                out.writeNumber(scorer.score(row));
            }
            endTensor(out);
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    private JsonGenerator open(String file) throws IOException {
        return json.createGenerator(Files.newBufferedWriter(folder.resolve(file)));
    }

    private static void startTensor(JsonGenerator out, String name, int rows, int columns) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", name);
        out.writeArrayFieldStart("shape");
        out.writeNumber(rows);
        out.writeNumber(columns);
        out.writeEndArray();
        out.writeStringField("datatype", "FP32");
        out.writeArrayFieldStart("data");
    }

    private static void endTensor(JsonGenerator out) throws IOException {
        out.writeEndArray();
        out.writeEndObject();
    }
}
