// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// ONNX Runtime's C API and its Java API give the same bits for the same inputs.
@Isolated
class BindingTest {
    private static Millrace open(Path root, String binding) {
        String before = System.getProperty(OrtRuntime.BINDING_PROPERTY);
        try {
            System.setProperty(OrtRuntime.BINDING_PROPERTY, binding);
            return Millrace.open(root);
        } finally {
            if (before == null) {
                System.clearProperty(OrtRuntime.BINDING_PROPERTY);
            } else {
                System.setProperty(OrtRuntime.BINDING_PROPERTY, before);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mlp",
                "two_inputs",
                "softmax_over_rows",
                "dynamically_quantized",
                "fixed_batch",
                "scalar",
                "strings",
                "variable_shapes",
                "zip_map",
                "types",
                "collapsing",
                "fails_on_index"
            })
    void shouldGiveTheSameBitsWhenDrivenEitherWay(String name, @TempDir Path root) {
        long before = NativeMemory.used();
        TestModels.repository(root, name);
        try (Millrace oneWay = open(root, "native");
                Millrace otherWay = open(root, "java");
                Call one = oneWay.model(name).call();
                Call other = otherWay.model(name).call()) {
            assertThat(other.signature()).isEqualTo(one.signature());
            for (long seed = 0; seed < 100; seed++) {
                fill(one, new SplittableRandom(seed));
                fill(other, new SplittableRandom(seed));
                assertThat(one.run()).as(one.message()).isEqualTo(Outcome.OK);
                assertThat(other.run()).as(other.message()).isEqualTo(Outcome.OK);
                assertSameBits(name + " seed " + seed, one, other);
            }
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    /// Who asks alone is told what a run of these rows gives, whether others could have joined it or not.
    @Test
    void shouldRunARequestsRowsTogetherWhetherOthersMayJoinOrNot(@TempDir Path root) {
        String name = "dynamically_quantized";
        TestModels.repository(root, name);
        RuntimeConfig joined = RuntimeConfig.DEFAULT.withModel(name, ModelConfig.DEFAULT.withDependentRows(true));
        try (Millrace oneWay = Millrace.open(root);
                Millrace otherWay = Millrace.open(joined, root);
                Call one = oneWay.model(name).call();
                Call other = otherWay.model(name).call()) {
            assertThat(oneWay.status().getFirst().batching().orElseThrow().kind())
                    .isEqualTo(Batching.Kind.NONE);
            assertThat(otherWay.status().getFirst().batching().orElseThrow().kind())
                    .isEqualTo(Batching.Kind.ROWS);
            for (long seed = 0; seed < 20; seed++) {
                fill(one, new SplittableRandom(seed));
                fill(other, new SplittableRandom(seed));
                assertThat(one.run()).as(one.message()).isEqualTo(Outcome.OK);
                assertThat(other.run()).as(other.message()).isEqualTo(Outcome.OK);
                assertSameBits(name + " seed " + seed, one, other);
            }
        }
    }

    @Test
    void shouldFailTheSameWayWhenTheModelFails(@TempDir Path root) {
        TestModels.repository(root, "fails_on_index");
        try (Millrace oneWay = open(root, "native");
                Millrace otherWay = open(root, "java");
                Call one = oneWay.model("fails_on_index").call();
                Call other = otherWay.model("fails_on_index").call()) {
            for (int round = 0; round < 3; round++) {
                for (Call call : new Call[] {one, other}) {
                    call.input(0).setLong(0, 99);
                    assertThat(call.run()).isEqualTo(Outcome.FAILED);
                    assertThat(call.message()).contains("indices element out of data bounds");
                    call.input(0).setLong(0, 3);
                    assertThat(call.run()).isEqualTo(Outcome.OK);
                    assertThat(call.output(0).getFloat(0)).isEqualTo(13);
                }
            }
        }
    }

    @Test
    void shouldSayWhichWayASessionIsDriven() {
        try (OnnxModel model = OnnxModel.load(TestModels.file("scalar"), SessionSettings.DEFAULT)) {
            assertThat(model.session().binding()).isEqualTo(OrtRuntime.Binding.NATIVE);
        }
    }

    private static void fill(Call call, SplittableRandom random) {
        Signature signature = call.signature();
        int rows = random.nextInt(1, 20);
        for (int i = 0; i < signature.inputs().size(); i++) {
            TensorSpec spec = signature.inputs().get(i);
            long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
            for (int axis = 0; axis < shape.length; axis++) {
                if (shape[axis] < 0) {
                    shape[axis] = axis == 0 ? rows : random.nextInt(1, 9);
                }
            }
            Tensor tensor = call.input(i).reshape(shape);
            for (int element = 0; element < tensor.elementCount(); element++) {
                set(tensor, element, random);
            }
        }
    }

    private static void set(Tensor tensor, int element, SplittableRandom random) {
        if (tensor.datatype() == DataType.BYTES) {
            tensor.setString(element, "text " + random.nextInt() + " ü€");
        } else if (tensor.datatype().isFloating()) {
            tensor.setReal(element, random.nextDouble(-3, 3));
        } else {
            tensor.setLong(element, random.nextInt(2));
        }
    }

    private static void assertSameBits(String name, Call one, Call other) {
        for (int i = 0; i < one.signature().outputs().size(); i++) {
            Tensor a = one.output(i);
            Tensor b = other.output(i);
            assertThat(b.shape()).as(name).isEqualTo(a.shape());
            assertThat(b.keys()).as(name).isEqualTo(a.keys());
            if (a.datatype() == DataType.BYTES) {
                for (int element = 0; element < a.elementCount(); element++) {
                    assertThat(b.getString(element)).as(name).isEqualTo(a.getString(element));
                }
            } else {
                long mismatch =
                        a.data().asSlice(0, a.byteSize()).mismatch(b.data().asSlice(0, b.byteSize()));
                assertThat(mismatch).as("%s, output %d, byte", name, i).isEqualTo(-1);
            }
        }
    }
}
