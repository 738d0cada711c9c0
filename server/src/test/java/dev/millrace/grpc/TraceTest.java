// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.dataset.Datasets;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ServerMetadataRequest;
import dev.millrace.grpc.message.Messages.ServerMetadataResponse;
import dev.millrace.grpc.message.Messages.TraceSettingRequest;
import dev.millrace.grpc.message.Messages.TraceSettingResponse;
import dev.millrace.model.Signature;
import dev.millrace.server.Bodies;
import dev.millrace.server.JsonTree;
import dev.millrace.server.TestServer;
import dev.millrace.server.TestServer.Reply;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The trace extension over HTTP and gRPC: what is set by either is in force for both.
class TraceTest {
    private static final String GENERAL = "/v2/trace/setting";
    private static final String LINEAR = "/v2/models/linear/trace/setting";

    @TempDir
    Path folder;

    private TestServer server;
    private GrpcClient client;

    @BeforeEach
    void start() {
        server = TestServer.start(config -> config.withGrpcPort(0).withTraceFolder(folder));
        client = new GrpcClient(server);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private String set(String path, String body) {
        Reply reply = server.post(path, body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.body();
    }

    private TraceSettingResponse setBy(String model, String name, String... values) {
        TraceSettingRequest.SettingValue value = TraceSettingRequest.SettingValue.newBuilder()
                .addAllValue(Arrays.asList(values))
                .build();
        return client.call(
                "TraceSetting",
                TraceSettingRequest.newBuilder()
                        .setModelName(model)
                        .putSettings(name, value)
                        .build(),
                TraceSettingResponse.getDefaultInstance());
    }

    private static ModelInferRequest.Builder request(String id) {
        return GrpcClient.request("linear", GrpcClient.input("x", List.of(1f, 2f, 3f, 4f), 1, 4))
                .setId(id);
    }

    private JsonTree read(String file) throws IOException {
        return JsonTree.parse(Files.readString(folder.resolve(file)));
    }

    private static List<String> ids(JsonTree traces) {
        List<String> ids = new ArrayList<>();
        traces.elements().forEach(item -> {
            if (item.has("model_name")) {
                ids.add(item.has("request_id") ? item.get("request_id").text() : "");
            }
        });
        return ids;
    }

    @Test
    void shouldTraceRequestsThatCameByEitherProtocol() throws IOException {
        assertThat(set(GENERAL, "{\"trace_level\":[\"TIMESTAMPS\"],\"trace_rate\":\"2\",\"trace_count\":\"3\"}"))
                .isEqualTo("{\"trace_level\":[\"TIMESTAMPS\"],\"trace_rate\":\"2\",\"trace_count\":\"3\","
                        + "\"log_frequency\":\"0\",\"trace_file\":\"trace.json\",\"trace_mode\":\"triton\"}");

        for (int i = 0; i < 2; i++) {
            server.infer("linear", Bodies.LINEAR.replaceFirst("\\{", "{\"id\":\"h" + i + "\","))
                    .data();
            client.infer(request("g" + i));
        }
        server.infer("linear", Bodies.LINEAR).data();
        server.infer("linear", "{").error();
        for (int i = 0; i < 10; i++) {
            server.infer("linear", Bodies.LINEAR).data();
        }

        assertThat(set(GENERAL, "{\"trace_level\":\"OFF\"}")).contains("\"trace_count\":\"0\"");
        JsonTree traces = read("trace.json");
        // The third that was drawn is malformed: it has no times.
        assertThat(ids(traces)).containsExactly("g0", "g1");
        assertThat(traces.elements()
                        .get(1)
                        .get("timestamps")
                        .elements()
                        .get(0)
                        .get("name")
                        .text())
                .isEqualTo("GRPC_WAITREAD_START");
        List<Long> times = new ArrayList<>();
        traces.elements()
                .get(1)
                .get("timestamps")
                .elements()
                .forEach(time -> times.add(Long.parseLong(time.get("ns").toString())));
        assertThat(times).hasSize(11).isSorted();
        assertThat(times.getFirst()).isLessThan(times.getLast());
    }

    /// What was asked can be asked again, or calibrated with.
    @Test
    void shouldTraceTensorsAsData() throws IOException {
        assertThat(set(LINEAR, "{\"trace_level\":[\"TENSORS\"],\"trace_rate\":\"1\",\"trace_file\":\"asked.json\"}"))
                .startsWith("{\"trace_level\":[\"TENSORS\"],");
        server.infer("linear", Bodies.LINEAR).data();
        float[] answer = GrpcClient.floats(client.infer(request("g")).getRawOutputContents(0));
        assertThat(set(LINEAR, "{\"trace_level\":[\"TENSORS\",\"TIMESTAMPS\"]}"))
                .startsWith("{\"trace_level\":[\"TIMESTAMPS\",\"TENSORS\"],");
        client.infer(request("both"));
        set(LINEAR, "{\"trace_level\":\"OFF\"}");

        JsonTree traces = read("asked.json");
        assertThat(ids(traces)).containsExactly("", "g", "both");
        assertThat(traces.elements().get(1).toString())
                .isEqualTo("{id=1, activity=TENSOR_QUEUE_INPUT, tensor={name=x, data=1.0,2.0,3.0,4.0, shape=1,4,"
                        + " dtype=FP32}}");
        assertThat(traces.elements().get(2).toString())
                .isEqualTo("{id=1, activity=TENSOR_BACKEND_OUTPUT, tensor={name=y, data=" + answer[0] + "," + answer[1]
                        + ", shape=1,2," + " dtype=FP32}}");
        assertThat(traces.elements().stream().filter(item -> item.has("timestamps")))
                .hasSize(1);

        Signature signature = server.server().runtime().status().stream()
                .filter(status -> status.model().equals("linear"))
                .findFirst()
                .orElseThrow()
                .signature()
                .orElseThrow();
        List<float[]> rows = new ArrayList<>();
        Datasets.open(folder.resolve("asked.json"), signature, Optional.empty()).forEach(8, batch -> {
            float[] row = new float[12];
            batch.inputs()[0].getFloats(0, row, 0, row.length);
            rows.add(row);
        });
        assertThat(rows).containsExactly(new float[] {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4});
    }

    @Test
    void shouldNameTheTimesOfHttp() throws IOException {
        set(LINEAR, "{\"trace_level\":\"TIMESTAMPS\",\"trace_rate\":1,\"trace_file\":\"own\",\"log_frequency\":\"1\"}");
        server.infer("linear", Bodies.LINEAR).data();
        server.post("/v1/models/linear:predict", "{\"instances\":[[1,2,3,4]]}");
        set(LINEAR, "{\"trace_level\":null,\"trace_rate\":null}");

        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("own.0", "own.1");
        for (String file : List.of("own.0", "own.1")) {
            assertThat(read(file)
                            .elements()
                            .get(1)
                            .get("timestamps")
                            .elements()
                            .get(10)
                            .get("name")
                            .text())
                    .isEqualTo("HTTP_SEND_END");
        }
        assertThat(server.get("/metrics").body())
                .contains("millrace_traces_written_total 2.0", "millrace_traces_dropped_total 0.0");
    }

    @Test
    void shouldShowWhatTheOtherProtocolHasSet() {
        setBy("", "trace_level", "TIMESTAMPS");
        TraceSettingResponse own = setBy("linear", "trace_rate", "5");

        assertThat(own.getSettingsOrThrow("trace_rate").getValueList()).containsExactly("5");
        assertThat(own.getSettingsOrThrow("trace_level").getValueList()).containsExactly("TIMESTAMPS");
        assertThat(server.get(LINEAR).body()).contains("\"trace_rate\":\"5\"", "[\"TIMESTAMPS\"]");
        assertThat(server.get(GENERAL).body()).contains("\"trace_rate\":\"1000\"");
        assertThat(setBy("linear", "trace_rate")
                        .getSettingsOrThrow("trace_rate")
                        .getValueList())
                .containsExactly("1000");
        assertThat(setBy("", "trace_level").getSettingsOrThrow("trace_level").getValueList())
                .containsExactly("OFF");
    }

    @Test
    void shouldListTheExtensionWithAFolder() {
        assertThat(server.get("/v2").body()).contains("\"trace\"");
        assertThat(client.call(
                                "ServerMetadata",
                                ServerMetadataRequest.getDefaultInstance(),
                                ServerMetadataResponse.getDefaultInstance())
                        .getExtensionsList())
                .contains("trace");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"trace_rate\":\"0\"} | 400 | trace_rate is '0', expected an integer from 1",
                "{\"trace_rate\":\"12abc\"} | 400 | trace_rate is '12abc'",
                "{\"trace_rate\":true} | 400 | trace_rate is true, expected a string, an array of strings or null",
                "{\"trace_rate\":[\"1\",\"2\"]} | 400 | trace_rate has 2 values, expected one",
                "{\"trace_count\":\"-2\"} | 400 | trace_count is '-2', expected an integer from -1",
                "{\"log_frequency\":\"99999999999999999999\"} | 400 | log_frequency is '99999999999999999999'",
                "{\"trace_level\":[\"MAX\"]} | 400 | trace_level is 'MAX', expected OFF, TIMESTAMPS or TENSORS",
                "{\"trace_level\":[\"OFF\",\"TENSORS\"]} | 400 | expected OFF alone",
                "{\"trace_level\":[\"OFF\",\"TIMESTAMPS\"]} | 400 | expected OFF alone",
                "{\"trace_level\":[]} | 400 | trace_level is an array, expected a string, an array of strings",
                "{\"trace_level\":[1]} | 400 | trace_level is 1, expected a string",
                "{\"trace_file\":\"../x\"} | 400 | trace_file is '../x', expected a name",
                "{\"trace_file\":\"/etc/passwd\"} | 400 | trace_file is '/etc/passwd', expected a name",
                "{\"trace_file\":\".hidden\"} | 400 | trace_file is '.hidden', expected a name",
                "{\"trace_mode\":\"opentelemetry\"} | 501 | trace_mode is [opentelemetry], expected triton",
                "{\"rate\":\"1\"} | 400 | 'rate' is no setting of traces",
                "[] | 400 | expected an object"
            })
    void shouldRefuseWhatCannotBeAndChangeNothing(String body, int status, String message) {
        String before = server.get(GENERAL).body();
        String mixed = body.startsWith("{") ? body.replaceFirst("\\{", "{\"log_frequency\":\"9\",") : body;

        Reply reply = server.post(GENERAL, body.contains("log_frequency") ? body : mixed);

        assertThat(reply.error()).contains(message);
        assertThat(reply.status()).isEqualTo(status);
        assertThat(server.get(GENERAL).body()).isEqualTo(before);
    }

    @Test
    void shouldSayThatThereIsNoSuchModel() {
        assertThat(server.get("/v2/models/nothing/trace/setting").status()).isEqualTo(404);
        assertThat(server.post("/v2/models/nothing/trace/setting", "{}").status())
                .isEqualTo(404);
        assertThat(server.get("/v2/models/linear/versions/1/trace/setting").status())
                .isEqualTo(404);
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> setBy("nothing", "trace_rate", "1"));
        assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void shouldWriteWhatIsLeftWhenItStops() throws IOException {
        set(GENERAL, "{\"trace_level\":[\"TIMESTAMPS\"],\"trace_rate\":\"1\"}");
        server.infer("linear", Bodies.LINEAR).data();
        server.server().close();

        assertThat(ids(read("trace.json"))).containsExactly("");
        assertThat(Files.readString(folder.resolve("trace.json"))).endsWith("]}\n]\n");
    }
}
