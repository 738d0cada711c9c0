// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.compare.Comparison;
import dev.millrace.compare.ComparisonReport;
import dev.millrace.compare.Quality;
import dev.millrace.dataset.Dataset;
import dev.millrace.dataset.Datasets;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.SessionSettings;
import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The int8 models in the repository: made by what is tested here, of the models beside them, as good as they say.
class ZooTest {
    private static final Path ZOO = Path.of("zoo");

    @TempDir
    Path temp;

    private static ComparisonReport compare(Path before, Path after, String model, String labels) throws IOException {
        return Comparison.of(before, after, ZOO.resolve(model + "/data/test.csv"))
                .labels(labels)
                .batches()
                .run();
    }

    @ParameterizedTest
    @CsvSource({"digits, label", "fraud, fraud"})
    void shouldMakeTheModelThatTheRepositoryHolds(String model, String labels) throws IOException {
        Path kept = ZOO.resolve(model + "-int8/1/model.onnx");
        Path in = ZOO.resolve(model + "/1/model.onnx");
        Path made = temp.resolve("model.onnx");
        try (OnnxModel floats = OnnxModel.load(in, SessionSettings.DEFAULT)) {
            Dataset data = Datasets.open(
                    ZOO.resolve(model + "/data/calibration.csv"), floats.signature(), Optional.of(labels));
            QuantizeOptions options = QuantizeOptions.DEFAULT.withReduceRange(ReduceRange.NEVER);
            Quantizer.quantize(in, made, options, data, Progress.NONE);
        }

        // Ranges are measured: on another processor they may differ in their last bits.
        assertThat(Files.size(made)).isEqualTo(Files.size(kept));
        ComparisonReport same = compare(kept, made, model, labels);
        assertThat(same.decisions().orElseThrow().share()).isLessThanOrEqualTo(0.001);
        assertThat(same.differences().getFirst().mean()).isLessThan(1e-4);
    }

    @Test
    void shouldLoseLessThanHalfAPointOfDigits() throws IOException {
        ComparisonReport report =
                compare(ZOO.resolve("digits/1/model.onnx"), ZOO.resolve("digits-int8/1/model.onnx"), "digits", "label");
        assertThat(accuracy(report.after()))
                .isGreaterThanOrEqualTo(accuracy(report.before().orElseThrow()) - 0.005);
        assertThat(report.after().bytes())
                .isLessThan(report.before().orElseThrow().bytes() / 3);
    }

    @ParameterizedTest
    @CsvSource({"digits, label", "fraud, fraud"})
    void shouldHaveTheFiguresOnTheirCards(String model, String labels) throws IOException {
        ComparisonReport report =
                compare(ZOO.resolve(model + "/1/model.onnx"), ZOO.resolve(model + "-int8/1/model.onnx"), model, labels);
        assertThat(Files.readString(ZOO.resolve(model + "/CARD.md")))
                .contains("| accuracy | " + text(accuracy(report.before().orElseThrow())) + " |");
        assertThat(Files.readString(ZOO.resolve(model + "-int8/CARD.md")))
                .contains("| accuracy | " + text(accuracy(report.before().orElseThrow())) + " | "
                        + text(accuracy(report.after())) + " |")
                .contains(String.format(
                        Locale.ROOT,
                        "%d of %,d decisions",
                        report.decisions().orElseThrow().flips(),
                        report.rows()));
    }

    private static double accuracy(ComparisonReport.Side side) {
        return side.quality().map(Quality::accuracy).orElseThrow().orElseThrow();
    }

    private static String text(double figure) {
        return String.format(Locale.ROOT, "%.4f", figure);
    }
}
