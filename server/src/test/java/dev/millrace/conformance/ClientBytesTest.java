// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What the clients of Triton put on the wire, byte for byte, and the answers read as they read them. The files in
/// `clients` say how their bytes were had.
class ClientBytesTest {
    private static final int KEY = 8;

    @TempDir
    static Path models;

    private static TestServer server;
    private static Target target;

    /// A request of a client's, and what it has to get.
    private record Exchange(Map<String, List<String>> lines) {
        List<String> all(String key) {
            return lines.getOrDefault(key, List.of());
        }

        String one(String key) {
            return all(key).isEmpty() ? "" : all(key).getFirst();
        }

        byte[] request() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            String head = String.join("\r\n", all("head")) + "\r\n\r\n";
            bytes.writeBytes(head.getBytes(StandardCharsets.UTF_8));
            bytes.writeBytes(one("json").getBytes(StandardCharsets.UTF_8));
            bytes.writeBytes(HexFormat.of().parseHex(one("hex")));
            return bytes.toByteArray();
        }
    }

    @BeforeAll
    static void start() throws IOException {
        Models.write(models);
        server = TestServer.start(_ -> ServerConfig.of(models).withPort(0));
        target = new Target(Address.of(server.server().url(), Map.of()), null, java.util.Set.of());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    static Stream<Arguments> exchanges() throws IOException {
        List<Arguments> all = new ArrayList<>();
        for (String client : List.of("java", "python", "cpp")) {
            for (String block : read("/clients/" + client + ".txt").split("\n\n")) {
                if (!block.startsWith("#")) {
                    Exchange exchange = new Exchange(block.lines()
                            .collect(java.util.stream.Collectors.groupingBy(
                                    line -> line.substring(0, KEY).strip(),
                                    java.util.stream.Collectors.mapping(
                                            line -> line.substring(KEY), java.util.stream.Collectors.toList()))));
                    all.add(Arguments.of(client + ": " + exchange.one("call"), exchange));
                }
            }
        }
        return all.stream();
    }

    private static String read(String resource) throws IOException {
        try (InputStream in = ClientBytesTest.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("exchanges")
    void shouldAnswerAsTheClientReadsIt(String name, Exchange exchange) throws IOException {
        assumeTrue(exchange.one("needs").isEmpty() || listed().contains(exchange.one("needs")), "not listed yet");
        try (Session session = new Session(target, Duration.ofSeconds(30));
                Wire wire = session.connect()) {
            for (int time = 0; time < 2; time++) { // clients keep their connections
                Answer answer = session.read(wire.send(exchange.request()));

                assertThat(answer.status())
                        .as("%s: %s", name, answer.shown())
                        .isEqualTo(Integer.parseInt(exchange.one("status")));
                requireAnswer(exchange, answer);
            }
        }
    }

    private static List<String> listed() throws IOException {
        try (Session session = new Session(target, Duration.ofSeconds(30))) {
            return session.get("/v2").json().get("extensions").texts();
        }
    }

    private static void requireAnswer(Exchange exchange, Answer answer) {
        if (answer.status() != 200) {
            assertThat(answer.json().get("error").text()).isNotBlank();
            return;
        }
        if (!exchange.all("output").isEmpty()) {
            List<WireTensor> expected =
                    exchange.all("output").stream().map(ClientBytesTest::tensor).toList();
            assertThat(answer.outputs()).isEqualTo(expected);
        }
        if (!exchange.one("form").isEmpty()) {
            boolean bytes = exchange.one("form").equals("bytes");
            assertThat(answer.header(Answer.JSON_LENGTH) != null).isEqualTo(bytes);
            assertThat(answer.response().get("outputs").elements()).allMatch(one -> Answer.isBinary(one) == bytes);
        }
    }

    /// An output as the files have it: name, datatype, shape, elements; BYTES in hexadecimal, a hyphen for none.
    private static WireTensor tensor(String text) {
        List<String> words = Arrays.asList(text.split(" "));
        Datatype datatype = Datatype.of(words.get(1));
        List<Long> shape =
                Json.parse(words.get(2).getBytes(StandardCharsets.UTF_8)).numbers();
        List<Object> elements = new ArrayList<>();
        for (String word : words.subList(3, words.size())) {
            elements.add(
                    switch (datatype) {
                        case BYTES ->
                            word.equals("-")
                                    ? ""
                                    : Datatype.latin(HexFormat.of().parseHex(word));
                        case FP16, FP32 -> Float.valueOf(word);
                        default -> new BigInteger(word);
                    });
        }
        return new WireTensor(words.getFirst(), datatype, shape, elements);
    }
}
