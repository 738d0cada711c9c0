// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.version.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The model in the repository, run by ONNX Runtime, on pictures that it was not trained with, and what its card says.
class DigitsModelTest {
    private static final Path DIGITS = Path.of("zoo/digits");
    private static final Path MODEL = DIGITS.resolve("1/model.onnx");

    /// How many pictures of a file ONNX Runtime takes for another digit.
    private static int wrong(List<String> lines) {
        int rows = lines.size() - 1;
        try (OnnxSession session = OnnxSession.open(MODEL, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(rows, 1, 8, 8);
                Tensor probabilities = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            int[] labels = new int[rows];
            for (int row = 0; row < rows; row++) {
                String[] values = lines.get(row + 1).split(",");
                for (int i = 0; i < 64; i++) {
                    x.setFloat(64L * row + i, Float.parseFloat(values[i]));
                }
                labels[row] = Integer.parseInt(values[64]);
            }
            runner.run(new Tensor[] {x}, new Tensor[] {probabilities});
            int wrong = 0;
            for (int row = 0; row < rows; row++) {
                wrong += largest(probabilities, row) == labels[row] ? 0 : 1;
            }
            return wrong;
        }
    }

    private static int largest(Tensor probabilities, int row) {
        int best = 0;
        double sum = 0;
        for (int digit = 0; digit < 10; digit++) {
            float probability = probabilities.getFloat(10L * row + digit);
            assertThat(probability).isBetween(0f, 1f);
            sum += probability;
            best = probability > probabilities.getFloat(10L * row + best) ? digit : best;
        }
        assertThat(sum).isCloseTo(1, within(1e-5));
        return best;
    }

    @Test
    void shouldKnowNearlyAllDigitsThatItHasNotSeen() throws IOException {
        List<String> lines = Files.readAllLines(DIGITS.resolve("data/test.csv"));

        int wrong = wrong(lines);

        assertThat(lines).hasSize(360);
        assertThat(1 - wrong / 359.0).isGreaterThanOrEqualTo(0.98);
        assertThat(wrong).isCloseTo((int) figure("test", "wrong"), within(1));
    }

    @Test
    void shouldHaveBeenTrainedWithoutTheTestPictures() throws IOException {
        Digits all = Digits.read(DIGITS.resolve("data/optdigits.csv.gz"));
        List<String> test = Files.readAllLines(DIGITS.resolve("data/test.csv"));
        List<String> calibration = Files.readAllLines(DIGITS.resolve("data/calibration.csv"));

        assertThat(all.size()).isEqualTo(1797);
        assertThat(all.labels().stream().distinct()).hasSize(10);
        assertThat(all.pixels()).allMatch(row -> Arrays.stream(row).allMatch(pixel -> pixel >= 0 && pixel <= 16));
        assertThat(calibration).hasSize(257).startsWith(test.getFirst());
        assertThat(calibration.subList(1, 257)).doesNotContainAnyElementsOf(test.subList(1, 360));
        List<String> lines = all.pixels().stream()
                .map(row -> Arrays.toString(row).replaceAll("[\\[\\] ]", ""))
                .toList();
        assertThat(test.subList(1, 360)).allMatch(line -> {
            int comma = line.lastIndexOf(',');
            int at = lines.indexOf(line.substring(0, comma));
            return at >= 0 && all.labels().get(at).toString().equals(line.substring(comma + 1));
        });
    }

    @Test
    void shouldGiveTheExpectedAnswers() throws IOException {
        try (OnnxSession session = OnnxSession.open(MODEL, SessionSettings.DEFAULT)) {
            Goldens goldens = Goldens.of(MODEL.getParent());
            assertThat(goldens.count()).isEqualTo(14);
            goldens.check(session, MemoryBudget.UNLIMITED);
        }
    }

    @Test
    void shouldDeclareWhatItTakesAndRunRowsTogether() {
        try (OnnxModel model = OnnxModel.load(MODEL, SessionSettings.DEFAULT)) {
            assertThat(model.signature().inputs().getFirst().name()).isEqualTo("x");
            assertThat(model.signature().inputs().getFirst().shape()).containsExactly(-1L, 1L, 8L, 8L);
            assertThat(model.signature().outputs().getFirst().name()).isEqualTo("probabilities");
            assertThat(model.batching().kind()).isEqualTo(Batching.Kind.ROWS);
            assertThat(model.session().metadata()).containsKeys("trained_on", "license");
        }
    }

    @Test
    void shouldReportTheMeasuredFigures() throws IOException {
        String card = Files.readString(DIGITS.resolve("README.md"));
        for (String part : List.of("training", "test")) {
            assertThat(card)
                    .contains(String.format(
                            Locale.ROOT,
                            "| %s | %,.0f | %.2f %% | %.0f | %.4f |",
                            part,
                            figure(part, "pictures"),
                            100 * figure(part, "accuracy"),
                            figure(part, "wrong"),
                            figure(part, "log_loss")));
        }
        assertThat(card).contains("CC BY 4.0", "10.24432/C50P49", "30,154");
    }

    private static double figure(String part, String name) throws IOException {
        String metrics = Files.readString(DIGITS.resolve("1/metrics.json"));
        Matcher matcher = Pattern.compile("\"" + part + "\" : \\{[^}]*\"" + name + "\" : ([-0-9.E]+)")
                .matcher(metrics);
        assertThat(matcher.find()).as(part + " " + name).isTrue();
        return Double.parseDouble(matcher.group(1));
    }
}
