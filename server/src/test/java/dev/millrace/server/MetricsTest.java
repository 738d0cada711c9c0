// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import org.junit.jupiter.api.Test;

class MetricsTest {
    @Test
    void shouldCountWhatHappened() {
        String linear = Bodies.request(Bodies.input("x", "[2,4]", "FP32", "[1,2,3,4,5,6,7,8]"));
        String gather = Bodies.request(Bodies.input("index", "[1]", "INT64", "[9]"));
        try (TestServer server = TestServer.start()) {
            server.infer("linear", linear);
            server.infer("linear", linear);
            server.infer("linear", Bodies.request(Bodies.input("x", "[0,4]", "FP32", "[]")));
            server.infer("linear", "{");
            server.infer("gather", gather);

            server.get("/metrics");
            Reply reply = server.get("/metrics");

            assertThat(reply.response().headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
            assertThat(reply.body())
                    .contains(
                            "millrace_requests_accepted_total{model=\"linear\",version=\"1\"} 2.0\n",
                            "millrace_requests_ended_total{model=\"linear\",outcome=\"ok\",version=\"1\"} 2.0\n",
                            "millrace_requests_ended_total{model=\"linear\",outcome=\"expired\",version=\"1\"} 0.0\n",
                            "millrace_requests_ended_total{model=\"gather\",outcome=\"failed\",version=\"1\"} 1.0\n",
                            "millrace_requests_refused_total{model=\"linear\",outcome=\"invalid\",version=\"1\"} 1.0\n",
                            "millrace_rows_total{model=\"linear\",version=\"1\"} 4.0\n",
                            "millrace_batches_total{model=\"linear\",version=\"1\"} 2.0\n",
                            "millrace_run_seconds_total{model=\"linear\",version=\"1\"} ",
                            "millrace_queue_rows{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_requests_in_flight{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_native_memory_bytes{tag=\"ring\"} ",
                            "millrace_http_requests_total{status=\"200\"} 3.0\n",
                            "millrace_http_requests_total{status=\"400\"} 2.0\n",
                            "millrace_http_requests_total{status=\"500\"} 1.0\n",
                            "jvm_memory_used_bytes{",
                            "process_uptime_seconds ")
                    .doesNotContain("NaN");
        }
    }
}
