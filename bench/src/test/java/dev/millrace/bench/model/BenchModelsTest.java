// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.bench.model.BenchModels.BenchModel;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Value;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BenchModelsTest {
    @Test
    void shouldDeclareNamesTypesAndShapes() {
        try (OnnxSession session = OnnxSession.open(BenchModels.MLP.onnx(), SessionSettings.DEFAULT)) {
            assertThat(session.inputs()).containsExactly(value("features", 64));
            assertThat(session.outputs()).containsExactly(value("score", 1));
        }
    }

    @Test
    void shouldMakeTheSameModelAgain() {
        assertThat(BenchModels.mlp(64, 128, 64, 1).onnx()).isEqualTo(BenchModels.MLP.onnx());
    }

    @Test
    void shouldMakeLargerModels() {
        BenchModel large = BenchModels.mlp(256, 1024, 1024, 512, 1);

        assertThat(large.name()).isEqualTo("mlp-256-1024-1024-512-1");
        assertThat(large.onnx().length).isGreaterThan(4 * (256 * 1024 + 1024 * 1024 + 1024 * 512));
        try (OnnxSession session = OnnxSession.open(large.onnx(), SessionSettings.DEFAULT)) {
            assertThat(session.inputs()).containsExactly(value("features", 256));
        }
    }

    @Test
    void shouldFindModelsByName() {
        assertThat(BenchModels.named("identity-4")).isSameAs(BenchModels.IDENTITY);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BenchModels.named("none"))
                .withMessageContaining("mlp-64-128-64-1");
    }

    @Test
    void shouldAnswerRowsApart() {
        try (Fixture fixture = Fixture.open(BenchModels.MLP)) {
            List<List<Value>> answers = fixture.gate().expected();

            assertThat(answers).hasSize(256);
            assertThat(answers.stream().map(row -> ((float[]) row.getFirst().array())[0]))
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void shouldSumWhatEachTreeDecides() {
        TreeEnsemble trees = BenchModels.trees();
        try (Fixture fixture = Fixture.open(BenchModels.named(BenchModels.TREES))) {
            float[][] rows = fixture.examples().floats();
            List<List<Value>> answers = fixture.gate().expected();

            assertThat(trees.leaves()).hasNumberOfRows(500);
            for (int row = 0; row < rows.length; row++) {
                double sum = 0;
                for (int tree = 0; tree < 500; tree++) {
                    sum += decide(trees, tree, rows[row]);
                }
                assertThat(score(answers, row)).isCloseTo(sum, within(1e-4));
            }
        }
    }

    private static double decide(TreeEnsemble trees, int tree, float[] row) {
        int node = 0;
        for (int decision = 0; decision < 8; decision++) {
            boolean left = row[trees.features()[tree][node]] <= trees.thresholds()[tree][node];
            node = 2 * node + (left ? 1 : 2);
        }
        return trees.leaves()[tree][node - 255];
    }

    @Test
    void shouldMultiplyAndAddLayerByLayer() {
        Perceptron perceptron = Perceptron.random(7, 5, 8, 3, 1);
        float[] row = {0.5f, -1, 2, 0.25f, -3};
        double[] layer = {0.5, -1, 2, 0.25, -3};
        for (int i = 0; i < 3; i++) {
            layer = multiply(
                    layer, perceptron.weights().get(i), perceptron.biases().get(i), i < 2);
        }

        assertThat(answer(perceptron.onnx(), row, 1, 5)).containsExactly(layer, within(1e-5));
    }

    private static double[] multiply(double[] in, float[] weights, float[] biases, boolean relu) {
        double[] out = new double[biases.length];
        for (int o = 0; o < out.length; o++) {
            out[o] = biases[o];
            for (int i = 0; i < in.length; i++) {
                out[o] += in[i] * weights[i * out.length + o];
            }
            out[o] = relu ? Math.max(0, out[o]) : out[o];
        }
        return out;
    }

    @Test
    void shouldConvolve() {
        ConvNet net = ConvNet.random(11, 12, 4, 3, 5, 6);
        SplittableRandom random = new SplittableRandom(12);
        float[] image = Draw.gaussians(random, 3 * 12 * 12, 1);
        double[] planes = new double[image.length];
        Arrays.setAll(planes, i -> image[i]);
        int size = 12;
        for (int layer = 0; layer < 2; layer++) {
            planes = convolve(
                    planes,
                    size,
                    net.channels()[layer],
                    net.kernels().get(layer),
                    net.biases().get(layer));
            size /= 2;
        }
        double[] means = new double[6];
        for (int i = 0; i < planes.length; i++) {
            means[i / (size * size)] += planes[i] / (size * size);
        }
        double[] logits = new double[4];
        for (int i = 0; i < 6 * 4; i++) {
            logits[i % 4] += means[i / 4] * net.last()[i];
        }

        assertThat(answer(net.onnx(), image, 1, 3, 12, 12)).containsExactly(logits, within(1e-4));
    }

    /// 3 by 3, every second pixel, zeros around the picture, and a Relu.
    private static double[] convolve(double[] planes, int size, int channels, float[] kernel, float[] biases) {
        int half = size / 2;
        double[] out = new double[biases.length * half * half];
        for (int i = 0; i < out.length; i++) {
            int channel = i / (half * half);
            int top = 2 * (i / half % half) - 1;
            int left = 2 * (i % half) - 1;
            double sum = biases[channel];
            for (int k = 0; k < channels * 9; k++) {
                int y = top + k / 3 % 3;
                int x = left + k % 3;
                if (y >= 0 && x >= 0 && y < size && x < size) {
                    sum += planes[(k / 9 * size + y) * size + x] * kernel[channel * channels * 9 + k];
                }
            }
            out[i] = Math.max(0, sum);
        }
        return out;
    }

    private static double[] answer(byte[] onnx, float[] input, long... shape) {
        try (OnnxSession session = OnnxSession.open(onnx, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor in = new Tensor(MemoryTag.CALL, DataType.FP32);
                Tensor out = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            in.reshape(shape).putFloats(input);
            runner.run(new Tensor[] {in}, new Tensor[] {out});
            double[] values = new double[(int) out.elementCount()];
            Arrays.setAll(values, out::getFloat);
            return values;
        }
    }

    @Test
    void shouldAnswerWithTheRowHoweverLongItRuns() {
        for (float products : new float[] {-3, 0, 0.5f, 1, 40}) {
            assertThat(answer(Loop.onnx(), new float[] {products, -7.25f, -9, -8, -4, -5, -6, -1e9f}, 2, 4))
                    .containsExactly(products, -7.25, -9, -8, -4, -5, -6, -1e9f);
        }
    }

    @Test
    void shouldAnswerTheSteadyModelInRows() {
        try (Fixture fixture = Fixture.open(BenchModels.named(BenchModels.STEADY))) {
            assertThat(fixture.hasRows()).isTrue();
            assertThat(fixture.examples().floats()).hasNumberOfRows(256);
        }
        try (Fixture fixture = Fixture.open(BenchModels.named(BenchModels.LOOP))) {
            assertThat(fixture.hasRows()).isTrue();
        }
    }

    private static double score(List<List<Value>> answers, int row) {
        return ((float[]) answers.get(row).getFirst().array())[0];
    }

    private static ValueInfo value(String name, long width) {
        return new ValueInfo(name, ValueInfo.Kind.TENSOR, DataType.FP32, List.of(-1L, width), List.of("batch", ""));
    }
}
