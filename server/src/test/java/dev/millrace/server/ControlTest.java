// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.control.AdminToken;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.limit.Limit;
import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Models that change while a server serves, over HTTP.
class ControlTest {
    private static final String TOKEN = "a-token-for-tests";
    private static final String LINEAR_CONFIG = "{'platform':'onnxruntime_onnx'}";

    @TempDir
    Path temp;

    private Path repository() throws IOException {
        return Files.createDirectories(temp.resolve("repository"));
    }

    private TestServer start(UnaryOperator<ControlConfig> change) throws IOException {
        return start(change, UnaryOperator.identity());
    }

    private TestServer start(UnaryOperator<ControlConfig> change, UnaryOperator<ServerConfig> others)
            throws IOException {
        ControlConfig control = ControlConfig.DEFAULT
                .withMode(ControlMode.EXPLICIT)
                .withToken(AdminToken.of(TOKEN))
                .withWorkDir(temp.resolve("work"));
        ServerConfig config = ServerConfig.of(repository()).withPort(0).withControl(change.apply(control));
        return TestServer.start(_ -> others.apply(config));
    }

    private static Reply change(TestServer server, String method, String path, String body) {
        return server.send(server.request("/v2/repository/models/" + path)
                .header("Authorization", "Bearer " + TOKEN)
                .method(method, BodyPublishers.ofString(Bodies.json(body))));
    }

    private static Reply post(TestServer server, String path, String body) {
        return change(server, "POST", path, body);
    }

    private static void load(TestServer server, String model) {
        Reply reply = post(server, model + "/load", "");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.body()).isEmpty();
    }

    private static String upload(int version, byte[] model) {
        return "{'parameters':{'config':'" + LINEAR_CONFIG.replace("'", "\\'") + "','file:" + version + "/model.onnx':'"
                + TestModels.base64(model) + "'}}";
    }

    /// The first number that a model answers, and by which version.
    private static String answer(TestServer server, String model) {
        Reply reply = server.infer(model, Bodies.LINEAR);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().get("model_version").text() + ":"
                + reply.data().split(",")[0].replaceFirst("\\.0$", "");
    }

    private static String states(TestServer server) {
        List<String> states = new ArrayList<>();
        for (JsonTree entry : server.post("/v2/repository/index", "").json().elements()) {
            String version = entry.members().containsKey("version")
                    ? ":" + entry.get("version").text()
                    : "";
            states.add(entry.get("name").text() + version + " "
                    + entry.get("state").text());
        }
        return String.join(", ", states);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(2);
        }
    }

    @Test
    void shouldServeWhatIsLoadedAndNothingElse() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        TestModels.write(repository(), "other", 1, TestModels.answering(2));
        try (TestServer server = start(control -> control)) {
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
            assertThat(server.get("/v2").json().get("extensions").scalars())
                    .contains("model_repository", "model_repository(unload_dependents)");
            assertThat(server.infer("m", Bodies.LINEAR).status()).isEqualTo(404);

            assertThat(states(server)).isEqualTo("m UNAVAILABLE, other UNAVAILABLE");
            load(server, "m");
            assertThat(answer(server, "m")).isEqualTo("1:1");
            assertThat(server.infer("other", Bodies.LINEAR).status()).isEqualTo(404);
            assertThat(states(server)).isEqualTo("m:1 READY, other UNAVAILABLE");
            assertThat(server.post("/v2/repository/index", "{\"ready\":true}")
                            .json()
                            .elements())
                    .hasSize(1);

            TestModels.write(repository(), "m", 2, TestModels.answering(7));
            assertThat(answer(server, "m")).isEqualTo("1:1");
            load(server, "m");
            assertThat(answer(server, "m")).isEqualTo("2:7");

            assertThat(post(server, "m/unload", "").status()).isEqualTo(200);
            assertThat(server.infer("m", Bodies.LINEAR).status()).isIn(404, 503);
            assertThat(server.get("/v2/models/m/ready").status()).isIn(404, 503);
            await(() -> states(server).equals("m:1 UNAVAILABLE, m:2 UNAVAILABLE, other UNAVAILABLE"));
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
            assertThat(post(server, "m/unload", "").status()).isEqualTo(404);
            assertThat(post(server, "nobody/load", "").status()).isEqualTo(404);
        }
    }

    @Test
    void shouldLoadAtStartWhatWasNamed() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        TestModels.write(repository(), "other", 1, TestModels.answering(2));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("m")))) {
            assertThat(states(server)).isEqualTo("m:1 READY, other UNAVAILABLE");
        }
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            assertThat(states(server)).isEqualTo("m:1 READY, other:1 READY");
        }
    }

    @Test
    void shouldAskForTheToken() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control)) {
            for (String path : List.of("m/load", "m/unload", "m/rollback", "m/aliases/champion")) {
                String url = "/v2/repository/models/" + path;
                Reply without = server.post(url, "{}");
                assertThat(without.status()).isEqualTo(401);
                assertThat(without.error()).contains("Authorization: Bearer TOKEN");
                assertThat(without.response().headers().firstValue("WWW-Authenticate"))
                        .contains("Bearer");
                Reply wrong = server.send(server.request(url)
                        .header("Authorization", "Bearer " + TOKEN + "x")
                        .POST(BodyPublishers.ofString("{}")));
                assertThat(wrong.status()).isEqualTo(403);
                assertThat(wrong.error()).contains("wrong").doesNotContain(TOKEN);
            }
            assertThat(server.post("/v2/repository/index", "").status()).isEqualTo(200);
            load(server, "m");
            assertThat(answer(server, "m")).isEqualTo("1:1");
        }
    }

    @Test
    void shouldLetInWhoComesByTheAdminPort() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        UnaryOperator<ControlConfig> local = _ -> ControlConfig.DEFAULT
                .withMode(ControlMode.EXPLICIT)
                .withWorkDir(temp.resolve("work"))
                .withAdminPort(0);
        try (TestServer server = start(local);
                RawClient admin = RawClient.connect(server.server().adminPort())) {
            assertThat(server.server().adminPort()).isNotEqualTo(server.port());
            assertThat(server.server().adminUrl())
                    .isEqualTo("http://127.0.0.1:" + server.server().adminPort());
            Reply elsewhere = post(server, "m/load", "");
            assertThat(elsewhere.status()).isEqualTo(403);
            assertThat(elsewhere.error()).contains("--admin-token-file", "--admin-port");

            String load = RawClient.post("/v2/repository/models/m/load", "");
            String browsers = RawClient.post("/v2/repository/models/m/load", "", "Origin: http://evil.example\r\n");
            assertThat(admin.send(browsers).read().status()).isEqualTo(403);
            assertThat(states(server)).isEqualTo("m UNAVAILABLE");
            assertThat(admin.send(load).read().status()).isEqualTo(200);
            assertThat(answer(server, "m")).isEqualTo("1:1");
            assertThat(admin.send(RawClient.get("/v2/models/m/ready")).read().status())
                    .isEqualTo(200);
        }
        try (TestServer server = start(local, config -> config.withLimit(Limit.MAX_CONNECTIONS, 1));
                RawClient _ = server.connect();
                RawClient tooMany = server.connect();
                RawClient admin = RawClient.connect(server.server().adminPort())) {
            assertThat(tooMany.send(RawClient.get("/v2/models/m")).read().status())
                    .isEqualTo(503);
            assertThat(admin.send(RawClient.post("/v2/repository/models/m/load", ""))
                            .read()
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldServeAModelThatCameWithTheLoad() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            assertThat(post(server, "m/load", upload(5, TestModels.answering(9)))
                            .status())
                    .isEqualTo(200);
            assertThat(answer(server, "m")).isEqualTo("5:9");
            assertThat(post(server, "fresh/load", upload(1, TestModels.answering(3)))
                            .status())
                    .isEqualTo(200);
            assertThat(answer(server, "fresh")).isEqualTo("1:3");

            load(server, "m");
            assertThat(answer(server, "m")).isEqualTo("1:1");
            assertThat(post(server, "fresh/unload", "").status()).isEqualTo(200);
        }
        assertThat(temp.resolve("work")).isEmptyDirectory();
        assertThat(repository().toFile().list()).containsExactly("m");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "../../../../tmp/evil   | does not begin with a version",
                "/etc/cron.d/evil       | does not begin with a version",
                "1/../../evil           | '..' is no name",
                "1/../model.onnx        | '..' is no name",
                "1/./model.onnx         | '.' is no name",
                "1//model.onnx          | '' is no name",
                "1/                     | '' is no name",
                "1/a\\\\..\\\\evil      | U+005C",
                "1/C:evil               | U+003A",
                "1/a\\u0000b            | U+0000",
                "1/a\\u000ab            | U+000A",
                "model.onnx             | does not begin with a version",
                "0/model.onnx           | does not begin with a version",
            })
    void shouldRefuseFilesThatWouldGoElsewhere(String path, String why) throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            Reply reply =
                    post(server, "m/load", upload(2, TestModels.answering(9)).replace("2/model.onnx", path));

            assertThat(reply.status()).as(reply.body()).isEqualTo(400);
            assertThat(reply.error())
                    .startsWith("parameter 'file:")
                    .contains("is refused")
                    .contains(why);
            assertThat(answer(server, "m")).isEqualTo("1:1");
        }
        try (Stream<Path> files = Files.walk(temp)) {
            assertThat(files.map(Path::toString)).noneMatch(file -> file.contains("evil"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'parameters':{'config':'{}','file:1/model.onnx':'*'}} | is no Base64",
                "{'parameters':{'config':'{}','file:1/model.onnx':7}} | is 7, expected a string",
                "{'parameters':{'file:1/model.onnx':'AAAA'}} | without the parameter config",
                "{'parameters':{'config':'{','file:1/model.onnx':'AAAA'}} | ",
                "{'parameters':{'config':'{}','file:1/model.onnx':'AAAA'}} | cannot load",
                "{'parameters':{'config':'{}','file:1/other.onnx':'AAAA'}} | other.onnx",
                "{'parameters':{'config':'{}','file:1/a':'','file:1/a/b':''}} | another file or folder",
                "{'parameters':{'colour':'red'}} | 'colour' of a load is not known",
                "PK\\3\\4 | malformed JSON",
            })
    void shouldSayWhatIsWrongWithALoadAndGoOnServing(String body, String why) throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            Reply reply = post(server, "m/load", body);

            assertThat(reply.status()).as(reply.body()).isEqualTo(400);
            if (why != null && !why.contains("other.onnx")) {
                assertThat(reply.error()).contains(why);
            }
            assertThat(answer(server, "m")).isEqualTo("1:1");
            assertThat(server.get("/v2/models/m/ready").status()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseAnotherContractUnlessItIsMeant() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        byte[] other = Files.readAllBytes(TestServer.models().resolve("two_in/1/model.onnx"));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            Reply refused = post(server, "m/load", upload(2, other));
            assertThat(refused.status()).isEqualTo(400);
            assertThat(answer(server, "m")).isEqualTo("1:1");

            String meant = upload(2, other).replace("'parameters':{", "'parameters':{'contract_change':true,");
            assertThat(post(server, "m/load", meant).status()).isEqualTo(200);
            assertThat(server.get("/v2/models/m").body()).contains("\"a\"", "\"b\"");
        }
    }

    @Test
    void shouldTakeAConfigurationInEitherSpelling() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            for (String config : List.of("{\\'max_batch_size\\':4}", "{\\'maxBatchSize\\':8}")) {
                Reply reply = post(server, "m/load", "{'parameters':{'config':'" + config + "'}}");
                assertThat(reply.status()).as(reply.body()).isEqualTo(200);
                assertThat(server.get("/v2/models/m/config")
                                .json()
                                .get("max_batch_size")
                                .value())
                        .hasToString(config.contains("4") ? "4" : "8");
            }
            assertThat(answer(server, "m")).isEqualTo("1:1");
        }
    }

    @Test
    void shouldBoundWhatComesWithLoads() throws Exception {
        try (TestServer server = start(
                control -> control,
                config -> config.withLimit(Limit.MAX_UPLOAD_BYTES, 300).withLimit(Limit.MAX_BODY_BYTES, 2000))) {
            assertThat(post(server, "a/load", upload(1, TestModels.answering(1)))
                            .status())
                    .isEqualTo(200);
            Reply second = post(server, "b/load", upload(1, TestModels.answering(1)));
            assertThat(second.status()).isEqualTo(413);
            assertThat(second.error()).contains("--max-upload-bytes");
            assertThat(post(server, "b/load", upload(1, new byte[2000])).status())
                    .isEqualTo(413);
            assertThat(server.get("/metrics").body())
                    .contains("millrace_http_limited_total{limit=\"max_upload_bytes\"} 1.0");
        }
    }

    @Test
    void shouldAnswerByAliasesWhereverAVersionIs() throws Exception {
        for (int version = 1; version <= 3; version++) {
            TestModels.write(repository(), "m", version, TestModels.answering(version));
        }
        Files.writeString(repository().resolve("m/model.yaml"), "version_policy: { all: {} }\n");
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            assertThat(server.infer("m/versions/champion", Bodies.LINEAR).status())
                    .isEqualTo(404);
            assertThat(post(server, "m/aliases/champion", "{'version':'2'}").status())
                    .isEqualTo(200);
            assertThat(post(server, "m/aliases/challenger", "{'version':3}").status())
                    .isEqualTo(200);

            assertThat(answer(server, "m/versions/champion")).isEqualTo("2:2");
            assertThat(answer(server, "m/versions/challenger")).isEqualTo("3:3");
            for (String path : List.of("", "/ready", "/config", "/stats")) {
                assertThat(server.get("/v2/models/m/versions/champion" + path).status())
                        .as(path)
                        .isEqualTo(200);
            }
            assertThat(server.get("/v2/models/m/versions/champion/stats").body())
                    .contains("\"version\":\"2\"");
            assertThat(server.get("/v1/models/m/versions/champion").body()).contains("\"2\"");
            assertThat(server.get("/v2/models/m/versions/nobody").status()).isEqualTo(404);

            assertThat(post(server, "m/aliases/champion", "{'version':'1'}").status())
                    .isEqualTo(200);
            assertThat(answer(server, "m/versions/champion")).isEqualTo("1:1");
            assertThat(change(server, "DELETE", "m/aliases/champion", "").status())
                    .isEqualTo(200);
            assertThat(server.infer("m/versions/champion", Bodies.LINEAR).status())
                    .isEqualTo(404);
            assertThat(change(server, "DELETE", "m/aliases/champion", "").status())
                    .isEqualTo(404);
            assertThat(post(server, "m/aliases/champion", "{'version':'9'}").status())
                    .isEqualTo(404);
            assertThat(post(server, "m/aliases/7", "{'version':'1'}").status()).isEqualTo(400);
            assertThat(post(server, "m/aliases/champion", "{}").error()).contains("version is missing");
        }
    }

    @Test
    void shouldGoBackToWhatWasServedBefore() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        Files.writeString(repository().resolve("m/model.yaml"), "parameters: { keep_previous: 1 }\n");
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            assertThat(post(server, "m/rollback", "").status()).isEqualTo(404);
            TestModels.write(repository(), "m", 2, TestModels.answering(2));
            load(server, "m");
            assertThat(answer(server, "m")).isEqualTo("2:2");
            assertThat(server.get("/v2/models/m").json().get("versions").scalars())
                    .containsExactly("2");
            assertThat(server.get("/v2/models/m/versions/1").error()).contains("kept warm for a rollback");
            assertThat(server.get("/v2/models/m/versions").body()).contains("\"kept\":true");

            assertThat(post(server, "m/rollback", "").status()).isEqualTo(200);
            assertThat(answer(server, "m")).isEqualTo("1:1");
            assertThat(post(server, "m/rollback", "{}").status()).isEqualTo(200);
            assertThat(answer(server, "m")).isEqualTo("2:2");
        }
    }

    @Test
    void shouldTellOfEveryVersion() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        TestModels.write(repository(), "m", 2, TestModels.answering(2));
        Files.writeString(
                repository().resolve("m/model.yaml"),
                "version_policy: { all: {} }\nparameters: { aliases.champion: 1 }\n");
        TestModels.write(repository(), "m", 3, new byte[] {1, 2, 3});
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            List<JsonTree> versions =
                    server.get("/v2/models/m/versions").json().get("versions").elements();

            assertThat(versions).hasSize(3);
            assertThat(versions.getFirst().members().keySet())
                    .containsExactly("version", "state", "reason", "aliases", "sha256", "loaded_at", "kept");
            assertThat(versions.getFirst().get("sha256").text()).matches("[0-9a-f]{64}");
            assertThat(versions.get(1).get("sha256").text())
                    .matches("[0-9a-f]{64}")
                    .isNotEqualTo(versions.getFirst().get("sha256").text());
            assertThat(java.time.Instant.parse(
                            versions.getFirst().get("loaded_at").text()))
                    .isBeforeOrEqualTo(java.time.Instant.now());
            assertThat(versions.getFirst().get("aliases").scalars()).containsExactly("champion");
            assertThat(versions.getLast().get("state").text()).isEqualTo("UNAVAILABLE");
            assertThat(versions.getLast().get("reason").text()).contains("cannot load");
            assertThat(versions.getLast().get("loaded_at").text()).isEmpty();
            assertThat(server.get("/v2/models/nobody/versions").status()).isEqualTo(404);
        }
    }

    @Test
    void shouldCountWhatIsChanged() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        byte[] other = Files.readAllBytes(TestServer.models().resolve("two_in/1/model.onnx"));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            assertThat(server.infer("m", Bodies.LINEAR).status()).isEqualTo(200);
            assertThat(post(server, "m/load", upload(2, TestModels.answering(2)))
                            .status())
                    .isEqualTo(200);
            assertThat(server.infer("m", Bodies.LINEAR).status()).isEqualTo(200);
            assertThat(post(server, "m/load", upload(3, other)).status()).isEqualTo(400);
            assertThat(post(server, "m/load", upload(4, new byte[] {1})).status())
                    .isEqualTo(400);
            assertThat(post(server, "m/load", "{'parameters':{'config':'{\\'max_batch_size\\':-1}'}}")
                            .status())
                    .isEqualTo(400);
            await(() -> states(server).contains("m:1 UNAVAILABLE"));

            String metrics = server.get("/metrics").body();
            assertThat(metrics)
                    .contains(
                            "millrace_model_loads_total{model=\"m\"} 3.0",
                            "millrace_model_swaps_total{model=\"m\"} 2.0",
                            "millrace_model_requests_ended_total{model=\"m\",outcome=\"ok\"} 2.0",
                            "millrace_model_load_failures_total{model=\"m\",reason=\"configuration\"} 1.0",
                            "millrace_model_load_failures_total{model=\"m\",reason=\"contract\"} 1.0",
                            "millrace_model_load_failures_total{model=\"m\",reason=\"memory\"} 0.0",
                            "millrace_model_load_failures_total{model=\"m\",reason=\"model\"} 1.0",
                            "millrace_model_state{model=\"m\",state=\"READY\",version=\"2\"} 1.0",
                            "millrace_model_state{model=\"m\",state=\"UNAVAILABLE\",version=\"1\"} 1.0",
                            "millrace_requests_accepted_total{model=\"m\",version=\"2\"}")
                    .doesNotContain(
                            "millrace_requests_accepted_total{model=\"m\",version=\"1\"}",
                            "millrace_model_memory_bytes{model=\"m\",tag=\"ring\",version=\"1\"}");
        }
    }

    @Test
    void shouldFailNoRequestWhileModelsAreReplaced() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        try (TestServer server = start(control -> control.withStartUpModels(Set.of("*")))) {
            AtomicBoolean stop = new AtomicBoolean();
            AtomicInteger answered = new AtomicInteger();
            Set<String> wrong = java.util.Collections.synchronizedSet(new TreeSet<>());
            Set<String> seen = java.util.Collections.synchronizedSet(new TreeSet<>());
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(Thread.ofPlatform().start(() -> {
                    try (RawClient client = server.connect()) {
                        while (!stop.get()) {
                            String body = client.send(RawClient.post("/v2/models/m/infer", Bodies.LINEAR))
                                    .read()
                                    .toString();
                            answered.incrementAndGet();
                            String version = body.replaceAll("(?s).*\"model_version\":\"(\\d+)\".*", "$1");
                            if (!body.startsWith("200") || !body.contains("\"data\":[" + version + ".0,")) {
                                wrong.add(body);
                            }
                            seen.add(version);
                        }
                    }
                }));
            }
            for (int version = 2; version <= 12; version++) {
                int before = answered.get();
                Reply reply = version % 2 == 0
                        ? post(server, "m/load", upload(version, TestModels.answering(version)))
                        : post(server, "m/rollback", "");
                assertThat(reply.status()).as(reply.body()).isEqualTo(200);
                await(() -> answered.get() > before + 10);
            }
            stop.set(true);
            for (Thread client : clients) {
                client.join();
            }

            assertThat(wrong).isEmpty();
            assertThat(seen).contains("1", "2", "12");
        }
    }

    @Test
    void shouldFollowTheRepositoryWhenItPolls() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        // The file system tells; the interval is never over.
        UnaryOperator<ControlConfig> poll = _ -> ControlConfig.DEFAULT
                .withMode(ControlMode.POLL)
                .withToken(AdminToken.of(TOKEN))
                .withPollInterval(Duration.ZERO);
        try (TestServer server = start(poll)) {
            assertThat(answer(server, "m")).isEqualTo("1:1");
            TestModels.write(repository(), "m", 2, TestModels.answering(2));
            await(() -> answer(server, "m").equals("2:2"));
            TestModels.write(repository(), "new", 1, TestModels.answering(5));
            await(() -> server.get("/v2/models/new/ready").status() == 200);
            TestModels.write(repository(), "m", 3, new byte[] {1});
            await(() -> states(server).contains("m:3 UNAVAILABLE"));
            assertThat(answer(server, "m")).isEqualTo("2:2");
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
            Files.delete(repository().resolve("new/1/model.onnx"));
            Files.delete(repository().resolve("new/1"));
            Files.delete(repository().resolve("new"));
            await(() -> server.get("/v2/models/new/ready").status() != 200);

            Reply refused = post(server, "m/load", "");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.error()).contains("model control mode poll");
            assertThat(post(server, "m/rollback", "").status()).isEqualTo(200);
            assertThat(answer(server, "m")).isEqualTo("1:1");
        }
    }

    @Test
    void shouldBeReadyWhenAllModelsAreLoadedIfThatIsAskedFor() throws Exception {
        TestModels.write(repository(), "m", 1, TestModels.answering(1));
        TestModels.write(repository(), "broken", 1, new byte[] {1});
        UnaryOperator<ControlConfig> poll =
                _ -> ControlConfig.DEFAULT.withMode(ControlMode.POLL).withPollInterval(Duration.ZERO);
        try (TestServer server = start(poll)) {
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(503);
            assertThat(answer(server, "m")).isEqualTo("1:1");

            TestModels.write(repository(), "broken", 1, TestModels.answering(2));
            await(() -> server.get("/v2/health/ready").status() == 200);

            TestModels.write(repository(), "later", 1, new byte[] {1});
            await(() -> states(server).contains("later:1 UNAVAILABLE"));
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
        }
        try (TestServer server = start(_ -> ControlConfig.DEFAULT.withStrictReadiness(false))) {
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
        }
    }
}
