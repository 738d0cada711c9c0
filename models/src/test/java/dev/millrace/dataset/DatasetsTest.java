// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files as rows of a model's inputs: what is read, and what is said of what cannot be.
class DatasetsTest {
    private static final Signature PAIR = signature(new TensorSpec("x", DataType.FP32, List.of(-1L, 2L)));

    @TempDir
    Path temp;

    private long held;

    @BeforeEach
    void remember() {
        held = NativeMemory.used(MemoryTag.CALL);
    }

    @AfterEach
    void shouldHoldNoMemory() {
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(held);
    }

    static Signature signature(TensorSpec... inputs) {
        return new Signature(List.of(inputs), List.of(new TensorSpec("y", DataType.FP32, List.of(-1L, 1L))));
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    /// All batches as text: shapes, elements and labels.
    static List<String> read(Dataset data, int rows) throws IOException {
        List<String> batches = new ArrayList<>();
        data.forEach(rows, batch -> {
            StringBuilder text = new StringBuilder();
            for (Tensor tensor : batch.inputs()) {
                text.append(Arrays.toString(tensor.shape())).append(elements(tensor));
            }
            batches.add(text + (batch.labels().length == 0 ? "" : " labels " + Arrays.toString(batch.labels())));
        });
        return batches;
    }

    private static List<String> elements(Tensor tensor) {
        List<String> elements = new ArrayList<>();
        for (int i = 0; i < tensor.elementCount(); i++) {
            elements.add(
                    tensor.datatype() == DataType.BYTES
                            ? tensor.getString(i)
                            : tensor.datatype().isFloating()
                                    ? Double.toString(tensor.getReal(i))
                                    : Long.toString(tensor.getLong(i)));
        }
        return elements;
    }

    private List<String> csv(String text, Signature signature, String label) throws IOException {
        return read(Datasets.open(file("data.csv", text), signature, Optional.ofNullable(label)), 2);
    }

    @Test
    void shouldTakeColumnsInOrderWhenTheyHaveOtherNames() throws IOException {
        assertThat(csv("a,label,b\n1,7,2\n3,8,4\n5,9,6\n", PAIR, "label"))
                .containsExactly("[2, 2][1.0, 2.0, 3.0, 4.0] labels [7.0, 8.0]", "[1, 2][5.0, 6.0] labels [9.0]");
    }

    @Test
    void shouldTakeColumnsByNameWhenTheyHaveThoseOfInputs() throws IOException {
        Signature two = signature(
                new TensorSpec("x", DataType.FP32, List.of(-1L, 2L)),
                new TensorSpec("n", DataType.INT64, List.of(-1L)));

        assertThat(csv("id,x_1,n,x_0,date\nA,2,5,1,today\n", two, null)).containsExactly("[1, 2][1.0, 2.0][1][5]");
        assertThat(csv("n,a,b\n5,1,2\n", two, null)).containsExactly("[1, 2][1.0, 2.0][1][5]");
        assertThat(csv("a,b,c\n1,2,5\n", two, null)).containsExactly("[1, 2][1.0, 2.0][1][5]");
    }

    @Test
    void shouldNotTakeAsAnElementWhatIsTheLabelOrAnotherInput() throws IOException {
        Signature open = signature(new TensorSpec("x", DataType.FP32, List.of(-1L, -1L)));
        Signature two = signature(
                new TensorSpec("x", DataType.FP32, List.of(-1L, -1L)),
                new TensorSpec("x_2", DataType.FP32, List.of(-1L, 1L)));

        assertThat(csv("x_0,x_1,x_2\n1,2,7\n", open, "x_2")).containsExactly("[1, 2][1.0, 2.0] labels [7.0]");
        assertThat(csv("x_0,x_1,x_2\n1,2,7\n", PAIR, "x_2")).containsExactly("[1, 2][1.0, 2.0] labels [7.0]");
        assertThat(csv("x_0,x_1,x_2\n1,2,7\n", open, null)).containsExactly("[1, 3][1.0, 2.0, 7.0]");
        assertThat(csv("x_0,x_1,x_2\n1,2,7\n", two, null)).containsExactly("[1, 2][1.0, 2.0][1, 1][7.0]");
    }

    @Test
    void shouldGiveRowsTheShapesThatTheModelTakes() throws IOException {
        assertThat(csv("a,b,c,d\n1,2,3,4\n", signature(new TensorSpec("x", DataType.FP32, List.of(-1L, 2L, 2L))), null))
                .containsExactly("[1, 2, 2][1.0, 2.0, 3.0, 4.0]");
        assertThat(csv("a,b\n1,2\n3,4\n", signature(new TensorSpec("x", DataType.FP32, List.of(1L, 2L))), null))
                .as("a batch that is fixed to 1")
                .containsExactly("[1, 2][1.0, 2.0]", "[1, 2][3.0, 4.0]");
        assertThat(csv("a,b,c\n1,2,3\n", signature(new TensorSpec("x", DataType.FP32, List.of(-1L, -1L))), null))
                .as("columns tell what the shape leaves open")
                .containsExactly("[1, 3][1.0, 2.0, 3.0]");
        assertThat(csv(
                        "v,x\n1,2\n",
                        signature(
                                new TensorSpec("x", DataType.FP32, List.of()),
                                new TensorSpec("v", DataType.FP32, List.of(-1L))),
                        null))
                .as("a scalar: each line is a request")
                .containsExactly("[][2.0][1][1.0]");
    }

    @Test
    void shouldReadFieldsInQuotes() throws IOException {
        Signature texts = signature(new TensorSpec("s", DataType.BYTES, List.of(-1L, 2L)));

        assertThat(csv("\"s_0\",s_1\r\n\"a,b\",\"say \"\"so\"\"\"\r\n\"two\r\nlines\",\"\"\r\n", texts, null))
                .containsExactly("[2, 2][a,b, say \"so\", two\r\nlines, ]");
        assertThat(csv("s_0,s_1\nin \"it\",ü€😀", texts, null))
                .as("quotes within a field, and no end of the last line")
                .containsExactly("[1, 2][in \"it\", ü€😀]");
    }

    @Test
    void shouldReadEveryEndOfLineAndAByteOrderMark() throws IOException {
        assertThat(csv("\uFEFFa,b\r\n1,2\r\n\r\n\n3,4\r5,6", PAIR, null))
                .containsExactly("[2, 2][1.0, 2.0, 3.0, 4.0]", "[1, 2][5.0, 6.0]");
        assertThat(csv("\uFEFFx_1,x_0\n1,2\n", PAIR, null)).containsExactly("[1, 2][2.0, 1.0]");
    }

    @Test
    void shouldReadEmptyLinesAsFieldsWhenThereIsOneColumn() throws IOException {
        Signature one = signature(new TensorSpec("x", DataType.FP32, List.of(-1L, 1L)));
        Signature whole = signature(new TensorSpec("x", DataType.INT32, List.of(-1L, 1L)));

        assertThat(csv("a\n1\n\n3\n\n", one, null)).containsExactly("[2, 1][1.0, NaN]", "[1, 1][3.0]");
        assertThat(csv("\n\na\r\n\r\n\r\n1\r\n\r\n\r\n", one, null))
                .as("those at the beginning and at the end are none")
                .containsExactly("[2, 1][NaN, NaN]", "[1, 1][1.0]");
        assertThat(csv("s\n\na\n", signature(new TensorSpec("s", DataType.BYTES, List.of(-1L, 1L))), null))
                .containsExactly("[2, 1][, a]");
        assertWrong("a\n1\n\n\n3\n", whole, null, "line 3, column 'a': nothing came, expected an integer (INT32)");
        assertWrong("a\n\n1\n2\nx\n", one, null, "line 5, column 'a': 'x' came, expected a number");
    }

    @Test
    void shouldReadNumbersAsProgramsWriteThem() throws IOException {
        assertThat(csv("a,b\nNaN,nan\n, inf \n-Infinity,+1.5e-3\n.5,-0\n", PAIR, null))
                .containsExactly(
                        "[2, 2][NaN, NaN, NaN, Infinity]", "[2, 2][-Infinity, " + (double) 0.0015f + ", 0.5, -0.0]");
        Signature whole = signature(new TensorSpec("x", DataType.INT8, List.of(-1L, 2L)));
        assertThat(csv("a,b\n-128,127.0\ntrue,1e2\n", whole, null)).containsExactly("[2, 2][-128, 127, 1, 100]");
        Signature big = signature(new TensorSpec("x", DataType.UINT64, List.of(-1L, 1L)));
        assertThat(csv("a\n18446744073709551615\n", big, null)).containsExactly("[1, 1][-1]");
    }

    @Test
    void shouldRoundOnceWhenATextIsBetweenTwoFloats() throws IOException {
        // Halfway between two floats but for a digit that a double does not hold.
        String text = "1.00000005960464477539062500000000001";

        assertThat(csv("a,b\n" + text + "," + text + "\n", PAIR, null).getFirst())
                .contains(Double.toString(Float.parseFloat(text)))
                .doesNotContain("[1.0,");
    }

    @Test
    void shouldSayWhichValueIsWrong() {
        assertWrong("a,b\n1,2\n3,four\n", PAIR, null, "line 3, column 'b': 'four' came, expected a number (FP32)");
        assertWrong("a,b\n1,0x10\n", PAIR, null, "line 2, column 'b': '0x10' came, expected a number");
        assertWrong("a,b\n1,1f\n", PAIR, null, "line 2, column 'b': '1f' came, expected a number");
        assertWrong(
                "a,b\n1e39,1\n", PAIR, null, "line 2, column 'a': '1e39' came, expected a number that FP32 can hold");
        assertWrong("a,b\n\"1\n2\",3\n", PAIR, null, "line 2, column 'a': '1\n2' came");
        assertWrong("a,b,y\n1,2,\n", PAIR, "y", "line 2, column 'y': nothing came, expected a number");
        assertWrong("a,b,y\n1,2,cat\n", PAIR, "y", "line 2, column 'y': 'cat' came, expected a number");
        Signature whole = signature(new TensorSpec("x", DataType.UINT8, List.of(-1L, 1L)));
        assertWrong("a\n256\n", whole, null, "'256' came, expected an integer from 0 to 255 (UINT8)");
        assertWrong("a\n1.5\n", whole, null, "'1.5' came, expected an integer (UINT8)");
        assertWrong("a\n1e999999\n", whole, null, "'1e999999' came, expected an integer (UINT8)");
        assertWrong("a\n\"\"\n", whole, null, "nothing came, expected an integer (UINT8)");
    }

    @Test
    void shouldSayWhichLineIsWrong() {
        assertWrong("a,b\n1,2\n\n3\n", PAIR, null, "line 4: 1 fields came, expected 2 as the first line has");
        assertWrong("a,b\n1,\"2\n\n", PAIR, null, "line 2: field 2 begins with a quote that has no end");
        assertWrong("a,b\n1,\"2\"3\n", PAIR, null, "line 2: '3' came behind the quotes of field 2, expected ','");
        Signature three = signature(new TensorSpec("x", DataType.FP32, List.of(3L, 1L)));
        assertWrong("a\n1\n2\n3\n4\n", three, null, "1 rows are left at the end, expected a multiple of 3");
    }

    @Test
    void shouldSayWhichColumnsAreWrong() {
        assertWrong("", PAIR, null, "it is empty, expected the names of columns in the first line");
        assertWrong("1,2\n3,4\n", PAIR, null, "line 1: numbers came, expected the names of columns");
        assertWrong("a,a\n", PAIR, null, "two columns are called 'a'");
        assertWrong(
                "a,b,c\n",
                PAIR,
                null,
                "it has 3 columns for values: [a, b, c]; expected 2 columns for input 'x' of shape [-1, 2]"
                        + " (in order, or 'x_0' to 'x_1')");
        assertWrong("x_0,x_1,x_2\n", PAIR, null, "the columns 'x_0' to 'x_2' are 3, expected 2 columns for input 'x'");
        assertWrong("a,b\n", PAIR, "y", "there is no column 'y', expected one with labels; there are [a, b]");
        Signature open = signature(new TensorSpec("x", DataType.FP32, List.of(-1L, -1L, -1L)));
        assertWrong("a,b\n", open, null, "which leaves open how many");
    }

    private void assertWrong(String text, Signature signature, String label, String message) {
        assertThatThrownBy(() -> csv(text, signature, label))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageStartingWith(temp.resolve("data.csv") + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void shouldReadCompressedAndTabSeparatedText() throws IOException {
        Path packed = temp.resolve("data.TSV.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write("a\tb\n1\t2\n".getBytes(StandardCharsets.UTF_8));
        }

        assertThat(read(Datasets.open(packed, PAIR, Optional.empty()), 1)).containsExactly("[1, 2][1.0, 2.0]");
    }

    @Test
    void shouldRefuseFilesThatAreNotWhatTheirNamesSay() throws IOException {
        Path plain = file("data.csv.gz", "a,b\n1,2\n");
        Path latin = Files.write(temp.resolve("latin.csv"), "a,b\n1,\u00fc\n".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> Datasets.open(plain, PAIR, Optional.empty()))
                .hasMessage(plain + ": it is not compressed by gzip, as its name says");
        assertThatThrownBy(() -> read(Datasets.open(latin, PAIR, Optional.empty()), 1))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageContaining("is not UTF-8");
        assertThatThrownBy(() -> Datasets.open(file("data.xls", ""), PAIR, Optional.empty()))
                .hasMessageContaining("its name does not tell what it is, expected .csv");
        assertThatThrownBy(() -> Datasets.open(temp.resolve("none.csv"), PAIR, Optional.empty()))
                .isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void shouldRefuseCompressedFilesThatAreCutOff() throws IOException {
        Path cut = temp.resolve("data.csv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(cut))) {
            out.write(("a,b\n" + "1,2\n".repeat(1000)).getBytes(StandardCharsets.UTF_8));
        }
        byte[] bytes = Files.readAllBytes(cut);
        Files.write(cut, Arrays.copyOf(bytes, bytes.length - 12));

        assertThatThrownBy(() -> read(Datasets.open(cut, PAIR, Optional.empty()), 1))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageContaining("cannot be read: ");
    }

    @Test
    void shouldReadTheSameAgain() throws IOException {
        Dataset data = Datasets.open(file("data.csv", "a,b\n1,2\n3,4\n"), PAIR, Optional.empty());

        assertThat(read(data, 1)).isEqualTo(read(data, 1)).hasSize(2);
    }

    @Test
    void shouldFreeItsMemoryWhenTheSinkFails() throws IOException {
        Dataset data = Datasets.open(file("data.csv", "a,b\n1,2\n3,4\n"), PAIR, Optional.empty());

        assertThatThrownBy(() -> data.forEach(1, _ -> {
                    throw new IOException("full");
                }))
                .hasMessage("full");
    }

    private static String request(String... inputs) {
        return "{\"id\":\"1\",\"inputs\":[" + String.join(",", inputs) + "],\"parameters\":{\"timeout\":5}}\n";
    }

    private static String input(String name, String type, String shape, String data) {
        return "{\"name\":\"" + name + "\",\"shape\":" + shape + ",\"datatype\":\"" + type + "\",\"data\":" + data
                + "}";
    }

    private List<String> lines(String text, Signature signature, String label, int rows) throws IOException {
        return read(Datasets.open(file("data.jsonl", text), signature, Optional.ofNullable(label)), rows);
    }

    @Test
    void shouldPutRowsOfRequestsTogether() throws IOException {
        String text = request(input("x", "FP32", "[1,2]", "[1,2]"), input("label", "INT64", "[1]", "[7]"))
                + "\n"
                + request(
                        input("label", "BOOL", "[3]", "[true,false,true]"),
                        input("x", "FP32", "[3,2]", "[[3,4],[5,6],[7,NaN]]"));

        assertThat(lines(text, PAIR, "label", 3))
                .containsExactly(
                        "[3, 2][1.0, 2.0, 3.0, 4.0, 5.0, 6.0] labels [7.0, 1.0, 0.0]", "[1, 2][7.0, NaN] labels [1.0]");
    }

    @Test
    void shouldKeepRequestsApartWhenTheirRowsAreNotAlike() throws IOException {
        Signature open = signature(new TensorSpec("x", DataType.BYTES, List.of(-1L, -1L)));
        String text = request(input("x", "BYTES", "[1,2]", "[\"a\",\"b\"]"))
                + request(input("x", "BYTES", "[2,1]", "[\"c\",\"d\"]"))
                + request(input("x", "BYTES", "[1,1]", "[\"e\"]"));

        assertThat(lines(text, open, null, 9)).containsExactly("[1, 2][a, b]", "[3, 1][c, d, e]");
    }

    @Test
    void shouldKeepRequestsWholeWhenOutputsHaveNoRows() throws IOException {
        Signature whole = new Signature(PAIR.inputs(), List.of(new TensorSpec("y", DataType.FP32, List.of(5L))));
        String text = request(input("x", "FP32", "[1,2]", "[1,2]")) + request(input("x", "FP32", "[2,2]", "[1,2,3,4]"));

        assertThat(lines(text, whole, null, 1)).containsExactly("[1, 2][1.0, 2.0]", "[2, 2][1.0, 2.0, 3.0, 4.0]");
    }

    @Test
    void shouldKeepRequestsWholeWhenRowsAffectEachOther() throws IOException {
        Path requests = file(
                "data.jsonl",
                request(input("x", "FP32", "[1,2]", "[1,2]")) + request(input("x", "FP32", "[2,2]", "[1,2,3,4]")));
        Path table = file("data.csv", "a,b\n1,2\n3,4\n");

        assertThat(read(Datasets.open(requests, PAIR, Optional.empty(), Batching.Kind.NONE), 8))
                .containsExactly("[1, 2][1.0, 2.0]", "[2, 2][1.0, 2.0, 3.0, 4.0]");
        assertThat(read(Datasets.open(table, PAIR, Optional.empty(), Batching.Kind.NONE), 8))
                .containsExactly("[1, 2][1.0, 2.0]", "[1, 2][3.0, 4.0]");
        assertThat(read(Datasets.open(table, PAIR, Optional.empty(), Batching.Kind.ROWS), 8))
                .containsExactly("[2, 2][1.0, 2.0, 3.0, 4.0]");
    }

    @Test
    void shouldReadLinesAsRowsWhenAModelTakesAFixedNumber() throws IOException {
        Path table = file("data.csv", "a,b\n1,2\n3,4\n");
        TensorSpec pairs = new TensorSpec("x", DataType.FP32, List.of(2L, 2L));
        TensorSpec pair = new TensorSpec("x", DataType.FP32, List.of(2L));
        Signature rows = new Signature(List.of(pairs), List.of(new TensorSpec("y", DataType.FP32, List.of(2L, 1L))));
        Signature none = new Signature(List.of(pair), List.of(new TensorSpec("y", DataType.FP32, List.of(1L))));

        for (Batching.Kind kind : Batching.Kind.values()) {
            assertThat(read(Datasets.open(table, rows, Optional.empty(), kind), 8))
                    .as("%s", kind)
                    .containsExactly("[2, 2][1.0, 2.0, 3.0, 4.0]");
            assertThat(read(Datasets.open(table, none, Optional.empty(), kind), 8))
                    .as("%s, outputs of which are no rows", kind)
                    .containsExactly("[2][1.0, 2.0]", "[2][3.0, 4.0]");
        }
    }

    @Test
    void shouldSayWhatIsWrongWithARequest() {
        assertWrongLine("{\"inputs\":[]}", "line 1: it has no input 'x', expected all of the model's: [x]");
        assertWrongLine("{}", "line 1: inputs is missing");
        assertWrongLine("{", "line 1: at character 2: expected '\"', came the end");
        assertWrongLine("\n\n[]", "line 3: at character 1: expected '{'");
        assertWrongLine(request(input("z", "FP32", "[1,2]", "[1,2]")), "inputs[0].name is 'z', expected one of [x]");
        assertWrongLine(request(input("x", "FP64", "[1,2]", "[1,2]")), "inputs[0].datatype is FP64, expected FP32");
        assertWrongLine(
                request(input("x", "FP32", "[1,3]", "[1,2,3]")),
                "inputs[0].shape is [1, 3], expected [-1, 2] of input 'x'");
        assertWrongLine(
                request(input("x", "FP32", "[-1,2]", "[1,2]")), "inputs[0].shape[0] is -1, expected an integer from 0");
        assertWrongLine(
                request(input("x", "FP32", "[999999999,2]", "[1,2]")), "expected no more elements than .data has");
        assertWrongLine(
                request(input("x", "FP32", "[1,2]", "[1,2,3]")),
                "inputs[0].data has 3 elements, expected 2 as its shape [1, 2] says");
        assertWrongLine(
                request(input("x", "FP32", "[1,2]", "[1,\"2\"]")), "inputs[0].data[1] is a text, expected FP32");
        assertWrongLine(
                request(input("x", "FP32", "[1,2]", "[1,null]")).replace("null", "nil"),
                "inputs[0].data[1]: 'nil' came, expected a number (FP32)");
        assertWrongLine(request(input("x", "FP32", "[1,2]", "[".repeat(60) + "]".repeat(60))), "nested deeper than");
    }

    private void assertWrongLine(String text, String message) {
        assertThatThrownBy(() -> lines(text, PAIR, null, 1))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageStartingWith(temp.resolve("data.jsonl") + ": line ")
                .hasMessageContaining(message);
    }

    @Test
    void shouldSayWhichLabelsAreMissing() {
        String without = request(input("x", "FP32", "[2,2]", "[1,2,3,4]"));
        String few = request(input("x", "FP32", "[2,2]", "[1,2,3,4]"), input("label", "INT32", "[1]", "[1]"));

        assertThatThrownBy(() -> lines(without, PAIR, "label", 1))
                .hasMessageContaining("line 1: it has no input 'label', expected one with labels");
        assertThatThrownBy(() -> lines(few, PAIR, "label", 1))
                .hasMessageContaining("line 1: labels 'label' are 1, expected 2, one for each row");
    }

    @Test
    void shouldCountLabelsWhenALineIsARequest() throws IOException {
        String few = request(input("x", "FP32", "[2,2]", "[1,2,3,4]"), input("label", "INT32", "[1]", "[1]"));
        String all = few.replace("\"shape\":[1]", "\"shape\":[2]").replace("[1]}", "[1,0]}");
        Path wrong = file("wrong.jsonl", few);
        Path right = file("right.jsonl", all);

        assertThatThrownBy(() -> read(Datasets.open(wrong, PAIR, Optional.of("label"), Batching.Kind.NONE), 1))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageContaining("line 1: labels 'label' are 1, expected 2, one for each row");
        assertThat(read(Datasets.open(right, PAIR, Optional.of("label"), Batching.Kind.NONE), 1))
                .containsExactly("[2, 2][1.0, 2.0, 3.0, 4.0] labels [1.0, 0.0]");
    }

    @Test
    void shouldTakeOneLabelWhenARequestHasNoRows() throws IOException {
        Signature vector = new Signature(
                List.of(new TensorSpec("x", DataType.FP32, List.of(2L))),
                List.of(new TensorSpec("y", DataType.FP32, List.of(1L))));
        String one = request(input("x", "FP32", "[2]", "[1,2]"), input("label", "INT32", "[1]", "[1]"));
        String two = request(input("x", "FP32", "[2]", "[1,2]"), input("label", "INT32", "[2]", "[1,1]"));

        assertThat(lines(one, vector, "label", 1)).containsExactly("[2][1.0, 2.0] labels [1.0]");
        assertThatThrownBy(() -> lines(two, vector, "label", 1))
                .hasMessageContaining("line 1: labels 'label' are 2, expected 1, one for each row");
    }
}
