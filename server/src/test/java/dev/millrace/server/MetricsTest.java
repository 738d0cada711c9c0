// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.redis.RedisOptions;
import dev.millrace.redis.RedisStore;
import dev.millrace.server.TestServer.Reply;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import dev.millrace.update.FeedConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
    private static final Pattern ROW =
            Pattern.compile("\\| `([a-z_0-9]+)` \\| (\\w+) \\| ([^|]+) \\| ([^|]*?) *\\| .+ \\|");
    private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\S+) (\\S+)$");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"[^\"]*\"");

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
                            "millrace_requests_refused_total{model=\"linear\",outcome=\"invalid\",version=\"1\"} 2.0\n",
                            "millrace_rows_total{model=\"linear\",version=\"1\"} 4.0\n",
                            "millrace_rows_dead_total{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_rows_skipped_total{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_batch_rows_bucket{model=\"linear\",version=\"1\",le=\"1.0\"} 0\n",
                            "millrace_batch_rows_bucket{model=\"linear\",version=\"1\",le=\"2.0\"} 2\n",
                            "millrace_batch_rows_bucket{model=\"linear\",version=\"1\",le=\"+Inf\"} 2\n",
                            "millrace_batch_rows_count{model=\"linear\",version=\"1\"} 2\n",
                            "millrace_batch_rows_sum{model=\"linear\",version=\"1\"} 4.0\n",
                            "millrace_request_seconds_count{model=\"linear\",version=\"1\"} 2\n",
                            "millrace_request_seconds{model=\"linear\",version=\"1\",quantile=\"0.9999\"} ",
                            "millrace_batches_total{model=\"linear\",version=\"1\"} 2.0\n",
                            "millrace_run_seconds_total{model=\"linear\",version=\"1\"} ",
                            "millrace_queue_rows{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_requests_in_flight{model=\"linear\",version=\"1\"} 0.0\n",
                            "millrace_native_memory_bytes{tag=\"ring\"} ",
                            "nv_inference_request_success{model=\"linear\",version=\"1\"} 2\n",
                            "nv_inference_request_failure{model=\"linear\",reason=\"OTHER\",version=\"1\"} 2\n",
                            "nv_inference_request_failure{model=\"gather\",reason=\"BACKEND\",version=\"1\"} 1\n",
                            "nv_inference_count{model=\"linear\",version=\"1\"} 4\n",
                            "nv_inference_exec_count{model=\"linear\",version=\"1\"} 2\n",
                            "nv_inference_pending_request_count{model=\"linear\",version=\"1\"} 0\n",
                            "millrace_http_requests_total{status=\"200\"} 3.0\n",
                            "millrace_http_requests_total{status=\"400\"} 2.0\n",
                            "millrace_http_requests_total{status=\"500\"} 1.0\n",
                            "jvm_memory_used_bytes{",
                            "process_uptime_seconds ")
                    .doesNotContain("NaN");
        }
    }

    /// A line of the text: name, labels and value.
    private static Map<String, Double> values(String text) {
        Map<String, Double> values = new TreeMap<>();
        text.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            int space = line.lastIndexOf(' ');
            Double before = values.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
            assertThat(before).as("a second time: %s", line).isNull();
        });
        return values;
    }

    @Test
    void shouldShowWhereTheTimeOfEveryAnswerWent() {
        try (TestServer server = TestServer.start()) {
            for (int i = 0; i < 20; i++) {
                server.infer("linear", Bodies.LINEAR).data();
            }
            Map<String, Double> values = values(server.get("/metrics").body());

            String labels = "{model=\"linear\",version=\"1\"}";
            double total = values.get("millrace_request_seconds_sum" + labels);
            double stages = 0;
            for (String stage : List.of("decode", "assemble", "queue", "run", "deliver", "encode")) {
                String withStage = "{model=\"linear\",stage=\"" + stage + "\",version=\"1\"}";
                assertThat(values).containsEntry("millrace_request_stage_seconds_count" + withStage, 20.0);
                stages += values.get("millrace_request_stage_seconds_sum" + withStage);
            }
            assertThat(values).containsEntry("millrace_request_seconds_count" + labels, 20.0);
            assertThat(stages).as("the stages add up").isCloseTo(total, within(1e-9));
            double least = values.get("millrace_request_seconds{model=\"linear\",version=\"1\",quantile=\"0.5\"}");
            double most = values.get("millrace_request_seconds{model=\"linear\",version=\"1\",quantile=\"1.0\"}");
            assertThat(least).isPositive().isLessThanOrEqualTo(most);
            assertThat(most).isLessThanOrEqualTo(total * 1.02);
        }
    }

    @Test
    void shouldShowNoLatenciesWhenRecordingIsOff() {
        try (TestServer server =
                TestServer.start(config -> config.withRuntime(config.runtime().withRecording(false)))) {
            server.infer("linear", Bodies.LINEAR).data();
            String text = server.get("/metrics").body();

            assertThat(text)
                    .contains("millrace_requests_accepted_total{model=\"linear\",version=\"1\"} 1.0\n")
                    .doesNotContain("millrace_request_seconds", "millrace_batch_rows");
        }
    }

    /// Every metric that is shown is in the table, with its type and labels; every one of the server's is shown.
    @Test
    void shouldShowWhatTheDocumentationLists(@TempDir Path repository, @TempDir Path stored) throws IOException {
        RawModel.addTo(repository);
        EmbeddedStore store = EmbeddedStore.open(
                stored.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("view v\nkey id int64\nfield x float64\n"));
        Map<String, String> documented = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("../docs/metrics.md"))) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                String labels = row.group(4).replace("`", "").replace(",", "");
                String before = documented.put(row.group(1), row.group(2) + " " + labels);
                assertThat(before).as("a second time: %s", line).isNull();
            }
        }
        Map<String, String> shown = new TreeMap<>();
        // Nobody listens on that port.
        try (RedisStore redis = RedisStore.open(RedisOptions.of("127.0.0.1:1", "none"));
                TestServer server = TestServer.start(config -> ServerConfig.of(TestServer.models(), repository)
                        .withPort(0)
                        .withControl(config.control())
                        .withRuntime(config.runtime().withFeatureStore(store).withRemoteStore(redis))
                        .withUpdates(List.of(feed(stored))))) {
            server.infer("linear", Bodies.LINEAR);
            String text = server.get("/metrics").body();
            // The server looks at all native memory of the process when it closes.
            store.close();
            Matcher types = TYPE.matcher(text);
            while (types.find()) {
                String name = types.group(1);
                shown.put(name, types.group(2) + " " + labels(name, types.group(2), text));
            }
        }
        assertThat(shown).isNotEmpty().allSatisfy((name, described) -> {
            assertThat(documented).containsKey(name);
            assertThat(described).as(name).isEqualTo(documented.get(name));
        });
        documented.keySet().removeIf(name -> name.startsWith("jvm_gc_"));
        assertThat(shown.keySet()).containsAll(documented.keySet());
    }

    /// One that reaches no broker.
    private static FeedConfig feed(Path folder) {
        return new FeedConfig(
                "v",
                new FeedConfig.Source("127.0.0.1:1", "t", "g", Map.of()),
                new FeedConfig.Format(FeedConfig.Kind.JSON, Optional.empty(), Optional.empty(), false),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                new FeedConfig.Letters(Optional.empty(), Optional.of(folder.resolve("dead.jsonl"))),
                Optional.empty());
    }

    /// The labels of a metric's lines, but for those that its type brings.
    private static String labels(String name, String type, String text) {
        TreeSet<String> labels = new TreeSet<>();
        Matcher lines = Pattern.compile("(?m)^" + name + "(?:_sum|_count|_bucket|_max)?\\{(.*)} \\S+$")
                .matcher(text);
        while (lines.find()) {
            Matcher label = LABEL.matcher(lines.group(1));
            while (label.find()) {
                labels.add(label.group(1));
            }
        }
        labels.removeAll(List.of(type.equals("summary") ? "quantile" : "", type.equals("histogram") ? "le" : ""));
        return String.join(" ", labels);
    }
}
