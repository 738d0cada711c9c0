// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// TensorFlow Serving's REST API, which is KServe's V1.
class PredictTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Reply predict(String model, String body) {
        return server.post("/v1/models/" + model + ":predict", Bodies.json(body));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "linear | {'instances':[[1,2,3,4]]} | {'predictions':[[30.5,0.5]]}",
                "linear | {'instances':[[1,2,3,4],[5,6,7,8]]} | {'predictions':[[30.5,0.5],[70.5,-0.5]]}",
                "linear | {'signature_name':'serving_default','x':[{}],'instances':[{'x':[1,2,3,4]}]} |"
                        + " {'predictions':[[30.5,0.5]]}",
                "linear | {'inputs':[[1,2,3,4],[5,6,7,8]]} | {'outputs':[[30.5,0.5],[70.5,-0.5]]}",
                "linear | {'inputs':{'x':[[1,2,3,4]]}} | {'outputs':[[30.5,0.5]]}",
                "linear/versions/1 | { 'instances' : [ [1.0, 2e0 ,3,4] ] } | {'predictions':[[30.5,0.5]]}",
                "two_in | {'instances':[{'a':[10,20],'b':[2,3]},{'b':[1,1],'a':[0,0]}]} |"
                        + " {'predictions':[{'sum':[12.0,23.0],'difference':[8.0,17.0],'product':[20.0,60.0]},"
                        + "{'sum':[1.0,1.0],'difference':[-1.0,-1.0],'product':[0.0,0.0]}]}",
                "two_in | {'inputs':{'b':[[2,3]],'a':[[10,20]]}} |"
                        + " {'outputs':{'sum':[[12.0,23.0]],'difference':[[8.0,17.0]],'product':[[20.0,60.0]]}}",
                "scalar | {'inputs':{'x':[1,2],'factor':3}} | {'outputs':[3.0,6.0]}",
                "gather | {'instances':[2,0]} | {'predictions':[30.0,10.0]}",
                "one_row | {'instances':[[1,2,3]]} | {'predictions':[[-1.0,-2.0,-3.0]]}",
                "nobatch | {'instances':[[[1,2],[3,4]],[[5,6],[7,8]]]} |"
                        + " {'predictions':[[[1.0,3.0],[2.0,4.0]],[[5.0,7.0],[6.0,8.0]]]}",
                "string_only | {'instances':[['a'],['\\u00e9']]} | {'predictions':[['a'],['é']]}",
                "string_only | {'instances':[[{'b64':'YQ=='}],['b']]} | {'predictions':[['a'],['b']]}",
                "string_only | {'inputs':[[{'b64':'/w=='}]]} | {'outputs':[[{'b64':'/w=='}]]}",
                "echo_bool | {'instances':[[true,false]]} | {'predictions':[[true,false]]}",
                "echo_uint64 | {'instances':[[18446744073709551615,0]]} | {'predictions':[[18446744073709551615,0]]}",
                "echo_fp32 | {'instances':[[NaN,-Infinity]]} | {'predictions':[[NaN,-Infinity]]}",
            })
    void shouldPredict(String model, String body, String expected) {
        Reply reply = predict(model, body);

        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.body()).isEqualTo(Bodies.json(expected));
        assertThat(reply.response().headers().firstValue("Content-Type")).contains("application/json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "linear | {} | 400 | neither 'instances' nor 'inputs'",
                "linear | {'instances':[[1,2,3,4]],'inputs':[[1,2,3,4]]} | 400 | both 'instances' and 'inputs'",
                "linear | [] | 400 | the body is an array, expected a JSON object",
                "linear | {'instances':[]} | 400 | 'instances' is empty",
                "linear | {'instances':7} | 400 | 'instances' is 7, expected an array",
                "linear | {'instances':[1,2,3,4]} | 400 | input 'x' has shape [4], expected [-1, 4]",
                "linear | {'instances':[[1,2,3]]} | 400 | input 'x' has shape [1, 3], expected [-1, 4]",
                "linear | {'instances':[[1,2,3,4],[1,2,3]]} | 400 | has an array of 3 in dimension 1",
                "linear | {'instances':[[1,2,3,4],5]} | 400 | side by side",
                "linear | {'instances':[[1,2,3,'a']]} | 400 | element 3 of input 'x' is the string",
                "linear | {'instances':[{'y':[1,2,3,4]}]} | 400 | has no input 'y'; it has [x]",
                "linear | {'instances':[{'x':[1,2,3,4]},[1,2,3,4]]} | 400 | instance 1 is an array, expected an object",
                "linear | {'instances':[{'x':[1,2,3,4]},{}]} | 400 | instance 1 has no input 'x'",
                "linear | {'instances':[{'x':[1,2,3,4],'x':[1,2,3,4]}]} | 400 | comes twice",
                "linear | {'instances':[[1,2,3,4]} | 400 | malformed JSON at line 1",
                "two_in | {'instances':[[1,2]]} | 400 | each instance is expected to be an object with the model's"
                        + " inputs [a, b]",
                "two_in | {'inputs':{'a':[[1,2]]}} | 400 | input 'b' is missing",
                "two_in | {'inputs':[[1,2]]} | 400 | 'inputs' is expected to be an object",
                "scalar | {'instances':[{'x':1,'factor':2}]} | 400 | input 'factor' has shape [1], expected []",
                "string_only | {'instances':[[{'b64':'?'}]]} | 400 | no base64",
                "string_only | {'instances':[[{'b65':'YQ=='}]]} | 400 | another member than 'b64'",
                "string_only | {'instances':[[{'b64':'AA=='}]]} | 400 | the byte 0",
                "echo_uint8 | {'instances':[[300,0]]} | 400 | out of the range of UINT8",
                "nobody | {'instances':[1]} | 404 | nobody",
                "linear/versions/9 | {'instances':[1]} | 404 | version 9",
            })
    void shouldSayWhatIsWrong(String model, String body, int status, String message) {
        Reply reply = predict(model, body);

        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.error()).contains(message);
        assertThat(predict("linear", "{'instances':[[1,2,3,4]]}").status()).isEqualTo(200);
    }

    @Test
    void shouldAnswerLikeV2() {
        SplittableRandom random = new SplittableRandom(4);
        for (int round = 0; round < 200; round++) {
            int rows = random.nextInt(1, 20);
            List<String> values = new ArrayList<>();
            for (int row = 0; row < rows; row++) {
                values.add("[" + random.nextFloat() + "," + random.nextInt() + "," + random.nextDouble() + ",-1e-3]");
            }
            Reply one = predict("linear", "{'instances':" + values + "}");
            Reply other = server.infer(
                    "linear", Bodies.request(Bodies.input("x", "[" + rows + ",4]", "FP32", values.toString())));
            assertThat(String.join(",", one.json().get("predictions").scalars()))
                    .isEqualTo(other.data());
        }
    }

    @Test
    void shouldTellTheStateOfAModel() {
        assertThat(server.get("/v1/models/linear").body())
                .isEqualTo(Bodies.json("{'name':'linear','ready':true,'model_version_status':[{'version':'1',"
                        + "'state':'AVAILABLE','status':{'error_code':'OK','error_message':''}}]}"));
        assertThat(server.get("/v1/models/linear/versions/1").status()).isEqualTo(200);
        assertThat(server.get("/v1/models/corrupt").json().get("ready").value()).isEqualTo(false);
        assertThat(server.get("/v1/models/corrupt").body()).contains("\"state\":\"END\"");
        assertThat(server.get("/v1/models/nobody").status()).isEqualTo(404);
        assertThat(server.get("/v1/models/linear/versions/2").error()).contains("version '2'");
    }

    @Test
    void shouldDescribeInputsAndOutputs() {
        JsonTree signature = server.get("/v1/models/linear/metadata")
                .json()
                .get("metadata")
                .get("signature_def")
                .get("signature_def")
                .get("serving_default");

        assertThat(signature.get("inputs").get("x").get("dtype").text()).isEqualTo("DT_FLOAT");
        assertThat(signature
                        .get("inputs")
                        .get("x")
                        .get("tensor_shape")
                        .get("dim")
                        .scalars()
                        .toString())
                .contains("-1", "4");
        assertThat(signature.get("outputs").members()).containsOnlyKeys("y");
        assertThat(server.get("/v1/models/linear/versions/1/metadata")
                        .json()
                        .get("model_spec")
                        .get("version")
                        .text())
                .isEqualTo("1");
    }

    @Test
    void shouldOnlyAnswerWhatIsThere() {
        assertThat(server.get("/v1/models/linear:predict").status()).isEqualTo(405);
        assertThat(server.get("/v1/models/linear:classify").status()).isEqualTo(404);
        assertThat(server.get("/v1/models/").status()).isEqualTo(404);
        assertThat(server.get("/v1").status()).isEqualTo(404);
        assertThat(server.post("/v1/models/:predict", "{}").status()).isEqualTo(404);
    }

    @Test
    void shouldWantAModelByNameWhereThereAreSeveral() {
        Reply reply = server.post("/invocations", Bodies.LINEAR);

        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.error()).contains("one model", "are served");
    }

    @Test
    void shouldTakeRepeatedRequestsAndTimeouts() {
        String body = Bodies.json("{'instances':[[1,2,3,4]]}");
        try (RawClient client = server.connect()) {
            for (int round = 0; round < 5; round++) {
                client.send(RawClient.post("/v1/models/linear:predict", body));
                assertThat(client.read().body()).contains("30.5");
            }
            String slow = "{\"inputs\":1000000000000}";
            client.send(RawClient.post("/v1/models/slow:predict", slow, "X-Millrace-Timeout-Us: 20000\r\n"));
            assertThat(client.read().status()).isIn(429, 504);
        }
    }

    @Test
    void shouldNeverFailOnDamagedBodies() {
        Mutations mutations = new Mutations(31);
        List<String> bodies = List.of(
                "{'signature_name':'s','instances':[[1,2,3,4],[5,6,7,8]]}",
                "{'instances':[{'x':[1,2,3,4]},{'x':[5,6,7,8]}]}",
                "{'inputs':{'x':[[1,2,3,4]]}}");
        SplittableRandom random = new SplittableRandom(5);
        int good = 0;
        try (RawClient client = server.connect()) {
            for (int round = 0; round < 3000; round++) {
                byte[] body = mutations.damage(
                        Bodies.json(bodies.get(random.nextInt(bodies.size()))).getBytes(StandardCharsets.UTF_8));
                String head = "POST /v1/models/linear:predict HTTP/1.1\r\nContent-Length: " + body.length + "\r\n\r\n";
                RawClient.Answer answer = client.send(head).send(body).read();
                good += answer.status() == 200 ? 1 : 0;
                assertThat(answer.status())
                        .as("%s to %s", new String(body, StandardCharsets.UTF_8), answer)
                        .isIn(200, 400, 413);
            }
        }
        assertThat(good).isBetween(1, 2999);
    }
}
