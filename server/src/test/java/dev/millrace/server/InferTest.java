// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.millrace.json.JsonWriter;
import dev.millrace.server.TestServer.Reply;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the Open Inference Protocol lets a client send, and what comes back.
class InferTest {
    private static final String LINEAR_DATA = "'data':[1,2,3,4,5,6,7,8]";
    private static final String LINEAR_ANSWER = "30.5,0.5,70.5,-0.5";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String linear(String data) {
        return Bodies.json("{'inputs':[{'name':'x','shape':[2,4],'datatype':'FP32'," + data + "}]}");
    }

    @Test
    void shouldAnswerWithEverythingThatTheProtocolAsksFor() {
        Reply reply = server.infer("linear", linear(LINEAR_DATA));

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.response().headers().firstValue("Content-Type")).contains("application/json");
        assertThat(reply.body())
                .isEqualTo(Bodies.json("{'model_name':'linear','model_version':'1','outputs':[{'name':'y',"
                        + "'datatype':'FP32','shape':[2,2],'data':[" + LINEAR_ANSWER + "]}]}"));
        assertThat(server.infer("linear/versions/1", linear(LINEAR_DATA)).body())
                .isEqualTo(reply.body());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'data':[[1,2,3,4],[5,6,7,8]]",
                "'data' : [ [1.0 , 2e0,3,4 ] ,\n\t[5,6,7,8.000] ]",
                "'data':[1,2,3,4,5,6,7,8],'more':{'a':[{}]}",
                "'parameters':{'more':[{}]},'data':[1,2,3,4,5,6,7,8],'parameters':null",
            })
    void shouldTakeDataFlatAndNested(String data) {
        assertThat(server.infer("linear", linear(data)).data()).isEqualTo(LINEAR_ANSWER);
    }

    @Test
    void shouldTakeKeysInAnyOrder() {
        List<String> members = List.of("'name':'x'", "'shape':[2,4]", "'datatype':'FP32'", LINEAR_DATA);
        for (List<String> order : permutations(members)) {
            String input = Bodies.json("{" + String.join(",", order) + "}");
            assertThat(server.infer("linear", Bodies.request(input)).data())
                    .as(input)
                    .isEqualTo(LINEAR_ANSWER);
            assertThat(server.infer("linear", Bodies.json("\uFEFF {'é':1, 'inputs' : [ ") + input + " ] }\n")
                            .data())
                    .as(input)
                    .isEqualTo(LINEAR_ANSWER);
        }
    }

    private static List<List<String>> permutations(List<String> of) {
        if (of.isEmpty()) {
            return List.of(List.of());
        }
        List<List<String>> all = new ArrayList<>();
        for (String first : of) {
            List<String> others = new ArrayList<>(of);
            others.remove(first);
            for (List<String> rest : permutations(others)) {
                List<String> order = new ArrayList<>(List.of(first));
                order.addAll(rest);
                all.add(order);
            }
        }
        return all;
    }

    @Test
    void shouldPassOverUnknownKeys() {
        String body = Bodies.with(
                "'model_name':'other','x':{'y':[1,{'z':null}]},'parameters':{'priority':3,'a':[1]}",
                linear(LINEAR_DATA));

        assertThat(server.infer("linear", body).data()).isEqualTo(LINEAR_ANSWER);
    }

    @Test
    void shouldTakeTheLastOfDuplicateKeys() {
        assertThat(server.infer(
                                "linear",
                                Bodies.json(
                                        "{'id':'a','id':'b','inputs':[{'name':'y','name':'x','shape':[9],'shape':[1,4],"
                                                + "'datatype':'FP32','data':[1,1,1,1],'data':[0,0,0,0]}]}"))
                        .body())
                .contains(Bodies.json("'id':'b'"), "[0.5,-0.5]");
    }

    static final List<String> IDS = List.of("a", "", "żółć 😀", "\" \\ \n \u0001", "x".repeat(4096));

    @ParameterizedTest
    @FieldSource("IDS")
    void shouldEchoTheId(String id) {
        String quoted = new String(new JsonWriter().string(id).toBytes(), java.nio.charset.StandardCharsets.UTF_8);
        String body = linear(LINEAR_DATA);

        Reply first = server.infer("linear", "{\"id\":" + quoted + "," + body.substring(1));
        Reply last = server.infer("linear", body.substring(0, body.length() - 1) + ",\"id\":" + quoted + "}");

        assertThat(first.json().get("id").text()).isEqualTo(id);
        assertThat(last.body()).isEqualTo(first.body());
    }

    @Test
    void shouldSendNoIdWithoutOne() {
        assertThat(server.infer("linear", linear(LINEAR_DATA)).json().has("id")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                                            | sum difference product",
                "`outputs`:[]                                                | sum difference product",
                "`outputs`:null                                              | sum difference product",
                "`outputs`:[{`name`:`product`}]                              | product",
                "`outputs`:[{`name`:`product`},{`name`:`sum`,`parameters`:{`binary_data`:false}}] | product sum",
            })
    void shouldSendTheOutputsThatAreAskedFor(String outputs, String expected) {
        String body = Bodies.with(
                outputs == null ? "'x':0" : outputs.replace('`', '\''),
                Bodies.request(
                        Bodies.input("b", "[1,2]", "FP32", "[2,3]"), Bodies.input("a", "[1,2]", "FP32", "[10,20]")));

        List<JsonTree> came = server.infer("two_in", body).json().get("outputs").elements();

        assertThat(came).extracting(output -> output.get("name").text()).containsExactly(expected.split(" "));
        assertThat(came)
                .filteredOn(output -> output.get("name").text().equals("product"))
                .extracting(output -> output.get("data").toString())
                .containsExactly("[20.0, 60.0]");
    }

    static Reply echo(String type, String first, String second) {
        return server.infer(
                "echo_" + type.toLowerCase(java.util.Locale.ROOT),
                Bodies.request(Bodies.input("in_" + type, "[1,2]", type, "[" + first + "," + second + "]")));
    }

    @ParameterizedTest
    @CsvSource({
        "INT8, -128, 127",
        "INT16, -32768, 32767",
        "INT32, -2147483648, 2147483647",
        "INT64, -9223372036854775808, 9223372036854775807",
        "INT64, 9007199254740993, -9007199254740993",
        "UINT8, 0, 255",
        "UINT16, 0, 65535",
        "UINT32, 0, 4294967295",
        "UINT64, 18446744073709551615, 9223372036854775808",
        "BOOL, true, false",
        "FP32, 0.1, -0.0",
        "FP32, 1.4E-45, 3.4028235E38",
        "FP32, NaN, Infinity",
        "FP32, -Infinity, 1.17549435E-38",
        "FP64, 0.1, -0.0",
        "FP64, 4.9E-324, 1.7976931348623157E308",
        "FP64, NaN, -Infinity",
        "FP64, 0.30000000000000004, 1.0E22",
        "FP16, 0.1, 65504",
        "FP16, NaN, -Infinity",
        "FP16, 5.9604645E-8, -0.0",
        "BF16, 1.0, 3.3895314E38",
        "BF16, NaN, Infinity",
    })
    void shouldCarryEveryValueUnchanged(String type, String first, String second) {
        String[] came = echo(type, first, second).data().split(",");

        assertThat(came).hasSize(2);
        assertThat(came[0]).satisfies(value -> assertSame(type, first, value));
        assertThat(came[1]).satisfies(value -> assertSame(type, second, value));
    }

    /// To the bit, but for 16-bit floats: to half of their last digit.
    private static void assertSame(String type, String expected, String value) {
        switch (type) {
            case "FP32" ->
                assertThat(Float.floatToIntBits(Float.parseFloat(value)))
                        .isEqualTo(Float.floatToIntBits(Float.parseFloat(expected)));
            case "FP64" ->
                assertThat(Double.doubleToLongBits(Double.parseDouble(value)))
                        .isEqualTo(Double.doubleToLongBits(Double.parseDouble(expected)));
            case "FP16", "BF16" -> {
                double magnitude = Math.abs(Double.parseDouble(expected));
                double half = Double.isFinite(magnitude) ? magnitude / (type.equals("FP16") ? 2048 : 256) : 0;
                assertThat(Double.parseDouble(value)).isCloseTo(Double.parseDouble(expected), offset(half));
            }
            default -> assertThat(value).isEqualTo(expected);
        }
    }

    @Test
    void shouldRoundToTheNearestFloat() {
        // Just above the middle of two floats: by way of a double it would come down to 1.
        assertThat(echo("FP32", "1.00000005960464477539062501", "0.1").data()).isEqualTo("1.0000001,0.1");
        assertThat(echo("FP16", "0.1", "2049").data()).isEqualTo("0.099975586,2048.0");
    }

    @Test
    void shouldCarryStringsOfEveryKind() {
        String data = "[\"\",\"plain\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9é\",\"\\ud83d\\ude00😀\",\"a\\u0001b\"]";

        Reply reply = server.infer("string_only", Bodies.request(Bodies.input("text", "[6,1]", "BYTES", data)));

        assertThat(reply.json().get("outputs").elements().getFirst().get("data").scalars())
                .isEqualTo(JsonTree.parse(data).scalars());
    }

    private static String twoOf(String type) {
        return switch (type) {
            case "BOOL" -> "[true,false]";
            case "BYTES" -> "[\"a\",\"b\"]";
            default -> "[1,2]";
        };
    }

    @Test
    void shouldRunAllDatatypesTogether() {
        List<String> types = List.of(
                "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32",
                "FP64", "BYTES");
        String[] inputs = types.stream()
                .map(type -> Bodies.input("in_" + type, "[2]", type, twoOf(type)))
                .toArray(String[]::new);

        List<JsonTree> outputs = server.infer("echo_all", Bodies.request(inputs))
                .json()
                .get("outputs")
                .elements();

        assertThat(outputs).extracting(output -> output.get("datatype").text()).containsExactlyElementsOf(types);
        assertThat(outputs)
                .extracting(output -> output.get("data").toString())
                .containsOnly("[true, false]", "[1, 2]", "[1.0, 2.0]", "[a, b]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[2,1,3] | [1,2,3,4,5,6]           | [2, 3, 1] | [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]",
                "[1,2,2] | [[[1,2],[3,4]]]         | [1, 2, 2] | [1.0, 3.0, 2.0, 4.0]",
                "[2,2,1] | [[[1],[2]],[[3],[4]]]   | [2, 1, 2] | [1.0, 2.0, 3.0, 4.0]",
                "[0,2,3] | []                      | [0, 3, 2] | []",
                "[2,0,3] | [[],[]]                 | [2, 3, 0] | []",
            })
    void shouldTakeAnyShapeWhereDimensionsAreVariable(String shape, String data, String answerShape, String answer) {
        JsonTree output = server.infer("nobatch", Bodies.request(Bodies.input("x", shape, "FP32", data)))
                .json()
                .get("outputs")
                .elements()
                .getFirst();

        assertThat(output.get("shape")).hasToString(answerShape);
        assertThat(output.get("data")).hasToString(answer);
    }

    @Test
    void shouldTakeScalars() {
        assertThat(server.infer(
                                "scalar",
                                Bodies.request(
                                        Bodies.input("factor", "[]", "FP32", "[3]"),
                                        Bodies.input("x", "[2]", "FP32", "[1,2]")))
                        .data())
                .isEqualTo("3.0,6.0");
    }

    @Test
    void shouldRunModelsOfOneRow() {
        assertThat(server.infer("one_row", Bodies.request(Bodies.input("x", "[1,3]", "FP32", "[[1,2,3]]")))
                        .data())
                .isEqualTo("-1.0,-2.0,-3.0");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\'',
            value = {"maps, '[0,1,2]'", "named_maps, '[\"blue\",\"gr\\\"een\",\"red\"]'"})
    void shouldNameTheColumnsOfMaps(String model, String keys) {
        JsonTree output = server.infer(model, Bodies.request(Bodies.input("x", "[2,3]", "FP32", "[1,2,3,4,5,6]")))
                .json()
                .get("outputs")
                .elements()
                .getFirst();

        assertThat(output.get("parameters").get("keys").text()).isEqualTo(keys);
        assertThat(output.get("shape")).hasToString("[2, 3]");
        assertThat(output.get("data").scalars())
                .containsExactly(
                        model.equals("maps")
                                ? new String[] {"1.0", "2.0", "3.0", "4.0", "5.0", "6.0"}
                                : new String[] {"3.0", "2.0", "1.0", "6.0", "5.0", "4.0"});
    }

    @Test
    void shouldTellAnErrorIdWhenTheModelFails() {
        String body = Bodies.request(Bodies.input("index", "[1]", "INT64", "[%d]"));

        Reply reply = server.infer("gather", body.formatted(7));

        assertThat(reply.status()).isEqualTo(500);
        assertThat(reply.error()).contains("gather", "error id ", "out of data bounds");
        assertThat(server.infer("gather", body.formatted(2)).data()).isEqualTo("30.0");
    }

    @Test
    void shouldTakeTimeouts() {
        String timeout = Bodies.with("'parameters':{'timeout':%s}", linear(LINEAR_DATA));

        assertThat(server.infer("linear", timeout.formatted("60000000")).data()).isEqualTo(LINEAR_ANSWER);
        assertThat(server.infer("linear", timeout.formatted("0")).data()).isEqualTo(LINEAR_ANSWER);
        assertThat(server.infer("linear", timeout.formatted("9223372036854775807"))
                        .data())
                .isEqualTo(LINEAR_ANSWER);
    }

    @Test
    void shouldAnswerLargeRequests() {
        StringBuilder data = new StringBuilder("1");
        for (int i = 1; i < 4 * 1000; i++) {
            data.append(',').append(i % 7);
        }
        String body = Bodies.request(Bodies.input("x", "[1000,4]", "FP32", "[" + data + "]"));

        assertThat(server.infer("linear", body).data().split(",")).hasSize(2000);
        assertThat(server.infer("linear", linear(LINEAR_DATA)).data()).isEqualTo(LINEAR_ANSWER);
    }
}
