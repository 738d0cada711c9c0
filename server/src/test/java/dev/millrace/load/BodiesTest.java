// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bodies made from metadata, and bodies from files.
class BodiesTest {
    @TempDir
    Path temp;

    private static ModelMetadata model(String name, String datatype, Long... shape) {
        return new ModelMetadata(List.of(new ModelMetadata.Input(name, datatype, List.of(shape))));
    }

    private static List<String> make(ModelMetadata model, Map<String, List<Long>> shapes, long batch, long seed) {
        return RandomBodies.make(model, shapes, batch, seed).stream()
                .map(body -> new String(body, UTF_8))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "BOOL, true|false",
        "INT8, [01]",
        "INT16, [01]",
        "INT32, [01]",
        "INT64, [01]",
        "UINT8, [01]",
        "UINT16, [01]",
        "UINT32, [01]",
        "UINT64, [01]",
        "FP16, -?\\d\\.\\d+(E-\\d)?",
        "BF16, -?\\d\\.\\d+(E-\\d)?",
        "FP32, -?\\d\\.\\d+(E-\\d)?",
        "FP64, -?\\d\\.\\d+(E-\\d)?",
        "BYTES, \"[a-z]+\"",
    })
    void shouldMakeValidInputsForEveryDatatype(String datatype, String element) {
        List<String> bodies = make(model("x", datatype, -1L, 4L), Map.of(), 3, 1);

        Pattern form = Pattern.compile("\\{\"inputs\":\\[\\{\"name\":\"x\",\"shape\":\\[3,4],\"datatype\":\"" + datatype
                + "\",\"data\":\\[(" + element + ")(,(" + element + ")){11}]}]}");
        assertThat(bodies).hasSize(64).allSatisfy(body -> assertThat(body).matches(form));
        assertThat(new HashSet<>(bodies)).hasSizeGreaterThan(60);
    }

    @Test
    void shouldMakeTheSameBodiesWhenTheSeedIsTheSame() {
        ModelMetadata model = model("x", "FP32", -1L, 22L);
        assertThat(make(model, Map.of(), 1, 5))
                .isEqualTo(make(model, Map.of(), 1, 5))
                .isNotEqualTo(make(model, Map.of(), 1, 6));
    }

    @Test
    void shouldTakeShapesAsTheyAreGiven() {
        ModelMetadata model = model("ids", "INT64", -1L, -1L);
        assertThat(make(model, Map.of("ids", List.of(2L, 3L)), 1, 1).getFirst()).contains("\"shape\":[2,3]");
        assertThat(make(model("s", "FP32"), Map.of(), 1, 1).getFirst())
                .containsPattern("\"shape\":\\[],.*\\[[^,]+]}]}");
    }

    @Test
    void shouldMakeFewBodiesWhenTheyAreLarge() {
        assertThat(make(model("image", "UINT8", -1L, 3L, 2000L, 2000L), Map.of(), 1, 1))
                .hasSize(2);
    }

    @Test
    void shouldSayWhatIsMissingWhenAShapeStaysOpen() {
        ModelMetadata model = model("ids", "INT64", -1L, -1L);
        assertThatThrownBy(() -> make(model, Map.of(), 4, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("input 'ids' has shape [-1, -1]; say which one to send, for example --shape ids=4,8");
    }

    @Test
    void shouldSayWhatDoesNotFit() {
        ModelMetadata model = model("x", "FP32", -1L, 4L);
        assertThatThrownBy(() -> make(model, Map.of("x", List.of(1L, 5L)), 1, 1))
                .hasMessage("input 'x' has shape [-1, 4], --shape gives [1, 5]");
        assertThatThrownBy(() -> make(model, Map.of("x", List.of(4L)), 1, 1)).hasMessageContaining("[4]");
        assertThatThrownBy(() -> make(model, Map.of("y", List.of(4L)), 1, 1))
                .hasMessage("--shape names [y], the model's inputs are [x]");
        assertThatThrownBy(() -> make(model("x", "FP32", 1L, 4L), Map.of(), 2, 1))
                .hasMessageContaining("without a batch dimension");
        assertThatThrownBy(() -> make(model("x", "FP32", -1L, 1L << 40), Map.of(), 1L << 40, 1))
                .hasMessageContaining("too large");
        assertThatThrownBy(() -> make(model("x", "COMPLEX64", -1L), Map.of(), 1, 1))
                .hasMessageContaining("COMPLEX64")
                .hasMessageContaining("--data");
    }

    @Test
    void shouldReadMetadata() throws IOException {
        ModelMetadata model = ModelMetadata.parse("""
            {"name":"m","versions":["1"],"outputs":[{"name":"y","datatype":"FP32","shape":[1]}],"extra":{"a":[1]},
             "inputs":[{"datatype":"BYTES","shape":["-1","3"],"name":"s","parameters":{"x":1}},
                       {"name":"n","datatype":"INT8","shape":[]}]}\
            """);

        assertThat(model.inputs())
                .containsExactly(
                        new ModelMetadata.Input("s", "BYTES", List.of(-1L, 3L)),
                        new ModelMetadata.Input("n", "INT8", List.of()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[]", "{}", "{\"inputs\":3}", "{\"inputs\":[{\"name\":\"x\"}]}", "<html>", "{\"inputs\":["})
    void shouldSayWhenItIsNoMetadata(String text) {
        assertThatThrownBy(() -> ModelMetadata.parse(text)).isInstanceOf(IOException.class);
    }

    private List<String> read(String text) throws Exception {
        return BodyFile.read(Files.writeString(temp.resolve("bodies.json"), text)).stream()
                .map(body -> new String(body, UTF_8))
                .toList();
    }

    @Test
    void shouldReadOneBodyOrSeveralAsTheyAre() throws Exception {
        assertThat(read("{\"a\": 1}")).containsExactly("{\"a\": 1}");
        assertThat(read(" {\n \"a\":\n [1, {\"b\":\"}\"}] }\n")).containsExactly("{\n \"a\":\n [1, {\"b\":\"}\"}] }");
        assertThat(read("{\"a\":\"ü\"}\n{\"a\":NaN}\n\n{}\n")).containsExactly("{\"a\":\"ü\"}", "{\"a\":NaN}", "{}");
    }

    @Test
    void shouldSayWhereAFileIsWrong() {
        assertThatThrownBy(() -> read("")).isInstanceOf(LoadException.class).hasMessageContaining("empty");
        assertThatThrownBy(() -> read("{}\n[1]")).hasMessageContaining("'{'").hasMessageContaining("line 2");
        assertThatThrownBy(() -> read("{}\n{]")).hasMessageContaining("line 2");
        assertThatThrownBy(() -> BodyFile.read(temp.resolve("none")))
                .isInstanceOf(LoadException.class)
                .hasMessageContaining("none: NoSuchFileException");
    }
}
