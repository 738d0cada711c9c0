// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.model.ModelConfig;
import dev.millrace.server.TestServer.Reply;
import org.junit.jupiter.api.Test;

/// Priorities, refusals that may be tried again, and a model that keeps failing, as clients see them.
class PromisesTest {
    private static final String LINEAR = Bodies.input("x", "[1,4]", "FP32", "[1,2,3,4]");

    private static final String GATHER_OUT_OF_RANGE = Bodies.request(Bodies.input("index", "[1]", "INT64", "[7]"));

    private static String withParameters(String parameters, String input) {
        return "{\"parameters\":" + parameters + ",\"inputs\":[" + input + "]}";
    }

    @Test
    void shouldTakeAPriorityAndSayWhatIsWrongWithIt() {
        ModelConfig priorities = ModelConfig.DEFAULT.withPriorities(3, 2);
        try (TestServer server =
                TestServer.start(config -> config.withRuntime(config.runtime().withModel("linear", priorities)))) {
            String expected = server.infer("linear", Bodies.request(LINEAR)).data();
            for (String priority : new String[] {"0", "1", "3", "99", "9223372036854775807"}) {
                Reply reply = server.infer("linear", withParameters("{\"priority\":" + priority + "}", LINEAR));
                assertThat(reply.data()).isEqualTo(expected);
            }
            for (String wrong : new String[] {"-1", "1.5", "\"1\"", "null"}) {
                Reply reply = server.infer("linear", withParameters("{\"priority\":" + wrong + "}", LINEAR));
                assertThat(reply.status()).as(wrong).isEqualTo(400);
                assertThat(reply.error()).startsWith("parameter 'priority' is").endsWith("expected an integer from 0");
            }
        }
    }

    @Test
    void shouldSayWhenAModelThatKeepsFailingIsToBeTriedAgain() {
        ModelConfig quick = ModelConfig.DEFAULT.withBreakerFailures(2);
        try (TestServer server =
                TestServer.start(config -> config.withRuntime(config.runtime().withModel("gather", quick)))) {
            for (int i = 0; i < 2; i++) {
                assertThat(server.infer("gather", GATHER_OUT_OF_RANGE).status()).isEqualTo(500);
            }

            Reply refused = server.infer("gather", GATHER_OUT_OF_RANGE);

            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.error()).contains("model 'gather' version 1 keeps failing, 2 runs in a row");
            assertThat(refused.response().headers().firstValue("Retry-After")).contains("1");
            Reply ready = server.get("/v2/models/gather/ready");
            assertThat(ready.status()).isEqualTo(503);
            assertThat(ready.body()).contains("keeps failing");
            assertThat(server.get("/v2/models/gather").status()).as("metadata").isEqualTo(200);
            assertThat(server.get("/metrics").body())
                    .contains("millrace_breaker_open{model=\"gather\",version=\"1\"} 1.0")
                    .contains("millrace_breaker_opened_total{model=\"gather\",version=\"1\"} 1.0");
        }
    }
}
