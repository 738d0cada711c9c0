// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real convolutional network, kept elsewhere: beside the folder that the system property
/// `millrace.cases` names. What ONNX Runtime's own tool makes of it was seen once: which operators there
/// are once both are optimised.
class RealModelTest {
    @TempDir
    Path temp;

    @Test
    void shouldQuantizeAFaceDetector() throws IOException {
        String cases = System.getProperty("millrace.cases", "");
        Path model = Path.of(cases).resolveSibling("models").resolve("ultraface.onnx");
        assumeTrue(!cases.isEmpty() && Files.exists(model), "no real models");
        Path out = temp.resolve("int8.onnx");
        Rows pictures = new Rows(pictures(4), 3, 240, 320);

        QuantizationReport report = Quantizer.quantize(
                model, out, QuantizeOptions.DEFAULT.withReduceRange(ReduceRange.NEVER), pictures, Progress.NONE);

        assertThat(report.quantized()).isEqualTo(Map.of("Conv", 52));
        assertThat(report.bytesAfter()).isLessThan(report.bytesBefore() / 2);
        assertThat(Models.optimized(out, temp)).containsEntry("QLinearConv", 52).doesNotContainKey("Conv");
        pictures.forEach(1, batch -> {
            List<Float> before = Models.answers(model, (_, sink) -> sink.accept(batch));
            List<Float> after = Models.answers(out, (_, sink) -> sink.accept(batch));
            double sum = 0;
            for (int i = 0; i < before.size(); i++) {
                sum += Math.abs(after.get(i) - before.get(i));
            }
            assertThat(sum / before.size()).as("mean difference").isLessThan(0.05);
        });
    }

    /// Patches of brightness, and noise.
    private static float[] pictures(int count) {
        SplittableRandom random = new SplittableRandom(9);
        float[] values = new float[count * 3 * 240 * 320];
        float[] patches = new float[count * 3 * 15 * 20];
        for (int i = 0; i < patches.length; i++) {
            patches[i] = (float) random.nextGaussian(0, 0.4);
        }
        for (int i = 0; i < values.length; i++) {
            int plane = i / (240 * 320);
            int patch = plane * 300 + i / 320 % 240 / 16 * 20 + i % 320 / 16;
            values[i] = Math.clamp(patches[patch] + (float) random.nextGaussian(0, 0.1), -1f, 1f);
        }
        return values;
    }
}
