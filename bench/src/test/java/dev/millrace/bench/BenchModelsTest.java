// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.millrace.bench.BenchModels.BenchModel;
import dev.millrace.memory.DataType;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.ValueInfo;
import java.util.List;
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
        try (Fixture fixture = Fixture.open(BenchModels.MLP);
                Contestant floor = fixture.contestant(Route.FLOOR, 1)) {
            float[] answers = new Gate(1, floor).expected();

            assertThat(answers).doesNotHaveDuplicates();
        }
    }

    private static ValueInfo value(String name, long width) {
        return new ValueInfo(name, ValueInfo.Kind.TENSOR, DataType.FP32, List.of(-1L, width), List.of("batch", ""));
    }
}
