// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static dev.millrace.server.BinaryMessage.floats;
import static dev.millrace.server.BinaryMessage.input;
import static dev.millrace.server.BinaryMessage.parts;
import static dev.millrace.server.BinaryMessage.request;
import static dev.millrace.server.BinaryMessage.strings;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The extension classification: the greatest values of an output with their places and labels.
class ClassificationTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String wanted(String output, Object classes) {
        return "'outputs':[{'name':'" + output + "','parameters':{'classification':" + classes + "}}]";
    }

    private static JsonTree output(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().get("outputs").elements().getFirst();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1  | [2, 1] | 0.900000:1,12.500000:2",
                "2  | [2, 2] | 0.900000:1,0.100000:0,12.500000:2,-0.000000:0",
                "9  | [2, 3] | 0.900000:1,0.100000:0,-3.000000:2,12.500000:2,-0.000000:0,-1.000000:1",
            })
    void shouldSortTheValuesOfEachRow(int classes, String shape, String expected) {
        String body = Bodies.with(
                wanted("scores", classes),
                Bodies.request(Bodies.input("x", "[2,3]", "FP32", "[0.1,0.9,-3,-1e-9,-1,12.5]")));

        JsonTree output = output(server.infer("maps", body));

        assertThat(output.get("datatype").text()).isEqualTo("BYTES");
        assertThat(output.get("shape")).hasToString(shape);
        assertThat(output.get("data").scalars()).containsExactly(expected.split(","));
    }

    @Test
    void shouldHaveNoRowsWhenTheModelHasNone() {
        String body = Bodies.with(wanted("y", 2), Bodies.request(Bodies.input("x", "[1,3]", "FP32", "[5,-7,5]")));

        JsonTree output = output(server.infer("one_row", body));

        assertThat(output.get("shape")).hasToString("[2]");
        assertThat(output.get("data").scalars()).containsExactly("7.000000:1", "-5.000000:0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "INT64  | -9223372036854775808,9223372036854775807 | 9223372036854775807:1,-9223372036854775808:0",
                "UINT64 | 18446744073709551615,1                   | 18446744073709551615:0,1:1",
                "INT8   | -1,-1                                    | -1:0,-1:1",
                "UINT8  | 3,200                                    | 200:1,3:0",
                "FP64   | 0.0000005,0.0000015                      | 0.000002:1,0.000000:0",
                "FP32   | NaN,-Infinity                            | -inf:1,nan:0",
                "FP32   | 1e38,Infinity                            |"
                        + " inf:1,99999996802856924650656260769173209088.000000:0",
            })
    void shouldPrintValuesAsCppDoes(String type, String data, String expected) {
        String body = Bodies.with(
                wanted("out_" + type, 2), Bodies.request(Bodies.input("in_" + type, "[1,2]", type, "[" + data + "]")));

        JsonTree output = output(server.infer("echo_" + type.toLowerCase(java.util.Locale.ROOT), body));

        assertThat(output.get("data").scalars()).containsExactly(expected.split(","));
    }

    @ParameterizedTest
    @ValueSource(strings = {"BOOL", "FP16", "BF16"})
    void shouldRefuseTypesThatHaveNoClasses(String type) {
        String data = type.equals("BOOL") ? "[true,false]" : "[1,2]";
        String body =
                Bodies.with(wanted("out_" + type, 1), Bodies.request(Bodies.input("in_" + type, "[1,2]", type, data)));

        Reply reply = server.infer("echo_" + type.toLowerCase(java.util.Locale.ROOT), body);

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.error()).contains("output 'out_" + type + "' cannot be asked for by classes", type);
    }

    @Test
    void shouldRefuseStringsAndNumbersThatAreNone() {
        String text = Bodies.with(wanted("same", 1), Bodies.request(Bodies.input("text", "[1,1]", "BYTES", "[\"a\"]")));
        assertThat(server.infer("string_only", text).error()).contains("BYTES");
        for (String classes : new String[] {"-1", "1.5", "'2'", "true"}) {
            Reply reply = server.infer("linear", Bodies.with(wanted("y", classes), Bodies.LINEAR));
            assertThat(reply.status()).as(classes).isEqualTo(400);
            assertThat(reply.error()).contains("parameter 'classification' of output 'y' is");
        }
    }

    @Test
    void shouldGiveValuesWhenNoClassesAreWanted() {
        assertThat(server.infer("linear", Bodies.with(wanted("y", 0), Bodies.LINEAR))
                        .data())
                .isEqualTo("30.5,0.5");
    }

    @Test
    void shouldRefuseToSortMillionsOfValues() {
        int columns = 1_000_001;
        String body =
                Bodies.with(wanted("y", 1), Bodies.request(input("x", "[1,1," + columns + "]", "FP32", 4 * columns)));
        try (RawClient client = server.connect()) {
            RawClient.Answer answer =
                    client.send(request("nobatch", body, new byte[4 * columns])).read();
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body()).contains("output 'y' has 1000001 values, at most 1000000");
        }
    }

    @Test
    void shouldGiveClassesAsBytes() {
        String body = Bodies.with(
                "'outputs':[{'name':'y','parameters':{'classification':1,'binary_data':true}}]",
                Bodies.request(input("x", "[1,4]", "FP32", 16)));
        try (RawClient client = server.connect()) {
            byte[] came = parts(client.send(request("linear", body, floats(1, 2, 3, 4)))
                            .read())
                    .bytes()
                    .get("y");
            assertThat(came).isEqualTo(strings("30.500000:0".getBytes(StandardCharsets.US_ASCII)));
        }
    }
}
