// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.floats;
import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.output;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.server.Bodies;
import dev.millrace.server.TestServer;
import dev.millrace.server.TestServer.Reply;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A model that is asked by raw values, in each protocol. Its first output is x0 + 2·x1 + 3·x2 + 4·x3 + 0.5 of the
/// columns: a mean that is stored, amount / 10, 1 for NL, 1 for web.
class RawValuesTest {
    private static final String SPECIFICATION = """
        apiVersion: v1
        kind: FeaturePipeline
        name: payments
        version: 3
        entities: [{name: user, join_keys: [user_id], type: int64}]
        sources:
          stats: {kind: store, entity: user, fields: [{name: mean, type: float64, default: 0}]}
        request:
          - {name: user_id, type: int64}
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
          - {name: web, type: bool}
        features:
          - {name: mean, input: stats.mean}
          - {name: tenth, input: amount, transform: [{standardize: {mean: 0, std: 10}}],
             validate: [{between: {min: 0, max: 10}}]}
          - {name: NL, input: country, transform: [{one_hot: {vocab: [NL], unknown: ignore}}]}
          - {name: web, input: web, default: 0}
        output: {tensor: x, type: float32, layout: row}
        """;
    private static final ViewSchema STATS =
            new ViewSchema("stats", Field.of("user_id", FieldType.INT64), List.of(Field.of("mean", FieldType.FLOAT64)));

    @TempDir
    private static Path root;

    private static EmbeddedStore store;
    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() throws IOException {
        Path version = Files.createDirectories(root.resolve("models/pay/1"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), version.resolve("model.onnx"));
        Files.writeString(version.resolve("features.yaml"), SPECIFICATION);
        store = EmbeddedStore.open(root.resolve("store"), StoreOptions.DEFAULT, STATS);
        View stats = store.view("stats");
        store.write(new WriteBatch().row(stats, 7, 1, 1).putDouble(0, 100));
        server = TestServer.start(
                root.resolve("models"),
                config -> config.withGrpcPort(0).withRuntime(config.runtime().withFeatureStore(store)));
        client = new GrpcClient(server);
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        server.stop();
        store.close();
    }

    private static Reply predict(String body) {
        return server.post("/v1/models/pay:predict", Bodies.json(body));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'instances':[{'user_id':7,'amount':12.5}]} | [103.0]",
                "{'instances':[{'user_id':7,'amount':10,'country':'NL','web':true},{'amount':20,'country':'X'}]}"
                        + " | [109.5,4.5]",
                "{'instances':[{'user_id':null,'amount':10,'country':null}]} | [2.5]",
                "{'context':{'user_id':7,'web':true},'instances':[{'amount':10},{'amount':20,'country':'NL'}]}"
                        + " | [106.5,111.5]",
                "{'instances':[{'amount':10},{'amount':20}],'context':{}} | [2.5,4.5]",
                "{'context':{'amount':10},'instances':[{},{'web':true}]} | [2.5,6.5]",
            })
    void shouldPredictInstancesOfNamedValues(String body, String first) {
        Reply reply = predict(body);

        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.json().get("predictions").elements().stream()
                        .map(row -> row.scalars().getFirst())
                        .toList()
                        .toString()
                        .replace(" ", ""))
                .isEqualTo(first);
    }

    @Test
    void shouldPredictColumnsOfNamedValues() {
        Reply reply = predict("{'inputs':{'amount':[10,20],'web':[null,true]}}");

        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.json().get("outputs").elements().get(1).scalars().getFirst())
                .isEqualTo("8.5");
    }

    @Test
    void shouldReportWhatBecameOfFeatures() {
        Reply reply = predict("{'reports':true,'instances':[{'user_id':8,'amount':10,'web':true}]}");

        assertThat(reply.body())
                .contains(Bodies.json("'reports':[{'degraded':true,'feature_status':"
                        + "{'mean':'NOT_FOUND','tenth':'PRESENT','NL':'NULL_VALUE','web':'PRESENT'},"
                        + "'feature_age_us':{'mean':-1,'tenth':-1,'NL':-1,'web':-1}}]"));
        // Who asks next has not asked for them.
        assertThat(predict("{'instances':[{'amount':10}]}").body()).doesNotContain("reports");
        String asked = Bodies.request(Bodies.input("amount", "[1]", "FP64", "[10]"))
                .replace(
                        "{\"inputs\"",
                        "{\"outputs\":[{\"name\":\"degraded\"},{\"name\":\"feature_status\"},"
                                + "{\"name\":\"y\"}],\"inputs\"");
        assertThat(server.infer("pay", asked).body())
                .contains(Bodies.json("{'name':'degraded','datatype':'BOOL','shape':[1],'data':[true]}"))
                .contains(Bodies.json("{'name':'feature_status','datatype':'BYTES','shape':[1,4],'parameters':"))
                .contains(Bodies.json("'data':['NOT_FOUND','PRESENT','NULL_VALUE','NULL_VALUE']}"));
    }

    @Test
    void shouldInferOneTensorForEachValue() {
        String request = Bodies.request(
                Bodies.input("user_id", "[2]", "INT64", "[7,null]"),
                Bodies.input("country", "[1]", "BYTES", "[\"NL\"]"),
                Bodies.input("amount", "[2]", "FP64", "[10,20]"));

        assertThat(server.infer("pay", request).data()).startsWith("105.5,").contains(",7.5,");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'instances':[{'user_id':7}]} | instance 0 has no input 'amount'",
                "{'instances':[{'amount':10},{'amount':200}]} | row 1: tenth: 20.0 came, expected a number from 0.0 to"
                        + " 10.0",
                "{'instances':[{'amount':null}]} | amount: null came, expected float64",
                "{'instances':[{'amount':'much'}]} | element 0 of input 'amount' is the string",
                "{'instances':[{'amount':1,'amount':1}]} | input 'amount' of instance 0 comes twice",
                "{'instances':[{'amuont':1}]} | model 'pay' has no input 'amuont'; it has [user_id, amount, country,"
                        + " web]",
                "{'instances':[{'amount':1,'web':1}]} | element 0 of input 'web' is 1, expected true or false for BOOL",
                "{'instances':[1]} | instance 0 is 1, expected an object with inputs of [user_id, amount, country,"
                        + " web]",
                "{'instances':[],'context':{'amount':1}} | 'instances' is empty",
                "{'context':{'amount':1},'instances':[{'amount':1}]} | input 'amount' of instance 0 comes in"
                        + " 'context', too",
                "{'context':[],'instances':[{'amount':1}]} | 'context' is an array, expected an object",
                "{'context':{'web':true},'inputs':{'amount':[1]}} | 'context' is for requests with 'instances'",
                "{'inputs':{'web':[true]}} | input 'amount' is missing, expected FP64 of shape [-1]",
            })
    void shouldSayWhatIsWrong(String body, String message) {
        Reply reply = predict(body);

        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.error()).contains(message);
    }

    @Test
    void shouldRefuseReportsThatThereAreNot() {
        String request = Bodies.request(Bodies.input("amount", "[1]", "FP64", "[10]"));
        assertThat(server.infer("pay", Bodies.with("\"outputs\":[{\"name\":\"z\"}]", request))
                        .error())
                .isEqualTo("the model has no output 'z'; it has [y], and the reports [feature_status, feature_age_us,"
                        + " degraded]");
        String classes = "\"outputs\":[{\"name\":\"feature_age_us\",\"parameters\":{\"classification\":1}}]";
        assertThat(server.infer("pay", Bodies.with(classes, request)).error())
                .isEqualTo("report 'feature_age_us' cannot be asked for by classes");
    }

    @Test
    void shouldAnswerInGrpc() {
        ModelInferRequest.Builder request = request(
                "pay",
                input("amount", "FP64", 2)
                        .setContents(InferTensorContents.newBuilder()
                                .addFp64Contents(10)
                                .addFp64Contents(20)),
                input("country", "BYTES", 1)
                        .setContents(InferTensorContents.newBuilder().addBytesContents(ByteString.copyFromUtf8("NL"))));
        assertThat(floats(client.infer(request).getRawOutputContents(0))[2]).isEqualTo(7.5f);
        request.addOutputs(output("y")).addOutputs(output("degraded")).addOutputs(output("feature_age_us"));
        ModelInferResponse response = client.infer(request);
        assertThat(response.getOutputsList().toString()).contains("degraded", "feature_age_us");
        assertThat(response.getRawOutputContents(1)).isEqualTo(ByteString.copyFrom(new byte[] {1, 1}));
        client.assertInvalid(request.clone().setInputs(0, input("web", "BOOL", 1)), "contents");
    }

    @Test
    void shouldTellWhatItTakesAndHasCounted() {
        predict("{'instances':[{'user_id':7,'amount':12.5}]}");

        assertThat(server.get("/v2/models/pay").body())
                .contains(Bodies.json("{'name':'amount','datatype':'FP64','shape':[-1]}"))
                .contains("\"features.name\":\"payments\"", "\"features.version\":\"3\"")
                .contains("\"optional_inputs\":[\"user_id\",\"country\",\"web\"]");
        assertThat(server.get("/v2/models/pay/config").body())
                .contains("\"name\":\"country\",\"data_type\":\"TYPE_STRING\"", "\"optional\":true");
        assertThat(server.get("/metrics").body())
                .containsPattern("millrace_feature_status_total\\{feature=\"mean\",model=\"pay\",version=\"1\","
                        + "status=\"PRESENT\"\\} [1-9]")
                .containsPattern("millrace_feature_rows_total\\{model=\"pay\",version=\"1\"\\} [1-9]");
    }
}
