// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.TensorValues;
import dev.millrace.quantize.QuantizeOptions.Method;
import dev.millrace.quantize.QuantizeOptions.Mode;
import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What is written, beside what onnxruntime.quantization wrote for the same model and data (`make.py` made
/// it): the same operators once ONNX Runtime has optimised both, the same scales, zero points and integers.
class ReferenceTest {
    private static final Path GOLDENS = Path.of("src/test/resources/quantize");
    private static final QuantizeOptions UNREDUCED = QuantizeOptions.DEFAULT.withReduceRange(ReduceRange.NEVER);

    @TempDir
    Path temp;

    static Path model(String name) {
        return name.equals("fraud") ? Path.of("zoo/fraud/1/model.onnx") : GOLDENS.resolve(name + ".onnx");
    }

    static Rows rows(String name) throws IOException {
        return switch (name) {
            case "fraud" -> Rows.of(GOLDENS.resolve("fraud.f32"), 22);
            case "mlp" -> Rows.of(GOLDENS.resolve("mlp.f32"), 24);
            default -> Rows.of(GOLDENS.resolve("conv.f32"), 3, 8, 8);
        };
    }

    private static Stream<Arguments> variants() {
        QuantizeOptions percentile = UNREDUCED.withMethod(Method.PERCENTILE);
        QuantizeOptions entropy = UNREDUCED.withMethod(Method.ENTROPY);
        QuantizeOptions channels = UNREDUCED.withPerChannel(true);
        QuantizeOptions dynamic = UNREDUCED.withMode(Mode.DYNAMIC);
        return Stream.of(
                Arguments.of("fraud", "minmax", UNREDUCED),
                Arguments.of("mlp", "minmax", UNREDUCED),
                Arguments.of("conv", "minmax", UNREDUCED),
                Arguments.of("mlp", "channels", channels),
                Arguments.of("conv", "channels", channels.withReduceRange(ReduceRange.ALWAYS)),
                Arguments.of(
                        "conv",
                        "signed",
                        UNREDUCED.withActivations(ElementType.INT8).withExcluded("conv0")),
                Arguments.of("fraud", "percentile", percentile),
                Arguments.of("mlp", "percentile", percentile),
                Arguments.of("conv", "percentile", percentile),
                Arguments.of("fraud", "entropy", entropy),
                Arguments.of("mlp", "entropy", entropy),
                Arguments.of("conv", "entropy", entropy),
                Arguments.of("mlp", "dynamic", dynamic),
                Arguments.of("conv", "dynamic", dynamic));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void shouldWriteWhatTheReferenceWrites(String name, String variant, QuantizeOptions options) throws IOException {
        Path out = temp.resolve("out.onnx");
        Quantizer.quantize(model(name), out, options, rows(name), Progress.NONE);
        Path golden = GOLDENS.resolve(name + "." + variant + ".onnx");

        assertThat(Models.optimized(out, temp)).isEqualTo(Models.optimized(golden, temp));
        boolean exact = options.method() == Method.MINMAX;
        assertSameConstants(out, golden, exact);
        List<Float> ours = Models.answers(out, rows(name));
        List<Float> theirs = Models.answers(golden, rows(name));
        double tolerance = exact ? 1e-5 : 0.05;
        for (int i = 0; i < ours.size(); i++) {
            assertThat((double) ours.get(i))
                    .as("answer %d", i)
                    .isCloseTo(theirs.get(i), org.assertj.core.data.Offset.offset(tolerance));
        }
    }

    private static void assertSameConstants(Path out, Path golden, boolean exact) throws IOException {
        try (OnnxFile ours = OnnxFile.open(out);
                OnnxFile theirs = OnnxFile.open(golden)) {
            Map<String, OnnxTensor> made = Models.constants(ours);
            Map<String, OnnxTensor> expected = Models.constants(theirs);
            assertThat(made.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
            for (Map.Entry<String, OnnxTensor> entry : expected.entrySet()) {
                String name = entry.getKey();
                OnnxTensor tensor = made.get(name);
                assertThat(tensor.type()).as(name).isEqualTo(entry.getValue().type());
                if (tensor.type() == ElementType.FLOAT) {
                    assertClose(
                            name,
                            TensorValues.floats(ours, tensor),
                            TensorValues.floats(theirs, entry.getValue()),
                            exact);
                } else if (tensor.type() == ElementType.UINT8 || tensor.type() == ElementType.INT8) {
                    assertSameIntegers(tensor, entry.getValue(), exact ? 0 : 2);
                } else if (exact) {
                    assertThat(tensor.integers(1000).orElseThrow())
                            .as(name)
                            .containsExactly(entry.getValue().integers(1000).orElseThrow());
                }
            }
        }
    }

    private static void assertClose(String name, float[] ours, float[] theirs, boolean exact) {
        assertThat(ours).as(name).hasSameSizeAs(theirs);
        for (int i = 0; i < ours.length; i++) {
            float tolerance = exact ? Math.ulp(theirs[i]) : Math.abs(theirs[i]) / 100;
            assertThat(Math.abs(ours[i] - theirs[i]))
                    .as("%s[%d] is %s, theirs %s", name, i, ours[i], theirs[i])
                    .isLessThanOrEqualTo(tolerance);
        }
    }

    private static void assertSameIntegers(OnnxTensor ours, OnnxTensor theirs, int tolerance) {
        long[] made = integers(ours);
        long[] expected = integers(theirs);
        assertThat(made).as(ours.name()).hasSameSizeAs(expected);
        for (int i = 0; i < made.length; i++) {
            assertThat(Math.abs(made[i] - expected[i]))
                    .as("%s[%d] is %d, theirs %d", ours.name(), i, made[i], expected[i])
                    .isLessThanOrEqualTo(tolerance);
        }
    }

    private static long[] integers(OnnxTensor tensor) {
        MemorySegment raw = tensor.raw().orElse(null);
        if (raw == null) {
            return tensor.message().numbers(5);
        }
        long[] values = new long[(int) raw.byteSize()];
        for (int i = 0; i < values.length; i++) {
            byte value = raw.get(ValueLayout.JAVA_BYTE, i);
            values[i] = tensor.type() == ElementType.UINT8 ? value & 0xFF : value;
        }
        return values;
    }
}
