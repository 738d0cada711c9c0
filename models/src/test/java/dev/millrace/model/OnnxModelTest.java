// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching.Kind;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the probe finds about batching, on small models of every kind.
class OnnxModelTest {
    private long used;

    @BeforeEach
    void measureMemory() {
        used = NativeMemory.used();
    }

    @AfterEach
    void memoryIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(used);
    }

    private static Path file(String name) {
        try {
            return Path.of(
                    OnnxModelTest.class.getResource("/models/" + name + ".onnx").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static OnnxModel load(String name) {
        return OnnxModel.load(file(name), SessionSettings.DEFAULT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rows",
                "rows_output_open",
                "rows_unnamed_dim",
                "rows_scalar_rows",
                "rows_bool",
                "rows_fp16",
                "rows_int8",
                "rows_two_inputs",
                "softmax_over_features"
            })
    void shouldBatchRowsWhenTheyAreIndependent(String name) {
        try (OnnxModel model = load(name)) {
            assertThat(model.batching().kind()).as(model.batching().reason()).isEqualTo(Kind.ROWS);
            assertThat(model.signature().inputs())
                    .allMatch(input -> input.shape().getFirst() == -1);
            assertThat(model.signature().outputs())
                    .allMatch(output -> output.shape().getFirst() == -1)
                    .allMatch(output -> output.shape().subList(1, output.shape().size()).stream()
                            .allMatch(dim -> dim > 0));
        }
    }

    @Test
    void shouldFillInDimensionsOfOutputsThatTheFileLeavesOpen() {
        try (OnnxModel model = load("rows_output_open")) {
            assertThat(model.signature().outputs())
                    .containsExactly(new TensorSpec("y", DataType.FP32, List.of(-1L, 4L)));
            assertThat(model.session().outputs().getFirst().shape()).containsExactly(-1L, -1L);
        }
    }

    @Test
    void shouldRunOneRowWhenTheBatchIsFixedToOne() {
        try (OnnxModel model = load("one_row")) {
            assertThat(model.batching())
                    .isEqualTo(new Batching(Kind.ONE_ROW, "the leading dimension is fixed to 1", true));
            assertThat(model.signature().outputs())
                    .containsExactly(new TensorSpec("y", DataType.FP32, List.of(1L, 3L)));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "softmax_over_batch    | a row of output 'y' depends on the rows it is run with",
                "dynamically_quantized | a row of output 'y' depends on the rows it is run with",
                "previous_row          | a row of output 'y' depends on the rows it is run with",
                "different_names       | the leading dimensions of the inputs are called 'n' and 'm'",
                "scalar_input          | 'factor' is a scalar",
                "strings               | 'x' is not a numeric tensor",
                "sequence_of_maps      | 'y' is not a numeric tensor",
                "sequence_of_tensors   | 'y' is not a numeric tensor",
                "variable_rows         | input 'x' has rows of variable size, shape [-1, -1]",
                "sum_of_all            | output 'y' has shape [] for 2 rows",
                "sum_over_batch        | output 'y' has shape [1, 4] for 2 rows",
                "one_row_scalar_out    | input 'x' has no variable leading dimension, shape [1, 4]",
                "fixed_batch_of_two    | input 'x' has no variable leading dimension, shape [2, 4]",
                "no_inputs             | the model has no inputs",
                "any_rank              | 'x' is a scalar",
            })
    void shouldNotBatchAndSayWhy(String name, String reason) {
        try (OnnxModel model = load(name)) {
            boolean dependent = reason.endsWith("depends on the rows it is run with");
            assertThat(model.batching()).isEqualTo(new Batching(Kind.NONE, reason, true, dependent));
            assertThat(model.batching().evenIfDependent().kind()).isEqualTo(dependent ? Kind.ROWS : Kind.NONE);
        }
    }

    @Test
    void shouldNotBatchWhenTheShapeOfRowsDependsOnTheirNumber() {
        try (OnnxModel model = load("count_rows")) {
            assertThat(model.batching().kind()).isEqualTo(Kind.NONE);
            assertThat(model.batching().reason())
                    .isEqualTo("the shape of an output's rows depends on the number of rows");
        }
    }

    @Test
    void shouldNotBatchWhenTheProbeFails() {
        try (OnnxModel model = load("gather")) {
            assertThat(model.batching().kind()).isEqualTo(Kind.NONE);
            assertThat(model.batching().reason())
                    .startsWith("the probe's run failed: ")
                    .contains("out of data bounds");
            assertThat(model.signature().outputs())
                    .containsExactly(new TensorSpec("y", DataType.FP32, List.of(-1L, 4L)));
        }
    }

    @Test
    void shouldGiveOpenShapesToSequences() {
        try (OnnxModel model = load("sequence_of_maps")) {
            assertThat(model.signature().outputs())
                    .containsExactly(new TensorSpec("y", DataType.FP32, List.of(-1L, -1L)));
        }
    }

    @Test
    void shouldFindTheSameEveryTime() {
        for (String name : List.of("rows", "dynamically_quantized", "gather")) {
            try (OnnxModel first = load(name);
                    OnnxModel second = load(name)) {
                assertThat(first.batching()).isEqualTo(second.batching());
                assertThat(first.signature()).isEqualTo(second.signature());
            }
        }
    }

    @Test
    void shouldFailWhenTheFileIsNoModel() {
        assertThatThrownBy(() -> OnnxModel.load(file("rows").resolveSibling("make.py"), SessionSettings.DEFAULT))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("make.py");
    }
}
