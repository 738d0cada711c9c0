// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Traces of requests as data.
class TraceRequestsTest {
    private static final Signature TWO = DatasetsTest.signature(
            new TensorSpec("x", DataType.FP32, List.of(-1L, 2L)),
            new TensorSpec("country", DataType.BYTES, List.of(-1L, 1L)));
    private static final Signature PAIR = DatasetsTest.signature(new TensorSpec("x", DataType.FP32, List.of(-1L, 2L)));

    @TempDir
    Path temp;

    private Path traces(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    private static String input(long id, String name, String data, String shape, String type) {
        return object(id, "TENSOR_QUEUE_INPUT", name, data, shape, type);
    }

    private static String object(long id, String activity, String name, String data, String shape, String type) {
        return "{\"id\":" + id + ",\"activity\":\"" + activity + "\",\"tensor\":{\"name\":\"" + name + "\",\"data\":\""
                + data + "\",\"shape\":\"" + shape + "\",\"dtype\":\"" + type + "\"}}";
    }

    private List<String> read(String text, Signature signature) throws IOException {
        return DatasetsTest.read(Datasets.open(traces("trace.json", text), signature, Optional.empty()), 8);
    }

    @Test
    void shouldPutInputsOfARequestTogetherWhereverTheyAre() throws IOException {
        String text = "[{\"id\":1,\"model_name\":\"a{\",\"model_version\":1},"
                + input(1, "x", "1,2,3,NaN", "2,2", "FP32")
                + ","
                + input(2, "country", "\\\"a \\\\\\\"b\\\\\\\", {\\\"", "1,1", "BYTES")
                + ",\n"
                + object(1, "TENSOR_BACKEND_INPUT", "x", "9,9", "1,2", "FP32")
                + ",{\"id\":2,\"timestamps\":[{\"name\":\"REQUEST_START\",\"ns\":52}]}, "
                + input(3, "x", "8,8", "1,2", "FP32")
                + ","
                + input(1, "country", "\\\"é\\\",\\\"\\\"", "2,1", "BYTES")
                + ","
                + object(1, "TENSOR_BACKEND_OUTPUT", "y", "1", "1,1", "FP32")
                + ","
                + input(2, "x", "5e-1,6", "1,2", "FP32")
                + "]";
        List<String> whole = List.of("[3, 2][1.0, 2.0, 3.0, NaN, 0.5, 6.0][3, 1][é, , a \"b\", {]");
        assertThat(read(text, TWO)).isEqualTo(whole);
        assertThat(read(text.replace("\n", ""), TWO)).isEqualTo(whole);
        assertThat(read(text, PAIR))
                .as("all that have x")
                .containsExactly("[4, 2][1.0, 2.0, 3.0, NaN, 8.0, 8.0, 0.5, 6.0]");
        Dataset apart = Datasets.open(temp.resolve("trace.json"), PAIR, Optional.empty(), Batching.Kind.NONE);
        assertThat(DatasetsTest.read(apart, 8)).hasSize(3);
    }

    @Test
    void shouldReadTheFilesThatFollowTheFirst() throws IOException {
        Path file = traces("trace.json.12", "[" + input(1, "x", "1,2", "1,2", "FP32") + "]");
        assertThat(DatasetsTest.read(Datasets.open(file, PAIR, Optional.empty()), 8))
                .containsExactly("[1, 2][1.0, 2.0]");
    }

    @Test
    void shouldForgetTheOldestWhenTooManyWaitForInputs() throws IOException {
        StringBuilder text = new StringBuilder("[" + input(0, "x", "0,0", "1,2", "FP32"));
        for (int i = 1; i < 10_000; i++) {
            text.append(',').append(input(i, "x", i + ",1", "1,2", "FP32"));
        }
        text.append(',').append(input(0, "country", "\\\"first\\\"", "1,1", "BYTES"));
        text.append(',')
                .append(input(9_999, "country", "\\\"last\\\"", "1,1", "BYTES"))
                .append(']');
        assertThat(read(text.toString(), TWO)).containsExactly("[1, 2][9999.0, 1.0][1, 1][last]");
    }

    @Test
    void shouldSayWhatIsWrongWithTraces() {
        assertWrong("{}", "it is no array of JSON, expected the traces of requests");
        assertWrong("", "it is no array of JSON");
        assertWrong("[1]", "it has something else than objects after 0 of them");
        assertWrong(
                "[{\"id\":1}",
                "it has no traced requests with the model's inputs [x], expected traces of level" + " TENSORS");
        assertWrong("[{\"id\":1},{\"id\":", "it ends within object 2");
        assertWrong("[{\"id\":\"\\", "it ends within object 1");
        assertWrong("[{\"id\":1,\"activity\":7}]", "trace 1: ");
        assertWrong(
                "[{\"id\":4,\"activity\":\"TENSOR_QUEUE_INPUT\",\"tensor\":{\"name\":\"x\"}}]",
                "trace 4: input 'x' has no data, shape or dtype");
        assertWrong(
                "[" + input(7, "x", "1,2,3", "1,3", "FP32") + "]",
                "trace 7: inputs[0].shape is [1, 3], expected [-1, 2] of input 'x'");
        assertWrong("[" + input(7, "x", "1,2]}]}", "1,2", "FP32") + "]", "trace 7: ");
        assertWrong("[" + input(7, "x", "1,2", "1,2", "FP64") + "]", "inputs[0].datatype is FP64, expected FP32");
        assertThatThrownBy(() -> Datasets.open(traces("t.json", "[]"), PAIR, Optional.of("fraud")))
                .hasMessage("traces have no labels, but 'fraud' was asked for");
    }

    private void assertWrong(String text, String message) {
        assertThatThrownBy(() -> read(text, PAIR))
                .as(text)
                .isInstanceOf(InvalidDataException.class)
                .hasMessageStartingWith(temp.resolve("trace.json") + ": ")
                .hasMessageContaining(message);
    }
}
