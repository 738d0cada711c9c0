// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestTest {
    @TempDir
    static Path root;

    static Millrace millrace;

    @BeforeAll
    static void open() {
        TestModels.repository(
                root, "mlp", "two_inputs", "strings", "variable_shapes", "zip_map", "types", "unsigned", "scalar");
        millrace = Millrace.open(root);
    }

    @AfterAll
    static void close() {
        millrace.close();
    }

    private static void assertInvalid(String message, ThrowingCallable code) {
        assertThatThrownBy(code)
                .isInstanceOf(InferenceException.class)
                .hasMessage(message)
                .extracting(e -> ((InferenceException) e).outcome())
                .isEqualTo(Outcome.INVALID);
    }

    private static Request types() {
        return millrace.model("types")
                .request()
                .set("f64", new double[] {1, 2.5, -3})
                .set("f16", new float[] {1, 0.1f, -65504})
                .set("i64", new int[] {1, -2, 3})
                .set("i32", new long[] {1, -2, Integer.MIN_VALUE})
                .set("i16", new short[] {1, -2, 3})
                .set("i8", new byte[] {1, -128, 127})
                .set("u8", new int[] {0, 1, 255})
                .set("bool", new boolean[] {true, false, true});
    }

    private static Prediction predictTypes(Request request) {
        return millrace.model("types").predict(request);
    }

    @Test
    void shouldConvertArraysWhenNoValueChanges() {
        Prediction prediction = predictTypes(types());
        assertThat(prediction.doubles("f64_out")).containsExactly(1, 2.5, -3);
        assertThat(prediction.floats("f16_out")).containsExactly(1, 0.099975586f, -65504);
        assertThat(prediction.longs("i64_out")).containsExactly(1, -2, 3);
        assertThat(prediction.longs("i32_out")).containsExactly(1, -2, Integer.MIN_VALUE);
        assertThat(prediction.longs("i16_out")).containsExactly(1, -2, 3);
        assertThat(prediction.longs("i8_out")).containsExactly(1, -128, 127);
        assertThat(prediction.longs("u8_out")).containsExactly(0, 1, 255);
        assertThat(prediction.output("bool_out").values()).isEqualTo(new boolean[] {true, false, true});
        assertThat(prediction.output("bool_out").shape()).containsExactly(1L, 3L);
        assertThat(prediction.model()).isEqualTo("types");
        assertThat(prediction.version()).isEqualTo(1);
        assertThat(prediction.outputs())
                .extracting(Prediction.Output::name)
                .containsExactly("f64_out", "f16_out", "i64_out", "i32_out", "i16_out", "i8_out", "u8_out", "bool_out");
    }

    @Test
    void shouldNameTheElementWhenAValueWouldChange() {
        assertInvalid(
                "input 'u8': element 2 is 256 (Integer), expected UINT8",
                () -> predictTypes(types().set("u8", new int[] {0, 1, 256})));
        assertInvalid(
                "input 'u8': element 0 is -1 (Byte), expected UINT8",
                () -> predictTypes(types().set("u8", new byte[] {-1, 1, 2})));
        assertInvalid(
                "input 'i64': element 0 is 1.0 (Double), expected INT64",
                () -> predictTypes(types().set("i64", new double[] {1, 2, 3})));
        assertInvalid(
                "input 'i32': element 0 is 2147483648 (Long), expected INT32",
                () -> predictTypes(types().set("i32", new long[] {1L << 31, 0, 0})));
        assertInvalid(
                "input 'bool': element 0 is 1 (Integer), expected BOOL",
                () -> predictTypes(types().set("bool", new int[] {1, 0, 0})));
        assertInvalid(
                "input 'i8': element 1 is true (Boolean), expected INT8",
                () -> predictTypes(types().set("i8", new Object[] {1, true, 2})));
        assertInvalid(
                "input 'i64': element 0 is 1.5 (BigDecimal), expected INT64",
                () -> predictTypes(types().set("i64", new BigDecimal[] {new BigDecimal("1.5"), null, null})));
        assertInvalid(
                "input 'f64': element 1 is null, expected FP64",
                () -> predictTypes(types().set("f64", new Double[] {1.0, null, 2.0})));
        assertInvalid(
                "input 'f64': element 0 is a (Character), expected FP64",
                () -> predictTypes(types().set("f64", new char[] {'a', 'b', 'c'})));
    }

    @Test
    void shouldAcceptUnsignedValuesWhenTheyFit() {
        Request request = millrace.model("unsigned")
                .request()
                .set("u16", new int[] {0, 65535})
                .set("u32", new long[] {0, 4294967295L})
                .set("u64", new long[] {7, Long.MAX_VALUE});
        Prediction prediction = millrace.model("unsigned").predict(request);
        assertThat(prediction.longs("u16_out")).containsExactly(0, 65535);
        assertThat(prediction.longs("u32_out")).containsExactly(0, 4294967295L);
        assertThat(prediction.longs("u64_out")).containsExactly(7, Long.MAX_VALUE);
    }

    @Test
    void shouldInferTheShapeWhenOneDimensionIsOpen() {
        Request request = millrace.model("two_inputs")
                .request()
                .set("a", new float[] {1, 2, 3, 4, 5, 6, 7, 8})
                .set("b", new long[] {10, -1});
        Prediction prediction = millrace.model("two_inputs").predict(request);
        assertThat(prediction.output("sum").shape()).containsExactly(2L, 4L);
        assertThat(prediction.floats("sum")).containsExactly(11, 12, 13, 14, 4, 5, 6, 7);
        assertThat(prediction.output("flag").values()).isEqualTo(new boolean[] {true, false});
    }

    @Test
    void shouldSayWhatIsWrongWhenAnInputDoesNotFit() {
        Model two = millrace.model("two_inputs");
        assertInvalid(
                "model 'two_inputs' has no input 'c'; it has [a, b]",
                () -> two.request().set("c", new float[4]));
        assertInvalid(
                "input 'a': 5 values do not fill shape [-1, 4]",
                () -> two.request().set("a", new float[5]));
        assertInvalid(
                "input 'a': 4 values for shape [2, 4], expected 8",
                () -> two.request().set("a", new long[] {2, 4}, new float[4]));
        assertInvalid(
                "input 'a': [-1, -4] is no shape", () -> two.request().set("a", new long[] {-1, -4}, new float[4]));
        assertInvalid(
                "input 'a': [4294967296, 4294967296] is no shape",
                () -> two.request().set("a", new long[] {1L << 32, 1L << 32}, new float[0]));
        assertInvalid(
                "input 'a': a String came, expected an array",
                () -> two.request().set("a", "text"));
        assertInvalid(
                "input 'a': null came, expected an array", () -> two.request().set("a", (Object) null));
        assertInvalid(
                "input 'a': row 1 has 3 values, expected 4 as row 0 has",
                () -> two.request().set("a", new float[][] {new float[4], new float[3]}));
        assertInvalid("input 'b' is missing", () -> two.predict(two.request().set("a", new float[4])));
        assertInvalid(
                "input 'b' has 2 rows, expected 1 as input 'a' has",
                () -> two.predict(two.request().set("a", new float[4]).set("b", new int[2])));
        assertInvalid(
                "input 'a' has shape [1, 2, 2], expected [-1, 4]",
                () -> two.predict(two.request()
                        .set("a", new long[] {1, 2, 2}, new float[4])
                        .set("b", new int[1])));
        assertInvalid(
                "input 'x' has shape [-1, -1]: give the shape, too",
                () -> millrace.model("variable_shapes").request().set("x", new float[4]));
    }

    @Test
    void shouldSayWhatIsWrongWhenTheRequestIsAsynchronous() {
        Model two = millrace.model("two_inputs");
        assertInvalid(
                "input 'b' is missing", () -> two.predictAsync(two.request().set("a", new float[4])));
    }

    @Test
    void shouldTakeRowsWhenTheyAreArraysOfArrays() {
        Model mlp = millrace.model("mlp");
        float[][] rows = new float[3][64];
        rows[1][5] = 1;
        Prediction together = mlp.predict(mlp.request().set("features", rows));
        Prediction alone = mlp.predict(mlp.request().set("features", rows[1]));
        assertThat(together.floats("score")).hasSize(3);
        assertThat(together.floats("score")[1])
                .isCloseTo(alone.floats("score")[0], org.assertj.core.api.Assertions.within(1e-5f));
    }

    @Test
    void shouldRunAnyShapeWhenTheModelTakesTensorsWhole() {
        Model shapes = millrace.model("variable_shapes");
        Prediction prediction =
                shapes.predict(shapes.request().set("x", new long[] {2, 3}, new double[] {1, 2, 3, 4, 5, 6}));
        assertThat(prediction.output("y").shape()).containsExactly(2L, 3L);
        assertThat(prediction.floats("total")).containsExactly(12, 30);
        Model scalar = millrace.model("scalar");
        Prediction three = scalar.predict(scalar.request().set("x", new float[] {5}));
        assertThat(three.output("y").shape()).isEmpty();
        assertThat(three.floats("y")).containsExactly(15);
    }

    @Test
    void shouldPassTextWhenTheModelTakesStrings() {
        Model strings = millrace.model("strings");
        Prediction prediction = strings.predict(strings.request().set("x", new String[] {"", "Mühle", "a\nb"}));
        assertThat(prediction.strings("y")).containsExactly("", "Mühle", "a\nb");
        assertInvalid(
                "input 'x': element 1 is null, expected BYTES",
                () -> strings.predict(strings.request().set("x", new String[] {"a", null})));
        assertInvalid(
                "input 'x': element 0 is 1.0 (Float), expected BYTES",
                () -> strings.predict(strings.request().set("x", new float[] {1})));
        assertThat(strings.predict(strings.request().set("x", new String[] {"b"}))
                        .strings("y"))
                .containsExactly("b");
    }

    @Test
    void shouldNameTheColumnsWhenTheModelGivesMaps() {
        Model maps = millrace.model("zip_map");
        Prediction prediction = maps.predict(maps.request().set("x", new float[] {1, 2, 3, 4, 5, 6}));
        Prediction.Output output = prediction.output("y");
        assertThat(output.keys()).isEqualTo(List.of("ape", "cat", "dog"));
        assertThat(output.shape()).containsExactly(2L, 3L);
        assertThat(prediction.floats("y")).containsExactly(3, 1, 2, 6, 4, 5);
    }

    @Test
    void shouldSayWhatIsWrongWhenAnOutputIsReadWrongly() {
        Model scalar = millrace.model("scalar");
        Prediction prediction = scalar.predict(scalar.request().set("x", new float[] {1}));
        assertInvalid("model 'scalar' has no output 'z'; it has [y]", () -> prediction.floats("z"));
        assertInvalid("output 'y' is FP32, not long[]", () -> prediction.longs("y"));
        assertInvalid("output 'y' is FP32, not String[]", () -> prediction.strings("y"));
        assertInvalid("output 'y' is FP32, not double[]", () -> prediction.doubles("y"));
    }
}
