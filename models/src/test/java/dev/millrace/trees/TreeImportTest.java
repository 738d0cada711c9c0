// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Imported ensembles beside what their libraries answered.
class TreeImportTest {
    @TempDir
    Path temp;

    private Path dump(String name) throws IOException {
        return Files.write(temp.resolve(name), TreeRun.bytes(name));
    }

    private Path model(String name, ImportOptions options) throws IOException {
        Path model = temp.resolve(name + (options.rawScore() ? ".raw" : "") + ".onnx");
        try (OnnxFile file = TreeRun.model(dump(name), options)) {
            file.check();
            file.write(model);
        }
        return model;
    }

    private static float[] rows(String name, int count) {
        return TreeRows.of(TreeRun.text(name)).make(count, name.endsWith(".txt"));
    }

    private static String plain(String name) {
        return name.substring(0, name.lastIndexOf('.'));
    }

    @ParameterizedTest
    @CsvSource({
        "lightgbm-binary-500x8.txt, 10000, 1",
        "lightgbm-multiclass-102x6.txt, 10000, 3",
        "xgboost-binary-500x8.json, 10000, 1",
        "xgboost-multiclass-102x6.json, 10000, 3",
        "lightgbm-steep.txt, 2000, 1",
        "lightgbm-rf.txt, 2000, 1",
        "lightgbm-ova-none.txt, 2000, 3",
        "xgboost3-binary.json, 2000, 1",
        "xgboost3-multiclass.json, 2000, 3",
    })
    void shouldDecideAsTheLibraryDoes(String name, int count, int sums) throws IOException {
        float[] rows = rows(name, count);
        float[] answers = TreeRun.answers(plain(name));
        int features = rows.length / count;

        List<double[]> outputs = TreeRun.run(model(name, ImportOptions.DEFAULT), rows, features);

        assertThat(outputs.get(0)).hasSize(count);
        assertThat(outputs.get(1)).hasSize(count * Math.max(2, sums));
        assertThat(answers).hasSize(2 * count * sums);
        List<String> wrong = new ArrayList<>();
        for (int row = 0; row < count; row++) {
            float[] raw = Arrays.copyOfRange(answers, row * sums, (row + 1) * sums);
            int expected = sums == 1 ? (raw[0] > 0 ? 1 : 0) : greatest(raw);
            if (outputs.get(0)[row] != expected) {
                wrong.add("row " + row + ": " + outputs.get(0)[row] + " for " + Arrays.toString(raw));
            }
            for (int i = 0; i < sums; i++) {
                double probability = outputs.get(1)[sums == 1 ? 2 * row + 1 : row * sums + i];
                double right = answers[(count + row) * sums + i];
                // Sums of floats differ in the last digits, and so do the exponents.
                if (!(Math.abs(probability - right) <= 1e-5 * right)) {
                    wrong.add("row " + row + ", class " + i + ": " + probability + ", not " + right);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    private static int greatest(float[] values) {
        int greatest = 0;
        for (int i = 1; i < values.length; i++) {
            greatest = values[i] > values[greatest] ? i : greatest;
        }
        return greatest;
    }

    @ParameterizedTest
    @CsvSource({
        "lightgbm-binary-500x8.txt, 10000, 1",
        "lightgbm-multiclass-102x6.txt, 10000, 3",
        "lightgbm-poisson-zero.txt, 2000, 1",
        "lightgbm-ova-none.txt, 2000, 3",
        "lightgbm-rf.txt, 2000, 1",
        "lightgbm-sqrt.txt, 2000, 1",
        "lightgbm-steep.txt, 2000, 1",
        "xgboost-binary-500x8.json, 10000, 1",
        "xgboost-multiclass-102x6.json, 10000, 3",
        "xgboost-dart-poisson.json, 2000, 1",
        "xgboost-regression.json, 2000, 1",
        "xgboost3-binary.json, 2000, 1",
        "xgboost3-multiclass.json, 2000, 3",
    })
    void shouldSumAsTheLibraryDoes(String name, int count, int sums) throws IOException {
        float[] rows = rows(name, count);
        float[] answers = TreeRun.answers(plain(name));

        List<double[]> outputs = TreeRun.run(model(name, new ImportOptions("x", true)), rows, rows.length / count);

        assertThat(outputs).hasSize(1);
        assertThat(outputs.getFirst()).hasSize(count * sums);
        double most = 0;
        for (int i = 0; i < count * sums; i++) {
            most = Math.max(most, Math.abs(outputs.getFirst()[i] - answers[i]) / Math.max(1, Math.abs(answers[i])));
        }
        // XGBoost sums floats, too, in the same order.
        assertThat(most).isLessThanOrEqualTo(name.endsWith(".json") ? 1e-6 : 3e-6);
    }

    @ParameterizedTest
    @CsvSource({
        "lightgbm-poisson-zero.txt, 2000",
        "lightgbm-sqrt.txt, 2000",
        "lightgbm-sqrt-quantile.txt, 2000",
        "xgboost-dart-poisson.json, 2000",
        "xgboost-regression.json, 2000",
    })
    void shouldMakeOfTheSumsWhatTheObjectiveDoes(String name, int count) throws IOException {
        float[] rows = rows(name, count);
        float[] answers = TreeRun.answers(plain(name));

        List<double[]> outputs = TreeRun.run(model(name, ImportOptions.DEFAULT), rows, rows.length / count);

        assertThat(outputs).hasSize(1);
        assertThat(outputs.getFirst()).hasSize(count);
        for (int i = 0; i < count; i++) {
            double right = answers[count + i];
            assertThat(Math.abs(outputs.getFirst()[i] - right))
                    .as("%s of row %d, expected %s", outputs.getFirst()[i], i, right)
                    .isLessThanOrEqualTo(3e-6 * Math.max(0.1, Math.abs(right)));
        }
    }

    /// As LightGBM itself does with such a file, which make.py checks.
    @ParameterizedTest
    @CsvSource({"regression_l1, true", "fair, true", "mape, true", "quantile, true", "huber, false"})
    void shouldSquareWhenAnObjectiveTookRoots(String objective, boolean square) throws IOException {
        String text = TreeRun.text("lightgbm-sqrt.txt");
        assertThat(text).contains("objective=regression sqrt\n");
        Path dump = Files.writeString(
                temp.resolve("dump.txt"),
                text.replace("objective=regression sqrt\n", "objective=" + objective + " sqrt\n"));
        Path model = temp.resolve("model.onnx");
        try (OnnxFile file = TreeRun.model(dump, ImportOptions.DEFAULT)) {
            file.write(model);
        }
        int count = 2000;
        float[] rows = rows("lightgbm-sqrt.txt", count);
        float[] answers = TreeRun.answers("lightgbm-sqrt");

        double[] output = TreeRun.run(model, rows, rows.length / count).getFirst();

        assertThat(output).hasSize(count);
        for (int i = 0; i < count; i++) {
            double right = answers[square ? count + i : i];
            assertThat(output[i]).isCloseTo(right, Offset.offset(3e-6 * Math.max(0.1, Math.abs(right))));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "lightgbm-binary-500x8.txt",
        "xgboost-multiclass-102x6.json",
        "lightgbm-ova-none.txt",
        "lightgbm-sqrt.txt"
    })
    void shouldMakeRowsThatShareRuns(String name) throws IOException {
        try (OnnxModel model = OnnxModel.load(model(name, ImportOptions.DEFAULT), SessionSettings.DEFAULT)) {
            assertThat(model.batching().kind()).isEqualTo(Batching.Kind.ROWS);
        }
    }

    @Test
    void shouldTellWhereTheModelIsFrom() throws IOException {
        try (OnnxFile file = TreeRun.model(dump("lightgbm-ova-none.txt"), new ImportOptions("features", false))) {
            assertThat(file.opsets()).containsEntry("ai.onnx.ml", 3L);
            assertThat(file.metadata())
                    .containsEntry("imported_from", "LightGBM")
                    .containsEntry("objective", "multiclassova num_class:3 sigmoid:0.7")
                    .hasEntrySatisfying("features", names -> assertThat(names).startsWith("Column_0,Column_1,"));
            assertThat(file.graph().inputs().getFirst().name()).isEqualTo("features");
            assertThat(file.graph().inputs().getFirst().shape().orElseThrow())
                    .hasToString("[Dimension[size=-1, name=batch], Dimension[size=12, name=]]");
            assertThat(file.graph().outputs()).extracting("name").containsExactly("label", "probabilities");
        }
    }
}
