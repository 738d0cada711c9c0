// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.millrace.zoo.payments.PaymentFeatures;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The model in the repository, run by ONNX Runtime, against answers that ONNX Runtime had no part in.
class FraudModelTest {
    private static final Path VERSION = ZooFiles.fraud().resolve("1");
    private static OrtSession session;

    @BeforeAll
    static void open() throws OrtException {
        session = OrtEnvironment.getEnvironment()
                .createSession(VERSION.resolve("model.onnx").toString());
    }

    @AfterAll
    static void close() throws OrtException {
        session.close();
    }

    static Stream<String> goldens() throws IOException {
        try (Stream<Path> files = Files.list(VERSION.resolve("goldens"))) {
            return files
                    .map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".request.json"))
                    .map(name -> name.replace(".request.json", ""))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void shouldGiveTheExpectedAnswer(String name) throws IOException, OrtException {
        Map<?, ?> request = (Map<?, ?>) ZooFiles.json(VERSION.resolve("goldens/" + name + ".request.json"));
        Map<?, ?> expected = (Map<?, ?>) ZooFiles.json(VERSION.resolve("goldens/" + name + ".expected.json"));
        Map<?, ?> input = (Map<?, ?>) ((List<?>) request.get("inputs")).getFirst();
        Map<?, ?> output = (Map<?, ?>) ((List<?>) expected.get("outputs")).getFirst();
        List<?> scores = (List<?>) output.get("data");

        float[] actual = run((List<?>) input.get("data"), scores.size());

        assertThat(actual).hasSameSizeAs(scores.toArray());
        for (int i = 0; i < actual.length; i++) {
            double score = (Double) scores.get(i);
            double tolerance = (Double) expected.get("atol") + (Double) expected.get("rtol") * score;
            assertThat((double) actual[i]).as("row %d", i).isBetween(0.0, 1.0).isCloseTo(score, within(tolerance));
        }
    }

    private static float[] run(List<?> data, int rows) throws OrtException {
        FloatBuffer buffer = FloatBuffer.allocate(data.size());
        data.forEach(value -> buffer.put(((Double) value).floatValue()));
        long[] shape = {rows, PaymentFeatures.size()};
        try (OnnxTensor tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), buffer.flip(), shape);
                OrtSession.Result result = session.run(Map.of("features", tensor))) {
            FloatBuffer out = ((OnnxTensor) result.get("score").orElseThrow()).getFloatBuffer();
            float[] scores = new float[out.remaining()];
            out.get(scores);
            return scores;
        }
    }

    @Test
    void shouldCoverSingleRowsBatchesAndExtremes() throws IOException {
        assertThat(goldens())
                .contains(
                        "honest",
                        "card_testing",
                        "stolen_card",
                        "account_takeover",
                        "collusion",
                        "rows7",
                        "rows64",
                        "zeros",
                        "negative",
                        "large_amount",
                        "extremes");
    }

    @Test
    void shouldDeclareNamesShapesAndTheOrderOfFeatures() throws OrtException {
        TensorInfo input = (TensorInfo) session.getInputInfo().get("features").getInfo();
        TensorInfo output = (TensorInfo) session.getOutputInfo().get("score").getInfo();

        assertThat(input.getShape()).containsExactly(-1, PaymentFeatures.size());
        assertThat(input.getDimensionNames()).startsWith("batch");
        assertThat(output.getShape()).containsExactly(-1, 1);
        assertThat(output.getDimensionNames()).startsWith("batch");
        assertThat(session.getMetadata().getCustomMetadata())
                .containsEntry("features", String.join(",", PaymentFeatures.names()))
                .containsEntry("license", "Apache-2.0");
        assertThat(session.getMetadata().getDescription()).contains("simulated data");
    }
}
