// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import dev.millrace.server.TestServer.Reply;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/// What is asked of a server beside inference.
class ManagementTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static List<JsonTree> stats(String path) {
        Reply reply = server.get(path);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.json().members()).containsOnlyKeys("model_stats");
        return reply.json().get("model_stats").elements();
    }

    @Test
    void shouldTellWhatAModelHasDone() {
        long before = System.currentTimeMillis();
        server.infer(
                        "two_in",
                        Bodies.request(
                                Bodies.input("a", "[3,2]", "FP32", "[1,2,3,4,5,6]"),
                                Bodies.input("b", "[3,2]", "FP32", "[1,2,3,4,5,6]")))
                .data();
        server.infer("two_in", "{");

        JsonTree stats = stats("/v2/models/two_in/stats").getFirst();

        assertThat(stats.members().keySet())
                .containsExactly(
                        "name",
                        "version",
                        "last_inference",
                        "inference_count",
                        "execution_count",
                        "inference_stats",
                        "response_stats",
                        "batch_stats",
                        "memory_usage");
        assertThat(stats.get("name").text()).isEqualTo("two_in");
        assertThat(stats.get("version").text()).isEqualTo("1");
        assertThat(number(stats.get("last_inference"))).isBetween(before, System.currentTimeMillis());
        assertThat(number(stats.get("inference_count"))).isEqualTo(3);
        assertThat(number(stats.get("execution_count"))).isEqualTo(1);
        JsonTree inference = stats.get("inference_stats");
        assertThat(inference.members().keySet())
                .containsExactly(
                        "success",
                        "fail",
                        "queue",
                        "compute_input",
                        "compute_infer",
                        "compute_output",
                        "cache_hit",
                        "cache_miss");
        assertThat(number(inference.get("success").get("count"))).isOne();
        assertThat(number(inference.get("fail").get("count"))).isOne();
        assertThat(number(inference.get("fail").get("ns"))).isPositive();
        long parts = 0;
        for (String part : List.of("queue", "compute_input", "compute_infer", "compute_output")) {
            assertThat(number(inference.get(part).get("count"))).as(part).isOne();
            parts += number(inference.get(part).get("ns"));
        }
        assertThat(parts).isPositive();
        assertThat(number(inference.get("success").get("ns"))).isGreaterThanOrEqualTo(parts);
        JsonTree batch = stats.get("batch_stats").elements().getFirst();
        assertThat(number(batch.get("batch_size"))).isEqualTo(3);
        assertThat(number(batch.get("compute_infer").get("count"))).isOne();
        assertThat(number(batch.get("compute_infer").get("ns"))).isPositive();
        assertThat(number(stats.get("memory_usage").elements().getFirst().get("byte_size")))
                .isPositive();
        assertThat(stats("/v2/models/two_in/versions/1/stats")).hasSize(1);
    }

    @Test
    void shouldTellWhatAllModelsHaveDone() {
        List<String> names = stats("/v2/models/stats").stream()
                .map(one -> one.get("name").text())
                .toList();

        assertThat(names)
                .contains("linear", "gather", "nobatch")
                .doesNotContain("corrupt")
                .isSorted();
    }

    @ParameterizedTest
    @ValueSource(strings = {"stats", "config"})
    void shouldSayWhichModelThereIsNot(String what) {
        assertThat(server.get("/v2/models/nobody/" + what).status()).isEqualTo(404);
        assertThat(server.get("/v2/models/linear/versions/7/" + what).status()).isEqualTo(404);
        assertThat(server.get("/v2/models/linear/versions/x/" + what).error()).contains("'x'");
        Reply broken = server.get("/v2/models/corrupt/" + what);
        assertThat(broken.status()).isEqualTo(503);
        assertThat(broken.error()).contains("corrupt", "not served");
    }

    @Test
    void shouldTellHowAModelIsServed() {
        JsonTree config = server.get("/v2/models/linear/config").json();

        assertThat(config.get("name").text()).isEqualTo("linear");
        assertThat(config.get("platform").text()).isEqualTo("onnxruntime_onnx");
        assertThat(config.get("backend").text()).isEqualTo("onnxruntime");
        assertThat(number(config.get("max_batch_size"))).isEqualTo(128);
        assertThat(config.get("input"))
                .hasToString("[{name=x, data_type=TYPE_FP32, format=FORMAT_NONE, dims=[4], allow_ragged_batch=false,"
                        + " optional=false, is_shape_tensor=false, is_non_linear_format_io=false}]");
        assertThat(config.get("output").elements().getFirst().get("dims").scalars())
                .isNotEmpty();
        JsonTree batching = config.get("dynamic_batching");
        assertThat(number(batching.get("max_queue_delay_microseconds"))).isZero();
        assertThat(number(batching.get("default_queue_policy").get("max_queue_size")))
                .isEqualTo(1024);
        assertThat(number(config.get("instance_group").elements().getFirst().get("count")))
                .isOne();
        assertThat(config.get("parameters")
                        .get("intra_op_thread_count")
                        .get("string_value")
                        .text())
                .isEqualTo("1");
        assertThat(config.get("model_transaction_policy").get("decoupled").value())
                .isEqualTo(false);
        assertThat(server.get("/v2/models/linear/versions/1/config").body())
                .isEqualTo(server.get("/v2/models/linear/config").body());
    }

    @ParameterizedTest
    @CsvSource({"nobatch, 0, '[-1, -1, -1]'", "one_row, 1, [3]", "string_only, 0, '[-1, 1]'", "scalar, 0, [-1]"})
    void shouldLeaveTheBatchOutOfTheDimensions(String model, long maxBatchSize, String dims) {
        JsonTree config = server.get("/v2/models/" + model + "/config").json();

        assertThat(number(config.get("max_batch_size"))).isEqualTo(maxBatchSize);
        assertThat(config.get("input").elements().getFirst().get("dims")).hasToString(dims);
        assertThat(config.members().containsKey("dynamic_batching")).isEqualTo(maxBatchSize > 1);
    }

    @Test
    void shouldListTheRepository() {
        Reply all = server.post("/v2/repository/index", "");
        assertThat(all.status()).isEqualTo(200);
        List<JsonTree> entries = all.json().elements();
        assertThat(entries.stream().map(entry -> entry.get("name").text()))
                .contains("linear", "corrupt")
                .isSorted();
        JsonTree corrupt = entries.stream()
                .filter(entry -> entry.get("name").text().equals("corrupt"))
                .findFirst()
                .orElseThrow();
        assertThat(corrupt.get("version").text()).isEqualTo("1");
        assertThat(corrupt.get("state").text()).isEqualTo("UNAVAILABLE");
        assertThat(corrupt.get("reason").text()).contains("Protobuf parsing failed");

        List<JsonTree> ready =
                server.post("/v2/repository/index", "{\"ready\":true}").json().elements();
        assertThat(ready).hasSizeLessThan(entries.size()).allSatisfy(entry -> {
            assertThat(entry.get("state").text()).isEqualTo("READY");
            assertThat(entry.get("reason").text()).isEmpty();
        });
        assertThat(server.post("/v2/repository/index", " {\"ready\" : false, \"x\":[1,{}]} ")
                        .body())
                .isEqualTo(all.body());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "index | {'ready':1} | ready is 1, expected true or false",
                "index | {'ready':'true'} | ready is 'true', expected true or false",
                "index | {'ready':{}} | ready is an object, expected true or false",
                "index | {'ready':[]} | ready is an array, expected true or false",
                "index | [] | the body is an array, expected an object",
                "index | {'ready': | malformed JSON",
                "index | {} {} | behind the object is an object",
                "models/linear/load | {'parameters':{'config':7}} | 'config' of a load is 7, expected a string",
                "models/linear/load | {'parameters':{'file:1/model.onnx':''}} | without the parameter config",
                "models/linear/load | {'parameters':{'colour':'red'}} | 'colour' of a load is not known",
                "models/linear/load | {'parameters':'x'} | parameters is 'x', expected an object",
                "models/linear/unload | {'parameters':{'unload_dependents':0.5}} | expected true or false",
            })
    void shouldSayWhatIsWrongWithARequestToTheRepository(String path, String body, String message) {
        Reply reply = server.post("/v2/repository/" + path, Bodies.json(body));

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.error()).contains(message);
    }

    @Test
    void shouldNotLoadWhereModelsAreFixed() {
        for (String action : List.of("load", "unload")) {
            Reply reply = server.post("/v2/repository/models/a%2Fb/" + action, "");
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.error()).contains("a/b", "loading", "control mode none");
        }
        assertThat(server.post("/v2/repository/models/linear/load", "{\"parameters\":{\"config\":\"{}\"}}")
                        .status())
                .isEqualTo(503);
        assertThat(server.get("/v2/models/linear/ready").status()).isEqualTo(200);
    }

    @Test
    void shouldChangeWhatIsLogged() {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        ch.qos.logback.classic.Logger own = context.getLogger("dev.millrace");
        Level before = own.getLevel();
        try {
            Reply now = server.get("/v2/logging");
            assertThat(now.body())
                    .isEqualTo(Bodies.json("{'log_file':'','log_info':false,'log_warning':true,'log_error':true,"
                            + "'log_verbose_level':0,'log_format':'default'}"));

            Reply changed = server.post("/v2/logging", Bodies.json("{'log_verbose_level':1,'log_info':true}"));
            assertThat(changed.status()).isEqualTo(200);
            assertThat(changed.body()).isEqualTo(server.get("/v2/logging").body());
            assertThat(number(changed.json().get("log_verbose_level"))).isOne();
            assertThat(LoggerFactory.getLogger("dev.millrace.server").isDebugEnabled())
                    .isTrue();

            assertThat(server.post("/v2/logging", "").body()).isEqualTo(changed.body());
        } finally {
            server.post("/v2/logging", Bodies.json("{'log_verbose_level':0,'log_info':false}"));
            context.resetTurboFilterList();
            own.setLevel(before);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "400 | {'log_info':1} | log_info is 1",
                "400 | {'log_warnings':true} | 'log_warnings' is no setting",
                "400 | {'log_verbose_level':-1} | log_verbose_level is -1",
                "400 | {'log_verbose_level':1.5} | log_verbose_level is a number that is no integer",
                "400 | {'log_format':'xml'} | log_format is 'xml', expected default or ISO8601",
                "501 | {'log_file':'/etc/passwd'} | log_file is '/etc/passwd'",
                "501 | {'log_format':'ISO8601'} | log_format cannot be changed",
            })
    void shouldSayWhatIsWrongWithALogSetting(int status, String body, String message) {
        Reply reply = server.post("/v2/logging", Bodies.json(body));

        assertThat(reply.status()).isEqualTo(status);
        assertThat(reply.error()).contains(message);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v2/systemsharedmemory/status, shared memory",
        "GET, /v2/systemsharedmemory/region/a/status, shared memory",
        "POST, /v2/systemsharedmemory/region/a/register, shared memory",
        "POST, /v2/systemsharedmemory/unregister, shared memory",
        "POST, /v2/cudasharedmemory/region/a/register, shared memory",
        "GET, /v2/cudasharedmemory/status, shared memory",
        "POST, /v2/models/linear/generate, generate",
        "POST, /v2/models/linear/versions/1/generate_stream, generate_stream",
    })
    void shouldRefuseByNameWhatIsNotSupported(String method, String path, String named) {
        Reply reply = server.send(server.request(path).method(method, BodyPublishers.ofString("{}")));

        assertThat(reply.status()).isEqualTo(501);
        assertThat(reply.error()).contains(named, "not supported");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v2/repository/index, POST",
        "GET, /v2/repository/models/linear/load, POST",
        "POST, /v2/models/stats, 'GET, HEAD'",
        "POST, /v2/models/linear/config, 'GET, HEAD'",
        "DELETE, /v2/logging, 'GET, HEAD, POST'",
    })
    void shouldSayWhichMethodIsAllowed(String method, String path, String allowed) {
        Reply reply = server.send(server.request(path).method(method, BodyPublishers.noBody()));

        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.response().headers().firstValue("Allow")).contains(allowed);
    }

    @Test
    void shouldRefuseAHugeBody() {
        Reply reply = server.post("/v2/repository/index", " ".repeat(ManagementPages.MAX_BODY_BYTES + 1));

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.error()).contains("1048577 bytes");
    }

    @Test
    void shouldListOnlyExtensionsThatWork() {
        String extensions =
                server.get("/v2").json().get("extensions").scalars().stream().collect(Collectors.joining(" "));

        assertThat(extensions)
                .contains("statistics", "model_configuration", "logging")
                .doesNotContain("shared_memory", "trace", "model_repository");
    }

    private static long number(JsonTree tree) {
        return Long.parseLong(tree.value().toString());
    }

    @Test
    void shouldTraceNothingWithoutAFolder() {
        Reply level = server.post("/v2/trace/setting", "{\"trace_level\":[\"TIMESTAMPS\"]}");
        Reply file = server.post("/v2/trace/setting", "{\"trace_file\":\"x\"}");

        assertThat(level.status()).isEqualTo(501);
        assertThat(level.error()).contains("trace_level is TIMESTAMPS, expected OFF", "--trace-dir");
        assertThat(file.status()).isEqualTo(501);
        assertThat(file.error()).contains("trace_file is 'x', expected nothing", "--trace-dir");
        assertThat(server.get("/v2/trace/setting").body()).contains("[\"OFF\"]", "\"trace_file\":\"\"");
    }
}
