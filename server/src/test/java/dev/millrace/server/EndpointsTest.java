// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.net.http.HttpRequest.BodyPublishers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointsTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void shouldDescribeTheServer() {
        JsonTree answer = server.get("/v2").json();

        assertThat(answer.members()).containsOnlyKeys("name", "version", "extensions");
        assertThat(answer.get("name").text()).isEqualTo("millrace");
        assertThat(answer.get("extensions").scalars())
                .containsExactly(
                        "binary_tensor_data",
                        "classification",
                        "logging",
                        "model_configuration",
                        "parameters",
                        "schedule_policy",
                        "statistics");
    }

    @Test
    void shouldBeLiveAndReady() {
        assertThat(server.get("/v2/health/live").body()).isEqualTo("{\"live\":true}");
        assertThat(server.get("/v2/health/ready").body()).isEqualTo("{\"ready\":true}");
    }

    @Test
    void shouldDescribeAModel() {
        Reply reply = server.get("/v2/models/two_in");

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.response().headers().firstValue("Content-Type")).contains("application/json");
        assertThat(reply.body())
                .startsWith(Bodies.json("{'name':'two_in','versions':['1'],'platform':'onnxruntime_onnx','inputs':["
                        + "{'name':'a','datatype':'FP32','shape':[-1,2]},"
                        + "{'name':'b','datatype':'FP32','shape':[-1,2]}],'outputs':["));
        assertThat(reply.json().get("parameters").get("batching").text()).isEqualTo("ROWS");
        assertThat(server.get("/v2/models/two_in/versions/1").body()).isEqualTo(reply.body());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "scalar      | [{name=x, datatype=FP32, shape=[-1]}, {name=factor, datatype=FP32, shape=[]}]",
                "nobatch     | [{name=x, datatype=FP32, shape=[-1, -1, -1]}]",
                "string_only | [{name=text, datatype=BYTES, shape=[-1, 1]}]",
                "one_row     | [{name=x, datatype=FP32, shape=[1, 3]}]",
                "echo_bf16   | [{name=in_BF16, datatype=BF16, shape=[-1, 2]}]",
            })
    void shouldDescribeInputs(String model, String inputs) {
        assertThat(server.get("/v2/models/" + model).json().get("inputs")).hasToString(inputs);
    }

    @ParameterizedTest
    @CsvSource({
        "/v2/models/nobody, nobody",
        "/v2/models/nobody/ready, nobody",
        "/v2/models/linear/versions/7, 7",
        "/v2/models/linear/versions/v7/ready, v7",
        "/v2/models/linear/versions/99999999999999999999, 99999999999999999999",
        "/v2/nothing, /v2/nothing",
        "/v2/, /v2/"
    })
    void shouldSayWhatIsNotThere(String path, String named) {
        Reply reply = server.get(path);

        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.error()).contains(named);
    }

    @Test
    void shouldSayWhenAModelIsReady() {
        assertThat(server.get("/v2/models/linear/ready").body()).isEqualTo("{\"name\":\"linear\",\"ready\":true}");
        assertThat(server.get("/v2/models/linear/versions/1/ready").status()).isEqualTo(200);
    }

    @Test
    void shouldSayWhyABrokenModelIsNotServed() {
        Reply ready = server.get("/v2/models/corrupt/ready");
        assertThat(ready.status()).isEqualTo(503);
        assertThat(ready.json().get("ready").value()).isEqualTo(false);

        for (String path : new String[] {"/v2/models/corrupt", "/v2/models/corrupt/versions/1"}) {
            Reply reply = server.get(path);
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.error()).contains("corrupt", "not served", "Protobuf parsing failed");
        }
        for (String path : new String[] {"corrupt", "corrupt/versions/1"}) {
            Reply reply = server.infer(path, Bodies.request());
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.error()).contains("corrupt", "not served");
        }
        assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v2",
                "/v2/health/live",
                "/v2/health/ready",
                "/metrics",
                "/v2/models/linear",
                "/v2/models/linear/ready"
            })
    void shouldAnswerGetAndHeadOnly(String path) {
        Reply head = server.send(server.request(path).HEAD());
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.body()).isEmpty();

        for (String method : new String[] {"POST", "PUT", "DELETE", "OPTIONS"}) {
            Reply reply = server.send(server.request(path).method(method, BodyPublishers.ofString("{}")));
            assertThat(reply.status()).isEqualTo(405);
            assertThat(reply.response().headers().firstValue("Allow")).contains("GET, HEAD");
            assertThat(reply.error()).contains(method);
        }
    }

    @Test
    void shouldSayTheLengthThatAGetWouldHave() {
        long length = server.get("/v2").body().length();

        assertThat(server.send(server.request("/v2").HEAD())
                        .response()
                        .headers()
                        .firstValueAsLong("Content-Length"))
                .hasValue(length);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "PUT"})
    void shouldInferByPostOnly(String method) {
        Reply reply = server.send(server.request("/v2/models/linear/infer").method(method, BodyPublishers.noBody()));

        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.response().headers().firstValue("Allow")).contains("POST");
    }
}
