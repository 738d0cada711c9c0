// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.control.AdminToken;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.TestServer.Reply;
import dev.millrace.version.TrialLimits;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/// What goes wrong with models while others are asked for: one server and its clients go through all of it, and nobody
/// gets a wrong answer or none. What fails says why, in the answer, the log, the index and the metrics, and what was
/// served is served. Disks that are full are in `ServerFaultsTest`.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FaultsTest {
    private static final String TOKEN = "a-token-for-tests";
    private static final int ENOUGH = 20;
    private static final List<Logger> LOGGERS =
            List.of((Logger) LoggerFactory.getLogger("dev.millrace.runtime"), (Logger)
                    LoggerFactory.getLogger("dev.millrace.version"));

    @TempDir
    static Path temp;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private TestServer server;
    private Traffic traffic;

    /// A version that is not to be served.
    private enum Fault {
        TRUNCATED("model", "the file is cut off: it ends at byte 100, expected its graph to end at ") {
            @Override
            byte[] file(Path folder) {
                return Arrays.copyOf(TestModels.answering(2), 100);
            }
        },
        NO_PROTOBUF("model", "the file is no ONNX model") {
            @Override
            byte[] file(Path folder) {
                return new byte[] {1, 2, 3};
            }
        },
        WRONG_PROTOBUF("model", "Missing opset in the model") {
            @Override
            byte[] file(Path folder) {
                return Harmful.otherMessage();
            }
        },
        UNKNOWN_OPERATOR("model", "Error No Op registered for Frobnicate with domain_version of 17") {
            @Override
            byte[] file(Path folder) {
                return Harmful.unknownOperator();
            }
        },
        EXTERNAL_DATA_MISSING("model", "has tensors in 'weights.bin', expected that file beside it, came none") {
            @Override
            byte[] file(Path folder) {
                return Harmful.externalData("weights.bin");
            }
        },
        CRASHING("crashed", "it ended the process of its trial by SIG") {
            @Override
            byte[] file(Path folder) {
                return Harmful.crashing();
            }
        },
        OTHER_INPUTS(
                "contract",
                "its inputs are [a FP32[-1, 2], b FP32[-1, 2]], those that are served [x FP32[-1, 4]] by version 1") {
            @Override
            byte[] file(Path folder) throws IOException {
                return Files.readAllBytes(TestServer.models().resolve("two_in/1/model.onnx"));
            }
        },
        OTHER_ANSWERS("goldens", "goldens/one.expected.json: output 'y' element [0, 0] is 2.0, expected 3.0") {
            @Override
            byte[] file(Path folder) throws IOException {
                Path goldens = Files.createDirectories(folder.resolve("goldens"));
                Files.writeString(goldens.resolve("one.request.json"), Bodies.LINEAR);
                Files.writeString(goldens.resolve("one.expected.json"), Bodies.json("""
                    {'outputs':[{'name':'y','datatype':'FP32','shape':[1,2],'data':[3,0]}]}\
                    """));
                return TestModels.answering(2);
            }
        };

        private final String counted;
        private final String message;

        Fault(String counted, String message) {
            this.counted = counted;
            this.message = message;
        }

        /// The model file, after whatever else belongs into the version's folder was written.
        abstract byte[] file(Path folder) throws IOException;
    }

    @BeforeAll
    void serve() {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        server = start();
        traffic = Traffic.start(server.port(), "m", 2).awaitMore(ENOUGH);
    }

    @AfterAll
    void stop() {
        traffic.close();
        server.close();
    }

    @BeforeEach
    void listen() {
        log.start();
        for (Logger logger : LOGGERS) {
            logger.setLevel(Level.WARN);
            logger.setAdditive(false);
            logger.addAppender(log);
        }
        traffic.watchVersions();
    }

    /// Until version 2 is good nobody but version 1 has answered.
    private void assertOnlyVersion1Answers() {
        traffic.awaitMore(ENOUGH);
        assertThat(traffic.versions()).containsExactly("1");
    }

    /// Version 1 is all that there is again, and it is served.
    @AfterEach
    void restore() throws IOException {
        for (Logger logger : LOGGERS) {
            logger.detachAppender(log);
            logger.setAdditive(true);
            logger.setLevel(Level.OFF);
        }
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        delete(repository().resolve("m/2"));
        assertThat(load(server).status()).isEqualTo(200);
        traffic.awaitVersion(1);
        assertThat(state("m", 1)).isEqualTo("READY: ");
        log.list.clear();
    }

    private Path repository() {
        return temp.resolve("repository");
    }

    private TestServer start() {
        ControlConfig control = ControlConfig.DEFAULT
                .withMode(ControlMode.EXPLICIT)
                .withStartUpModels(Set.of("m"))
                .withToken(AdminToken.of(TOKEN))
                .withWorkDir(temp.resolve("work"));
        RuntimeConfig runtime =
                RuntimeConfig.DEFAULT.withTrial(TrialLimits.DEFAULT).withGraphCache(temp.resolve("cache/graphs"));
        return TestServer.start(_ ->
                ServerConfig.of(repository()).withPort(0).withControl(control).withRuntime(runtime));
    }

    private static Reply load(TestServer server) {
        return load(server, "");
    }

    private static Reply load(TestServer server, String body) {
        return load(server, "m", body);
    }

    private static Reply load(TestServer server, String model, String body) {
        return change(server, model, "load", body);
    }

    private static Reply change(TestServer server, String model, String what, String body) {
        return server.send(server.request("/v2/repository/models/" + model + "/" + what)
                .header("Authorization", "Bearer " + TOKEN)
                .POST(BodyPublishers.ofString(Bodies.json(body))));
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /// The state and the reason of a version, which the index and the model's versions agree about.
    private String state(String model, int version) {
        String inIndex = state(server.post("/v2/repository/index", "").json(), model, version);
        String inVersions =
                state(server.get("/v2/models/" + model + "/versions").json().get("versions"), null, version);
        assertThat(inVersions).isEqualTo(inIndex);
        return inIndex;
    }

    private static String state(JsonTree list, String model, int version) {
        return list.elements().stream()
                .filter(entry -> model == null || entry.get("name").text().equals(model))
                .filter(entry -> entry.members().containsKey("version")
                        && entry.get("version").text().equals("" + version))
                .map(entry ->
                        entry.get("state").text() + ": " + entry.get("reason").text())
                .findFirst()
                .orElse("absent");
    }

    private double failures(String reason) {
        String name = "millrace_model_load_failures_total{model=\"m\",reason=\"" + reason + "\"} ";
        return server.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .sum();
    }

    private void assertLogged(Level level, String... fragments) {
        assertThat(log.list)
                .filteredOn(event -> event.getLevel() == level)
                .singleElement()
                .extracting(ILoggingEvent::getFormattedMessage)
                .asString()
                .contains(fragments);
    }

    @ParameterizedTest
    @EnumSource
    @DisabledOnOs(OS.WINDOWS)
    void shouldGoOnServingWhenAVersionIsNoGood(Fault fault) throws IOException {
        double before = failures(fault.counted);
        Path folder = Files.createDirectories(repository().resolve("m/2"));
        TestModels.write(repository(), "m", 2, fault.file(folder));

        Reply refused = load(server);

        assertThat(refused.status()).as(refused.body()).isEqualTo(400);
        assertThat(refused.error())
                .startsWith("model 'm' version 2: cannot load " + folder.resolve("model.onnx") + ": ")
                .doesNotContain("model.onnx: " + folder)
                .contains(fault.message);
        assertLogged(Level.ERROR, "model m version 2 is not served: cannot load ", fault.message);
        assertThat(state("m", 2)).startsWith("UNAVAILABLE: ").contains(fault.message);
        assertThat(state("m", 1)).isEqualTo("READY: ");
        assertThat(failures(fault.counted)).isEqualTo(before + 1);
        assertThat(server.get("/metrics").body())
                .contains("millrace_model_state{model=\"m\",state=\"UNAVAILABLE\",version=\"2\"} 1.0");
        assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
        assertOnlyVersion1Answers();
    }

    @Test
    void shouldLoadWithoutItsCacheWhenThatCannotBeWritten() throws IOException {
        Path blocked = Files.writeString(temp.resolve("cache"), "a file, where a folder is to be");
        TestModels.write(repository(), "m", 2, TestModels.manyOperators(2, 4));

        assertThat(load(server).status()).isEqualTo(200);

        assertLogged(Level.WARN, "the optimised graph of ", " cannot be kept in " + temp.resolve("cache/graphs"));
        traffic.awaitVersion(2);
        assertThat(state("m", 2)).isEqualTo("READY: ");
        Files.delete(blocked);
        assertThat(load(server).status()).isEqualTo(200);
        try (Stream<Path> files = Files.list(temp.resolve("cache/graphs"))) {
            assertThat(files).hasSize(2);
        }
        delete(temp.resolve("cache"));
    }

    @Test
    void shouldGoOnServingWhenUploadsCannotBeWritten() throws IOException {
        Path blocked = Files.writeString(temp.resolve("work"), "a file, where a folder is to be");
        String upload = "{'parameters':{'config':'{}','file:2/model.onnx':'"
                + TestModels.base64(TestModels.answering(2)) + "'}}";

        Reply refused = load(server, upload);

        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.error()).contains("the files of model 'm' cannot be written", temp.toString());
        assertThat(state("m", 1)).isEqualTo("READY: ");
        assertThat(state("m", 2)).isEqualTo("absent");
        assertOnlyVersion1Answers();
        Files.delete(blocked);
        assertThat(load(server, upload).status()).isEqualTo(200);
        traffic.awaitVersion(2);
    }

    @Test
    void shouldGoOnServingWhenTheFolderIsDeleted() throws IOException {
        delete(repository().resolve("m/1"));
        traffic.awaitMore(ENOUGH);
        assertThat(state("m", 1)).isEqualTo("READY: ");

        Reply refused = load(server);

        assertThat(refused.status()).isEqualTo(400);
        String message =
                "no version folder (a positive integer) in " + repository().resolve("m");
        assertThat(refused.error()).contains(message);
        assertLogged(Level.ERROR, "model m version 0 is not served: ", message);
        assertThat(state("m", 1)).isEqualTo("READY: ");
        delete(repository().resolve("m"));
        Reply absent = load(server);
        assertThat(absent.status()).isEqualTo(404);
        assertThat(absent.error()).startsWith("model 'm' is not in the repositories ");
        assertThat(state("m", 1)).isEqualTo("READY: ");
        assertOnlyVersion1Answers();
    }

    @Test
    void shouldKeepTheFilesOfAnUploadOfWhichSomeVersionsAreServed() throws IOException {
        String upload = "{'parameters':{'config':'{\\'version_policy\\':{\\'all\\':{}}}','file:1/model.onnx':'"
                + TestModels.base64(TestModels.answering(1)) + "','file:2/model.onnx':'"
                + TestModels.base64(new byte[] {1, 2, 3}) + "'}}";

        Reply refused = load(server, "u", upload);

        assertThat(refused.status()).as(refused.body()).isEqualTo(400);
        assertThat(refused.error()).contains("version 2");
        assertThat(state("u", 1)).isEqualTo("READY: ");
        assertThat(uploaded("u")).isEqualTo(1);
        assertThat(load(server, "u", upload).status()).isEqualTo(400);
        assertThat(state("u", 1)).isEqualTo("READY: ");
        assertThat(uploaded("u")).isEqualTo(1);
        assertThat(change(server, "u", "unload", "").status()).isEqualTo(200);
        assertThat(uploaded("u")).isZero();
    }

    /// How often files of a model lie in the work folder.
    private static long uploaded(String model) throws IOException {
        try (Stream<Path> files = Files.walk(temp.resolve("work"))) {
            return files.filter(file -> file.endsWith(model + "/1/model.onnx")).count();
        }
    }
}
