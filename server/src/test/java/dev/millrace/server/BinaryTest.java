// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static dev.millrace.server.BinaryMessage.concat;
import static dev.millrace.server.BinaryMessage.floats;
import static dev.millrace.server.BinaryMessage.hex;
import static dev.millrace.server.BinaryMessage.input;
import static dev.millrace.server.BinaryMessage.parts;
import static dev.millrace.server.BinaryMessage.request;
import static dev.millrace.server.BinaryMessage.strings;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.BinaryMessage.Parts;
import dev.millrace.server.RawClient.Answer;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The extension binary_tensor_data: tensors as bytes behind the JSON, in requests and answers.
class BinaryTest {
    private static final String BINARY_OUTPUT = "'parameters':{'binary_data_output':true}";
    private static final byte[] ROW = floats(1, 2, 3, 4);
    private static final byte[] ANSWER = floats(30.5f, 0.5f);

    private static TestServer server;

    private RawClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void connect() {
        client = server.connect();
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    private Answer send(byte[] request) {
        return client.send(request).read();
    }

    private static String linear(int bytes) {
        return Bodies.request(input("x", "[1,4]", "FP32", bytes));
    }

    @Test
    void shouldTakeAndGiveTensorsAsBytes() {
        Answer answer = send(request("linear", Bodies.with("'id':'é'," + BINARY_OUTPUT, linear(16)), ROW));

        String json = Bodies.json("{'model_name':'linear','model_version':'1','id':'é','outputs':[{'name':'y',"
                + "'datatype':'FP32','shape':[1,2],'parameters':{'binary_data_size':8}}]}");
        byte[] utf8 = json.getBytes(StandardCharsets.UTF_8);
        assertThat(answer.headers())
                .containsEntry("Content-Type", "application/octet-stream")
                .containsEntry("Inference-Header-Content-Length", Integer.toString(utf8.length))
                .containsEntry("Content-Length", Integer.toString(utf8.length + 8));
        assertThat(answer.bytes()).isEqualTo(concat(utf8, ANSWER));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "-     | -                                                       | -",
                "true  | -                                                       | sum difference product",
                "true  | [{`name`:`product`},{`name`:`sum`}]                     | product sum",
                "true  | [{`name`:`sum`,`parameters`:{`binary_data`:false}}]     | -",
                "true  | [{`name`:`sum`,`parameters`:{`binary_data`:false}},{`name`:`product`}] | product",
                "false | [{`parameters`:{`binary_data`:true},`name`:`sum`}]      | sum",
                "-     | [{`name`:`sum`,`parameters`:{`binary_data`:true}},{`name`:`product`}]  | sum",
                "-     | [{`name`:`sum`,`parameters`:{`x`:1}}]                   | -",
            })
    void shouldGiveBytesOnlyWhereTheyAreAskedFor(String byDefault, String outputs, String expected) {
        String body = Bodies.request(input("b", "[1,2]", "FP32", 8), input("a", "[1,2]", "FP32", 8));
        if (outputs != null) {
            body = Bodies.with("'outputs':" + outputs.replace('`', '\''), body);
        }
        if (byDefault != null) {
            body = body.substring(0, body.length() - 1)
                    + Bodies.json(",'parameters':{'binary_data_output':" + byDefault + "}}");
        }

        Answer answer = send(request("two_in", body, floats(2, 3), floats(10, 20)));

        if (expected == null) {
            assertThat(answer.headers())
                    .containsEntry("Content-Type", "application/json")
                    .doesNotContainKey("Inference-Header-Content-Length");
            assertThat(JsonTree.parse(answer.body()).get("outputs").elements())
                    .allMatch(output -> output.has("data") && !output.has("parameters"));
        } else {
            Parts parts = parts(answer);
            assertThat(parts.bytes().keySet()).containsExactly(expected.split(" "));
            parts.bytes()
                    .forEach((name, bytes) -> assertThat(bytes)
                            .isEqualTo(
                                    switch (name) {
                                        case "sum" -> floats(12, 23);
                                        case "product" -> floats(20, 60);
                                        default -> floats(8, 17);
                                    }));
        }
    }

    @Test
    void shouldMixBytesAndJson() {
        List<String> types = List.of(
                "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32",
                "FP64", "BYTES");
        List<String> inputs = new ArrayList<>();
        List<byte[]> blobs = new ArrayList<>();
        inputs.add(input("in_FP64", "[1]", "FP64", 8));
        blobs.add(hex("000000000000f0bf"));
        inputs.add(input("in_BYTES", "[2]", "BYTES", 11));
        blobs.add(hex("02000000 6162 01000000 63"));
        inputs.add(input("in_FP16", "[2]", "FP16", 4));
        blobs.add(hex("003c 00c0"));
        for (String type : types) {
            if (!List.of("FP64", "BYTES", "FP16").contains(type)) {
                inputs.add(Bodies.input("in_" + type, "[1]", type, type.equals("BOOL") ? "[true]" : "[1]"));
            }
        }
        String outputs = "'outputs':[{'name':'out_FP64'},{'name':'out_INT64','parameters':{'binary_data':true}},"
                + "{'name':'out_FP16'},{'name':'out_BYTES','parameters':{'binary_data':true}}]";

        Parts parts = parts(send(request(
                "echo_all",
                Bodies.with(outputs, Bodies.request(inputs.toArray(String[]::new))),
                blobs.toArray(byte[][]::new))));

        assertThat(parts.json().get("outputs").elements())
                .extracting(output -> output.has("data") ? output.get("data").toString() : "bytes")
                .containsExactly("[-1.0]", "bytes", "[1.0, -2.0]", "bytes");
        assertThat(parts.bytes().get("out_INT64")).isEqualTo(hex("0100000000000000"));
        assertThat(parts.bytes().get("out_BYTES")).isEqualTo(hex("02000000 6162 01000000 63"));
    }

    @Test
    void shouldCarryStringsThatAreNoText() {
        byte[] texts = strings(hex("ff"), new byte[0], hex("c328 01"), "żółć 😀".getBytes(StandardCharsets.UTF_8));
        String body = Bodies.with(BINARY_OUTPUT, Bodies.request(input("text", "[4,1]", "BYTES", texts.length)));

        Parts parts = parts(send(request("string_only", body, texts)));

        assertThat(parts.bytes().get("same")).isEqualTo(texts);
    }

    @Test
    void shouldCarryTensorsWithoutElements() {
        String body = Bodies.with(BINARY_OUTPUT, Bodies.request(input("x", "[0,2,3]", "FP32", 0)));

        Parts parts = parts(send(request("nobatch", body)));

        assertThat(parts.json().get("outputs").elements().getFirst().get("shape"))
                .hasToString("[0, 3, 2]");
        assertThat(parts.bytes().get("y")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "`binary_data_size`:16 | 20 | behind the JSON come 20 bytes, of which the inputs have 16 by their"
                        + " binary_data_size; 4 are left over",
                "`binary_data_size`:16 | 15 | input 'x' has binary_data_size 16, but only 15 bytes of the body are"
                        + " left for it",
                "`binary_data_size`:12 | 12 | input 'x' has 12 bytes of binary data, which are no FP32 of shape [1, 4]",
                "`binary_data_size`:18 | 18 | input 'x' has 18 bytes of binary data, which are no FP32 of shape [1, 4]",
                "`binary_data_size`:-1 | 16 | binary_data_size of input 'x' is -1, expected an integer from 0",
                "`binary_data_size`:1.5 | 16 | binary_data_size of input 'x' is 1.5, expected an integer from 0",
                "`binary_data_size`:`16` | 16 | binary_data_size of input 'x' is the string \"16\", expected an"
                        + " integer from 0",
                "`binary_data_size`:9223372036854775807 | 16 | but only 16 bytes of the body are left for it",
                "`x`:1 | 0 | input 'x' has no data",
                "`binary_data_size`:16},`data`:[1,2,3,4],`y`:{`x`:1 | 16 | input 'x' has both data and"
                        + " binary_data_size",
            })
    void shouldRefuseBytesThatDoNotFit(String parameters, int bytes, String message) {
        String body = Bodies.request(Bodies.json(
                "{'name':'x','shape':[1,4],'datatype':'FP32','parameters':{" + parameters.replace('`', '\'') + "}}"));

        Answer answer = send(request("linear", body, new byte[bytes]));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(JsonTree.parse(answer.body()).get("error").text()).contains(message);
        assertThat(parts(send(request("linear", Bodies.with(BINARY_OUTPUT, linear(16)), ROW)))
                        .bytes())
                .hasSize(1);
    }

    @Test
    void shouldRefuseDataBeforeBinaryDataSizeToo() {
        String body = Bodies.json("{'inputs':[{'data':[1,2,3,4],'parameters':{'binary_data_size':16},'name':'x',"
                + "'shape':[1,4],'datatype':'FP32'}]}");

        assertThat(send(request("linear", body, ROW)).body()).contains("both data and binary_data_size");
    }

    @Test
    void shouldRefuseBinaryDataSizeWhenTheBodyIsJsonOnly() {
        Answer answer = send(request("linear", "", linear(0)));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("without the header Inference-Header-Content-Length");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "05000000 61620000         | ends in element 0, which has 5 bytes of which 4 came",
                "02000000 6162 0100        | ends in element 1, within its length",
                "02000000 6162 ffffffff 61 | ends in element 1, which has 4294967295 bytes of which 1 came",
                "01000000 61 00000000 62   | has 10 bytes of binary data, 1 more than its 2 strings",
                "000000                    | has 3 bytes of binary data, too few for the 2 strings of shape [2, 1]",
                "03000000 610062 00000000  | element 0 of input 'text' has the byte 0",
            })
    void shouldRefuseStringsThatDoNotFit(String bytes, String message) {
        byte[] texts = hex(bytes);

        Answer answer =
                send(request("string_only", Bodies.request(input("text", "[2,1]", "BYTES", texts.length)), texts));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains(message);
    }

    @Test
    void shouldRefuseBooleansThatAreNone() {
        String body = Bodies.request(input("in_BOOL", "[1,2]", "BOOL", 2));

        assertThat(send(request("echo_bool", body, hex("0100"))).body()).contains("[true,false]");
        assertThat(send(request("echo_bool", body, hex("01ff"))).body())
                .contains("element 1 of input 'in_BOOL' is 255, expected 0 or 1 for BOOL");
    }

    @Test
    void shouldSayThatThereIsNoSharedMemory() {
        String region = "'parameters':{'shared_memory_region':'r','shared_memory_byte_size':16}";
        String asInput = Bodies.json("{'inputs':[{'name':'x','shape':[1,4],'datatype':'FP32'," + region + "}]}");
        String asOutput = Bodies.with("'outputs':[{'name':'y'," + region + "}]", Bodies.LINEAR);

        assertThat(server.infer("linear", asInput).status()).isEqualTo(501);
        assertThat(server.infer("linear", asInput).error()).contains("input 'x'", "shared_memory_region");
        assertThat(server.infer("linear", asOutput).status()).isEqualTo(501);
        assertThat(server.infer("linear", asOutput).error()).contains("output 'y'", "shared_memory_region");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "-1", "+5", "12abc", "0x10", "1e2", "5.0", "1 2"})
    void shouldRefuseLengthsThatAreNone(String length) {
        Answer answer = send(request("linear", "Inference-Header-Content-Length: " + length + "\r\n", linear(16), ROW));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("Inference-Header-Content-Length is '" + length + "'");
        assertThat(send(request("linear", "", Bodies.LINEAR)).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1000", "2147483648", "99999999999999999999"})
    void shouldRefuseLengthsBeyondTheBody(String length) {
        Answer answer = send(request("linear", "Inference-Header-Content-Length: " + length + "\r\n", linear(16), ROW));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body())
                .contains("but the body has only " + (linear(16).length() + 16) + " bytes");
    }

    @Test
    void shouldRefuseTwoLengths() {
        String header = "inference-header-content-length: " + linear(16).length() + "\r\n";

        assertThat(send(request("linear", header, linear(16), ROW)).status()).isEqualTo(200);
        assertThat(send(request("linear", header + header, linear(16), ROW)).status())
                .isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "linear      | 0000803f000000400000404000008040                                 | [1, 2]",
                "linear      | 0000803f0000004000004040000080400000803f000000400000404000008040 | [2, 2]",
                "one_row     | 0000803f0000004000004040                                         | [1, 3]",
                "string_only | 6162ff                                                           | [1, 1]",
                "string_only | -                                                                | [1, 1]",
                "echo_uint8  | 0102                                                             | [1, 2]",
            })
    void shouldTakeRawRequests(String model, String bytes, String shape) {
        byte[] raw = bytes.equals("-") ? new byte[0] : hex(bytes);

        Parts parts = parts(send(request(model, "Inference-Header-Content-Length: 0\r\n", "", raw)));

        JsonTree output = parts.json().get("outputs").elements().getFirst();
        assertThat(output.get("shape")).hasToString(shape);
        byte[] came = parts.bytes().get(output.get("name").text());
        switch (model) {
            case "linear" -> assertThat(Arrays.copyOf(came, 8)).isEqualTo(ANSWER);
            case "string_only" -> assertThat(came).isEqualTo(strings(raw));
            case "echo_uint8" -> assertThat(came).isEqualTo(raw);
            default -> assertThat(came).isEqualTo(floats(-1, -2, -3));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "linear  | 15 | input 'x' has 15 bytes of binary data, which are no FP32 of shape [0, 4]",
                "linear  | 20 | input 'x' has 20 bytes of binary data, which are no FP32 of shape [1, 4]",
                "linear  | 0  | 0 rows",
                "one_row | 16 | input 'x' has 16 bytes of binary data, which are no FP32 of shape [1, 3]",
                "two_in  | 16 | model 'two_in' has 2 inputs",
                "nobatch | 16 | model 'nobatch' has an input of shape [-1, -1, -1]",
            })
    void shouldRefuseRawRequestsThatDoNotFit(String model, int bytes, String message) {
        Answer answer = send(request(model, "Inference-Header-Content-Length: 0\r\n", "", new byte[bytes]));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains(message);
    }

    @Test
    void shouldAnswerRequestsWithTheSameHeadButOtherLengths() {
        String json = Bodies.with(
                BINARY_OUTPUT, Bodies.request(input("x", "[%d,2,1]", "FP32", 99).replace("99", "%2d")));
        String head = "Inference-Header-Content-Length: " + json.formatted(1, 8).length() + "\r\n";
        for (int round = 0; round < 40; round++) {
            int rows = 1 + round * 7 % 9;
            byte[] values = new byte[8 * rows];
            Arrays.fill(values, (byte) round);
            byte[] body = request("nobatch", head, json.formatted(rows, 8 * rows), values);
            if (round % 5 == 4) {
                // The same head but for Content-Length, and a body that ends within the JSON.
                Answer cut = send(request("nobatch", head, "{"));
                assertThat(cut.status()).isEqualTo(400);
                assertThat(cut.body()).contains("but the body has only 1 bytes");
            }
            Parts parts = parts(send(body));
            assertThat(parts.bytes().get("y")).as("round " + round).isEqualTo(values);
        }
    }

    @Test
    void shouldTakeBodiesHoweverTheyCome() {
        String json = Bodies.with(BINARY_OUTPUT, linear(16));
        byte[] whole = request("linear", json, ROW);
        for (int at = 1; at < whole.length; at += 3) {
            client.send(Arrays.copyOf(whole, at));
            Answer answer = send(Arrays.copyOfRange(whole, at, whole.length));
            assertThat(parts(answer).bytes().get("y")).as("split at " + at).isEqualTo(ANSWER);
        }
        byte[] body = concat(json.getBytes(StandardCharsets.UTF_8), ROW);
        String head = "POST /v2/models/linear/infer HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n"
                + "INFERENCE-HEADER-CONTENT-LENGTH: " + json.length() + "\r\n\r\n";
        client.send(head);
        for (int at = 0; at < body.length; at += 7) {
            byte[] chunk = Arrays.copyOfRange(body, at, Math.min(body.length, at + 7));
            client.send(Integer.toHexString(chunk.length) + "\r\n").send(chunk).send("\r\n");
        }
        assertThat(parts(client.send("0\r\n\r\n").read()).bytes().get("y")).isEqualTo(ANSWER);
    }

    @Test
    void shouldCarryBytesOverHttp2() throws Exception {
        int rows = 40_000;
        byte[] values = new byte[8 * rows];
        new java.util.SplittableRandom(3).nextBytes(values);
        String json =
                Bodies.with(BINARY_OUTPUT, Bodies.request(input("x", "[" + rows + ",2,1]", "FP32", values.length)));
        try (HttpClient http = HttpClient.newHttpClient()) {
            // Has the connection upgraded.
            http.send(server.request("/v2").GET().build(), BodyHandlers.discarding());
            for (int round = 0; round < 3; round++) {
                HttpResponse<byte[]> response = http.send(
                        server.request("/v2/models/nobatch/infer")
                                .version(HttpClient.Version.HTTP_2)
                                .header("Inference-Header-Content-Length", Integer.toString(json.length()))
                                .POST(BodyPublishers.ofByteArray(concat(json.getBytes(StandardCharsets.UTF_8), values)))
                                .build(),
                        BodyHandlers.ofByteArray());
                assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
                Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
                response.headers().map().forEach((name, all) -> headers.put(name, all.getFirst()));
                assertThat(parts(new Answer(response.statusCode(), headers, response.body()))
                                .bytes()
                                .get("y"))
                        .isEqualTo(values);
            }
        }
    }

    @Test
    void shouldCarryLargeTensors() {
        int rows = 300_000;
        byte[] values = new byte[8 * rows];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) ((i * 31) >> 3);
        }
        String body =
                Bodies.with(BINARY_OUTPUT, Bodies.request(input("x", "[1," + rows + ",2]", "FP32", values.length)));

        byte[] came = parts(send(request("nobatch", body, values))).bytes().get("y");

        assertThat(came).hasSize(values.length);
        for (int i = 0; i < rows; i += 9973) {
            assertThat(Arrays.copyOfRange(came, 4 * i, 4 * i + 4))
                    .isEqualTo(Arrays.copyOfRange(values, 8 * i, 8 * i + 4));
        }
    }
}
