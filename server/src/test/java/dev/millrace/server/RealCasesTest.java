// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real models over HTTP, against the answers of another engine.
///
/// The folder named by the system property `millrace.cases` holds requests `MODEL.CASE.request.json` and what was
/// answered elsewhere, `MODEL.CASE.expected.json`; the models lie in `../models/MODEL.onnx`.
class RealCasesTest {
    private static final String REQUEST = ".request.json";

    @TempDir
    Path temp;

    private TestServer server;
    private final List<Case> cases = new ArrayList<>();

    /// A request and what another engine answered.
    private record Case(String name, String request, JsonTree expected) {
        String model() {
            return name.substring(0, name.indexOf('.'));
        }
    }

    @BeforeEach
    void start() throws IOException {
        String property = System.getProperty("millrace.cases", "");
        assumeTrue(!property.isEmpty(), "no cases: the system property millrace.cases names no folder");
        Path folder = Path.of(property);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(REQUEST)) {
                    cases.add(read(folder, name.substring(0, name.length() - REQUEST.length())));
                }
            }
        }
        for (String model : new TreeSet<>(cases.stream().map(Case::model).toList())) {
            Path version = Files.createDirectories(temp.resolve(model).resolve("1"));
            Files.copy(folder.resolveSibling("models").resolve(model + ".onnx"), version.resolve("model.onnx"));
        }
        server = TestServer.start(config -> ServerConfig.of(temp).withPort(0));
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    private static Case read(Path folder, String name) throws IOException {
        return new Case(
                name,
                Files.readString(folder.resolve(name + REQUEST)),
                JsonTree.parse(Files.readString(folder.resolve(name + ".expected.json"))));
    }

    @Test
    void shouldAnswerAsTheOtherEngineDid() {
        assertThat(cases).isNotEmpty();
        for (Case c : cases) {
            compare(c, answer(c, c.request()));
        }
    }

    @Test
    void shouldReadTheDigitThatWasDrawn() {
        for (Case c : cases.stream().filter(c -> c.model().equals("mnist")).toList()) {
            List<Float> scores = answer(c, c.request()).elements().getFirst().get("data").scalars().stream()
                    .map(Float::valueOf)
                    .toList();
            int best = IntStream.range(0, scores.size()).reduce(0, (a, b) -> scores.get(b) > scores.get(a) ? b : a);
            assertThat(c.name()).isEqualTo("mnist.digit" + best);
        }
    }

    @Test
    void shouldKeepStateWhenItsOwnAnswerIsFedBack() {
        String state = null;
        for (Case c : cases.stream().filter(c -> c.model().equals("silero_vad")).toList()) {
            JsonTree outputs = answer(c, state == null ? c.request() : withState(c.request(), state));
            compare(c, outputs);
            state = outputs.elements().stream()
                    .filter(output -> output.get("name").text().equals("stateN"))
                    .map(output -> String.join(",", output.get("data").scalars()))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /// The request with other elements in its input `state`.
    private static String withState(String request, String state) {
        int input = request.indexOf("\"state\"");
        int start = request.indexOf('[', request.indexOf("\"data\"", input));
        int end = request.indexOf(']', start);
        return request.substring(0, start + 1) + state + request.substring(end);
    }

    private JsonTree answer(Case c, String request) {
        Reply reply = server.infer(c.model(), request);
        assertThat(reply.status()).as(c.name() + ": " + reply.body()).isEqualTo(200);
        assertThat(reply.json().get("model_name").text()).isEqualTo(c.model());
        return reply.json().get("outputs");
    }

    private static void compare(Case c, JsonTree outputs) {
        List<JsonTree> expected = c.expected().get("outputs").elements();
        assertThat(outputs.elements())
                .as(c.name())
                .extracting(output -> output.get("name").text())
                .containsExactlyElementsOf(expected.stream()
                        .map(output -> output.get("name").text())
                        .toList());
        for (int i = 0; i < expected.size(); i++) {
            JsonTree output = outputs.elements().get(i);
            if (expected.get(i).has("maps")) {
                compareMaps(c, output, expected.get(i).get("maps").elements());
            } else {
                compareTensors(c, output, expected.get(i));
            }
        }
    }

    private static void compareTensors(Case c, JsonTree output, JsonTree expected) {
        assertThat(output.get("shape").scalars())
                .as(c.name())
                .isEqualTo(expected.get("shape").scalars());
        assertThat(output.get("datatype").text())
                .as(c.name())
                .isEqualTo(expected.get("datatype").text());
        List<String> came = output.get("data").scalars();
        List<String> wanted = expected.get("data").scalars();
        assertThat(came).as(c.name()).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.size(); i++) {
            compareNumbers(c, came.get(i), wanted.get(i));
        }
    }

    /// A list of maps came as rows, whose columns the parameter `keys` names.
    private static void compareMaps(Case c, JsonTree output, List<JsonTree> maps) {
        List<String> keys =
                JsonTree.parse(output.get("parameters").get("keys").text()).scalars();
        List<String> data = output.get("data").scalars();
        assertThat(output.get("shape").scalars()).as(c.name()).containsExactly("" + maps.size(), "" + keys.size());
        for (int row = 0; row < maps.size(); row++) {
            Map<String, JsonTree> map = maps.get(row).members();
            assertThat(map).as(c.name()).containsOnlyKeys(keys);
            for (int column = 0; column < keys.size(); column++) {
                compareNumbers(
                        c,
                        data.get(row * keys.size() + column),
                        map.get(keys.get(column)).toString());
            }
        }
    }

    private static void compareNumbers(Case c, String came, String wanted) {
        double expected = Double.parseDouble(wanted);
        double atol = Double.parseDouble(c.expected().get("atol").toString());
        double rtol = Double.parseDouble(c.expected().get("rtol").toString());
        assertThat(Double.parseDouble(came)).as(c.name()).isCloseTo(expected, offset(atol + rtol * Math.abs(expected)));
    }
}
