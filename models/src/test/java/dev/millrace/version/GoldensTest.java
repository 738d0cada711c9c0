// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.NativeMemory;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Goldens for models that answer with what they are asked, so that any answer is easily known.
class GoldensTest {
    @TempDir
    Path folder;

    private long used;

    @BeforeEach
    void measureMemory() {
        used = NativeMemory.used();
    }

    @AfterEach
    void memoryIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(used);
    }

    private static OnnxSession identity(int type, long... dims) {
        return OnnxSession.open(
                model(17, node("Identity", names("x"), names("y")), input("x", type, dims), output("y", type, dims)),
                SessionSettings.DEFAULT);
    }

    private void golden(String name, String request, String answer) throws IOException {
        Path goldens = Files.createDirectories(folder.resolve("goldens"));
        Files.writeString(goldens.resolve(name + ".request.json"), request);
        Files.writeString(goldens.resolve(name + ".expected.json"), answer);
    }

    /// A request and an answer of one tensor.
    private void golden(String name, DataType type, String shape, String sent, String expected) throws IOException {
        String tensor = "\"datatype\":\"" + type + "\",\"shape\":" + shape + ",\"data\":";
        golden(
                name,
                "{\"inputs\":[{\"name\":\"x\"," + tensor + sent + "}]}",
                "{\"outputs\":[{\"name\":\"y\"," + tensor + expected + "}]}");
    }

    private void check(int type, long... dims) throws IOException {
        try (OnnxSession session = identity(type, dims)) {
            Goldens.of(folder).check(session, MemoryBudget.UNLIMITED);
        }
    }

    @Test
    void shouldPassWhenTheExampleModelIsTheOneTheyWereMadeFor() throws IOException {
        Path version = Path.of("zoo/fraud/1");
        try (OnnxSession session = OnnxSession.open(version.resolve("model.onnx"), SessionSettings.DEFAULT)) {
            Goldens goldens = Goldens.of(version);
            assertThat(goldens.count()).isGreaterThan(4);
            goldens.check(session, MemoryBudget.UNLIMITED);
        }
    }

    @Test
    void shouldBeNoneWhereThereAreNone() throws IOException {
        Files.createDirectories(folder.resolve("test_data_set_x"));
        Files.createFile(folder.resolve("test_data_set_1"));
        assertThat(Goldens.of(folder).count()).isZero();
        assertThat(Goldens.of(folder.resolve("nothing")).count()).isZero();
        check(1, -1, 2);
    }

    /// Any value of any type comes through as it is, and one that differs is found.
    @ParameterizedTest
    @EnumSource(DataType.class)
    void shouldTellEveryValueFromEveryOther(DataType type) throws IOException {
        SplittableRandom random = new SplittableRandom(type.ordinal());
        for (int round = 0; round < 5; round++) {
            String[] values =
                    IntStream.range(0, 12).mapToObj(i -> value(type, random)).toArray(String[]::new);
            golden("a", type, "[3,2,2]", list(values), nested(values));
            check(type.onnxCode(), -1, 2, 2);
            int at = random.nextInt(12);
            String before = values[at];
            while (values[at].equals(before)) {
                values[at] = value(type, random);
            }
            golden("a", type, "[3,2,2]", nested(values), "[" + list(before, values, at) + "]");
            long[] place = {at / 4, at / 2 % 2, at % 2};
            assertThatThrownBy(() -> check(type.onnxCode(), -1, 2, 2))
                    .as("seed %d, round %d", type.ordinal(), round)
                    .isInstanceOf(GoldenMismatch.class)
                    .hasMessageStartingWith("goldens/a.expected.json: output 'y' element [" + place[0] + ", " + place[1]
                            + ", " + place[2] + "] is ");
        }
    }

    private static String list(String... values) {
        return "[" + String.join(",", values) + "]";
    }

    private static String list(String other, String[] values, int at) {
        String[] changed = values.clone();
        changed[at] = other;
        return String.join(" ,\n", changed);
    }

    private static String nested(String... values) {
        return IntStream.range(0, 3)
                .mapToObj(i -> "[[" + values[4 * i] + "," + values[4 * i + 1] + "],[" + values[4 * i + 2] + ","
                        + values[4 * i + 3] + "]]")
                .collect(Collectors.joining(",", "[", "]"));
    }

    /// Values that differ do so by more than the tolerance.
    private static String value(DataType type, SplittableRandom random) {
        return switch (type) {
            case BOOL -> Boolean.toString(random.nextBoolean());
            case FP16, BF16 -> Integer.toString(random.nextInt(-100, 100));
            case FP32, FP64 ->
                switch (random.nextInt(8)) {
                    case 0 -> "NaN";
                    case 1 -> "-Infinity";
                    default -> Double.toString(random.nextInt(-1000, 1000) * Math.pow(10, random.nextInt(-3, 30)));
                };
            case BYTES -> "\"" + escaped(random) + "\"";
            case UINT8, UINT16, UINT32, UINT64 ->
                new BigInteger(Long.toUnsignedString(random.nextLong()))
                        .mod(BigInteger.ONE.shiftLeft(8 * type.byteSize()))
                        .toString();
            default -> Long.toString(random.nextLong() >> (64 - 8 * type.byteSize()));
        };
    }

    private static String escaped(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            text.append(
                    switch (random.nextInt(5)) {
                        case 0 -> "\\u00e9";
                        case 1 -> "\\n\\\"\\\\\\/";
                        case 2 -> "\ud83d\ude00";
                        case 3 -> "\\ud83d\\ude00";
                        default -> Character.toString(random.nextInt('a', 'z'));
                    });
        }
        return text.toString();
    }

    @Test
    void shouldHoldFloatsToTheTolerance() throws IOException {
        String request = "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1.0,100.0]}]}";
        String answer = "\"outputs\":[{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[%s,%s]}]}";
        golden("a", request, "{\"atol\":0.5,\"rtol\":0.01," + answer.formatted("1.4", "101.4"));
        check(1, 2);
        golden("a", request, "{\"atol\":0.5,\"rtol\":0.01," + answer.formatted("1.4", "101.6"));
        assertThatThrownBy(() -> check(1, 2))
                .hasMessage("goldens/a.expected.json: output 'y' element [1] is 100.0, expected 101.6 within 0.5 + 0.01"
                        + " of it");
        golden("a", request, "{" + answer.formatted("1.0009", "100.09"));
        check(1, 2);
        golden("a", request, "{" + answer.formatted("1.0", "100.11"));
        assertThatThrownBy(() -> check(1, 2)).hasMessageContaining("within 1.0E-7 + 0.001 of it");
        golden("a", request, "{\"atol\":1e9," + answer.formatted("NaN", "100"));
        assertThatThrownBy(() -> check(1, 2)).hasMessageContaining("is 1.0, expected NaN");
        golden("a", request, "{\"atol\":1e9," + answer.formatted("1", "Infinity"));
        assertThatThrownBy(() -> check(1, 2)).hasMessageContaining("is 100.0, expected Infinity");
    }

    @Test
    void shouldCompareShapesAndOnlyTheOutputsThatAreNamed() throws IOException {
        golden("a", DataType.INT32, "[2,1]", "[1,2]", "[1,2]");
        Path answer = folder.resolve("goldens/a.expected.json");
        Files.writeString(answer, Files.readString(answer).replace("[2,1]", "[1,2]"));
        assertThatThrownBy(() -> check(6, -1, -1))
                .isInstanceOf(GoldenMismatch.class)
                .hasMessage("goldens/a.expected.json: output 'y' has the shape [2, 1], expected [1, 2]");
        Files.writeString(answer, "{\"outputs\":[]}");
        check(6, -1, -1);
    }

    @Test
    void shouldSayThatTheModelFails() throws IOException {
        golden("a", DataType.INT32, "[3]", "[1,2,3]", "[1,2,3]");
        assertThatThrownBy(() -> check(6, 2))
                .isInstanceOf(GoldenMismatch.class)
                .hasMessageStartingWith("goldens/a: the model failed, expected an answer: ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]                         | at character 1: expected '{', came '['",
                "{\"inputs\":[}             | at character 12: expected '{', came '}'",
                "{\"inputs\":[]} x          | at character 15: expected the end, came 'x'",
                "{\"inputs\":[{}]}          | inputs[0].name is missing",
                "{\"other\":[[1,{\"a\":null}]]} | it has no inputs, expected a list of them",
                "{\"inputs\":[]}            | has no input 'x', expected all of the model's",
                "{\"inputs\":[{\"name\":\"z\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[1]}]} "
                        + "| inputs[0].name is 'z', expected one of [x]",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT64\",\"shape\":[1],\"data\":[1]}]} "
                        + "| inputs[0].datatype is INT64, expected INT32 as the model has it",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[-1],\"data\":[1]}]} "
                        + "| inputs[0].shape[0] is -1, expected an integer from 0 to 9223372036854775807",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[2],\"data\":[1]}]} "
                        + "| inputs[0].data has 1 elements, expected 2 as its shape [2] says",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[1,[2,3]]}]} "
                        + "| inputs[0].data has 3 elements, expected 1 as its shape [1] says",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[9999999999,9999999999],\"data\":[1]}]}"
                        + " | inputs[0].shape is [9999999999, 9999999999], expected no more elements than",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[1.5]}]} "
                        + "| inputs[0].data[0] is 1.5, expected an integer from -2147483648 to 2147483647",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[2147483648]}]} "
                        + "| inputs[0].data[0] is 2147483648, expected an integer from -2147483648 to 2147483647",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[null]}]} "
                        + "| inputs[0].data[0] is null, expected an integer",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[\"1\"]}]} "
                        + "| inputs[0].data[0] is no number, expected one of type INT32",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":1}]} "
                        + "| inputs[0].data is no list, expected one of the elements",
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1]}]} | inputs[0].data is missing",
                "{\"inputs\":[{\"name\":\"\\x\"}]} | at character 23: no such escape in a text",
                "{\"inputs\":[{\"name\":\"x | at character 22: a text has no end, came the end",
            })
    void shouldNameFileAndFieldWhenARequestIsWrong(String request, String message) throws IOException {
        golden("a", request, "{\"outputs\":[]}");
        assertThatThrownBy(() -> check(6, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("goldens/a.request.json")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"outputs\":[],\"atol\":-1}      | atol is -1, expected 0 or more",
                "{\"outputs\":[],\"rtol\":NaN}     | rtol is NaN, expected 0 or more",
                "{\"outputs\":[],\"rtol\":\"1\"}   | at character 22: expected a value",
                "{\"outputs\":[{\"name\":\"x\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[1]}]} "
                        + "| outputs[0].name is 'x', expected one of [y]",
            })
    void shouldNameFileAndFieldWhenAnAnswerIsWrong(String answer, String message) throws IOException {
        golden("a", DataType.INT32, "[1]", "[1]", "[1]");
        Files.writeString(folder.resolve("goldens/a.expected.json"), answer);
        assertThatThrownBy(() -> check(6, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("goldens/a.expected.json: " + message);
    }

    @Test
    void shouldWantBothFilesOfAPair() throws IOException {
        Files.createDirectories(folder.resolve("goldens"));
        Files.writeString(folder.resolve("goldens/a.b.expected.json"), "{}");
        assertThatThrownBy(() -> Goldens.of(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("goldens/a.b.request.json is missing, expected it beside the other of the pair");
    }

    @Test
    void shouldRefuseWhatIsNoText() throws IOException {
        golden("a", DataType.INT32, "[1]", "[1]", "[1]");
        Files.write(folder.resolve("goldens/a.request.json"), new byte[] {'{', (byte) 0xff});
        assertThatThrownBy(() -> check(6, -1)).hasMessage("goldens/a.request.json is not UTF-8");
    }

    /// Mutilated files are refused or pass, but nothing else happens.
    @Test
    void shouldSurviveAnyBytes() throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        golden("a", DataType.INT32, "[2]", "[1,2]", "[1,2]");
        tensors(0, pb(DataType.INT32, raw(1, 2), 2), pb(DataType.INT32, raw(1, 2), 2));
        Path[] files = {
            folder.resolve("goldens/a.request.json"),
            folder.resolve("goldens/a.expected.json"),
            folder.resolve("test_data_set_0/input_0.pb"),
            folder.resolve("test_data_set_0/output_0.pb")
        };
        try (OnnxSession session = identity(6, -1)) {
            for (int i = 0; i < 1000; i++) {
                Path file = files[random.nextInt(files.length)];
                byte[] whole = Files.readAllBytes(file);
                byte[] bytes = whole.clone();
                for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                }
                Files.write(file, bytes);
                try {
                    Goldens.of(folder).check(session, MemoryBudget.UNLIMITED);
                } catch (GoldenMismatch | IllegalArgumentException e) {
                    assertThat(e.getMessage()).as("case %d", i).isNotBlank();
                }
                assertThat(NativeMemory.used()).as("case %d", i).isEqualTo(used);
                Files.write(file, whole);
            }
        }
    }

    private static byte[] pb(DataType type, byte[] data, long... dims) {
        ByteArrayOutputStream shape = new ByteArrayOutputStream();
        for (long dim : dims) {
            shape.writeBytes(field(1, dim));
        }
        return Proto.join(shape.toByteArray(), field(2, type.onnxCode()), data);
    }

    private static byte[] raw(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return field(9, bytes.array());
    }

    private static byte[] packed(int field, long... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long value : values) {
            Proto.varint(out, value);
        }
        return field(field, out.toByteArray());
    }

    private void tensors(int set, byte[] input, byte[] output) throws IOException {
        Path data = Files.createDirectories(folder.resolve("test_data_set_" + set));
        Files.write(data.resolve("input_0.pb"), input);
        Files.write(data.resolve("output_0.pb"), output);
    }

    @Test
    void shouldReadTensorsHoweverTheirElementsAreWritten() throws IOException {
        byte[] floats = field(
                4,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putFloat(1.5f)
                        .putFloat(-2)
                        .array());
        tensors(0, pb(DataType.FP32, floats, 2), pb(DataType.FP32, raw(0x3fc00000, 0xc0000000), 2));
        check(1, -1);
        tensors(0, pb(DataType.INT64, packed(7, -1, 300), 2), pb(DataType.INT64, raw(-1, -1, 300, 0), 2));
        check(7, -1);
        tensors(0, pb(DataType.INT32, packed(5, -1, 300), 2), pb(DataType.INT32, raw(-1, 300), 2));
        check(6, -1);
        byte[] single = Proto.join(field(5, 7), field(5, 8));
        tensors(0, pb(DataType.INT8, single, 2), pb(DataType.INT8, field(9, new byte[] {7, 8}), 2));
        check(3, -1);
        tensors(0, pb(DataType.UINT32, packed(11, 0xFFFF_FFFFL), 1), pb(DataType.UINT32, raw(-1), 1));
        check(12, -1);
        byte[] doubles = field(
                10,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putDouble(Math.PI)
                        .array());
        tensors(0, pb(DataType.FP64, doubles), pb(DataType.FP64, doubles));
        check(11);
        byte[] texts = Proto.join(field(6, "a"), field(6, new byte[] {(byte) 0xff}));
        tensors(0, pb(DataType.BYTES, texts, 2), pb(DataType.BYTES, texts, 2));
        check(8, -1);
    }

    @Test
    void shouldNameFileAndElementWhenATensorDiffers() throws IOException {
        tensors(0, pb(DataType.INT32, raw(1, 2), 2), pb(DataType.INT32, raw(1, 2), 2));
        tensors(3, pb(DataType.INT32, raw(1, 2), 2), pb(DataType.INT32, raw(1, 3), 2));
        assertThatThrownBy(() -> check(6, -1))
                .isInstanceOf(GoldenMismatch.class)
                .hasMessage("test_data_set_3/output_0.pb: output 'y' element [1] is 2, expected 3");
    }

    @Test
    void shouldNameTheFileWhenATensorIsWrong() throws IOException {
        byte[] good = pb(DataType.INT32, raw(1, 2), 2);
        String input = "test_data_set_0/input_0.pb";
        assertWrong("no tensor".getBytes(StandardCharsets.UTF_8), input + " is no TensorProto");
        assertWrong(pb(DataType.INT64, packed(7, 1), 1), input + " has elements of INT64, expected INT32");
        assertWrong(pb(DataType.INT32, raw(1, 2, 3), 2), input + " has 12 bytes of raw_data, expected 8 for the");
        assertWrong(pb(DataType.INT32, packed(5, 1, 2, 3), 2), input + " has more than 2 elements, expected");
        assertWrong(pb(DataType.INT32, packed(5, 1), 2), input + " has 1 elements, expected 2 as its shape [2] says");
        assertWrong(pb(DataType.INT32, raw(1), 1L << 40), input + " has the shape [1099511627776], expected");
        assertWrong(pb(DataType.INT32, field(14, 1), 1), input + " has its elements elsewhere, expected them in it");
        tensors(0, good, good);
        Files.write(folder.resolve("test_data_set_0/input_1.pb"), good);
        assertThatThrownBy(() -> check(6, -1))
                .hasMessage("test_data_set_0/input_1.pb is one too many, the model has 1 inputs");
        Files.delete(folder.resolve("test_data_set_0/input_1.pb"));
        Files.delete(folder.resolve(input));
        assertThatThrownBy(() -> check(6, -1))
                .hasMessage("test_data_set_0 has no input_0.pb, expected one for input 'x'");
    }

    private void assertWrong(byte[] input, String message) throws IOException {
        tensors(0, input, pb(DataType.INT32, raw(1, 2), 2));
        assertThatThrownBy(() -> check(6, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }
}
