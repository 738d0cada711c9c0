// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a load generator like Triton's perf_analyzer asks beside its requests: whether the server and the model are
/// ready, what it takes, how it is served, and the statistics before and after each window.
class LoadProbesTest {
    private static final int CLIENTS = 4;
    private static final int REQUESTS = 100;

    /// What the clients sent and got.
    private record Sent(long requests, long rows) {}

    @ParameterizedTest
    @CsvSource({"linear, x, 4", "nobatch, x, 0"})
    void shouldAnswerWhatIsAskedBeforeTheFirstRequest(String model, String input, int width) {
        try (TestServer server = TestServer.start()) {
            assertThat(server.get("/v2/health/ready").status()).isEqualTo(200);
            assertThat(server.get("/v2/models/" + model + "/ready").status()).isEqualTo(200);
            assertThat(server.get("/v2").json().get("extensions").scalars())
                    .contains("statistics", "model_configuration");
            JsonTree metadata = server.get("/v2/models/" + model).json();
            JsonTree config = server.get("/v2/models/" + model + "/config").json();
            long maxBatchSize = number(config.get("max_batch_size"));
            JsonTree described = metadata.get("inputs").elements().getFirst();
            JsonTree configured = config.get("input").elements().getFirst();

            assertThat(described.get("name").text()).isEqualTo(input);
            assertThat(configured.get("name").text()).isEqualTo(input);
            assertThat(configured.get("data_type").text())
                    .isEqualTo("TYPE_" + described.get("datatype").text());
            // The generator takes the batch's dimension off the metadata where the configuration batches.
            List<String> shape = described.get("shape").scalars();
            assertThat(configured.get("dims").scalars())
                    .isEqualTo(maxBatchSize > 0 ? shape.subList(1, shape.size()) : shape);
            assertThat(maxBatchSize > 0).isEqualTo(width > 0);
            assertThat(config.members()).doesNotContainKeys("sequence_batching", "ensemble_scheduling");
            assertThat(config.get("model_transaction_policy").get("decoupled").value())
                    .isEqualTo(false);
            assertThat(statistics(server, model)).containsEntry("success.count", 0L);
        }
    }

    @Test
    void shouldAddUpWindowByWindow() throws InterruptedException {
        try (TestServer server = TestServer.start()) {
            Map<String, Long> before = statistics(server, "linear");
            for (int window = 0; window < 3; window++) {
                Sent sent = load(server, window);
                Map<String, Long> after = statistics(server, "linear");

                assertThat(grown(before, after, "success.count")).isEqualTo(sent.requests());
                assertThat(grown(before, after, "queue.count")).isEqualTo(sent.requests());
                assertThat(grown(before, after, "compute_infer.count")).isEqualTo(sent.requests());
                assertThat(grown(before, after, "fail.count")).isZero();
                assertThat(grown(before, after, "inference_count")).isEqualTo(sent.rows());
                assertThat(grown(before, after, "execution_count")).isBetween(1L, sent.rows());
                long parts = 0;
                for (String part : List.of("queue", "compute_input", "compute_infer", "compute_output")) {
                    parts += grown(before, after, part + ".ns");
                }
                assertThat(grown(before, after, "success.ns"))
                        .as("what is left is the overhead")
                        .isGreaterThanOrEqualTo(parts);
                assertThat(parts).isPositive();
                before = after;
            }
        }
    }

    /// Requests of one to three rows from several clients; meanwhile the statistics are read again and again.
    private static Sent load(TestServer server, int window) throws InterruptedException {
        AtomicReference<Throwable> problem = new AtomicReference<>();
        AtomicBoolean done = new AtomicBoolean();
        Thread reader = Thread.ofPlatform().start(() -> {
            try {
                readUntil(done, server);
            } catch (Throwable t) {
                problem.set(t);
            }
        });
        List<Thread> clients = new ArrayList<>();
        long[] rows = new long[CLIENTS];
        for (int client = 0; client < CLIENTS; client++) {
            int number = client;
            SplittableRandom random = new SplittableRandom(100L * window + client);
            clients.add(Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; i < REQUESTS; i++) {
                        int count = 1 + random.nextInt(3);
                        infer(server, count);
                        rows[number] += count;
                    }
                } catch (Throwable t) {
                    problem.set(t);
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
        done.set(true);
        reader.join();
        assertThat(problem.get()).isNull();
        return new Sent((long) CLIENTS * REQUESTS, rows[0] + rows[1] + rows[2] + rows[3]);
    }

    private static void infer(TestServer server, int rows) {
        String numbers = "1,2,3,4,".repeat(rows);
        Reply reply = server.infer(
                "linear",
                Bodies.request(Bodies.input(
                        "x", "[" + rows + ",4]", "FP32", "[" + numbers.substring(0, numbers.length() - 1) + "]")));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
    }

    private static void readUntil(AtomicBoolean done, TestServer server) {
        Map<String, Long> before = statistics(server, "linear");
        while (!done.get()) {
            Map<String, Long> now = statistics(server, "linear");
            before.forEach((name, value) -> assertThat(now.get(name)).as(name).isGreaterThanOrEqualTo(value));
            before = now;
        }
    }

    private static long grown(Map<String, Long> before, Map<String, Long> after, String name) {
        return after.get(name) - before.get(name);
    }

    /// All numbers of a model's statistics, after a look whether they agree.
    private static Map<String, Long> statistics(TestServer server, String model) {
        JsonTree stats = server.get("/v2/models/" + model + "/stats")
                .json()
                .get("model_stats")
                .elements()
                .getFirst();
        Map<String, Long> numbers = new TreeMap<>();
        for (String name : List.of("last_inference", "inference_count", "execution_count")) {
            numbers.put(name, number(stats.get(name)));
        }
        stats.get("inference_stats").members().forEach((name, spent) -> {
            numbers.put(name + ".count", number(spent.get("count")));
            numbers.put(name + ".ns", number(spent.get("ns")));
        });
        long rows = 0;
        long runs = 0;
        for (JsonTree batch : stats.get("batch_stats").elements()) {
            long count = number(batch.get("compute_infer").get("count"));
            rows += number(batch.get("batch_size")) * count;
            runs += count;
            numbers.put("batches of " + batch.get("batch_size"), count);
        }
        assertThat(rows).isEqualTo(numbers.get("inference_count"));
        assertThat(runs).isEqualTo(numbers.get("execution_count")).isLessThanOrEqualTo(rows);
        assertThat(numbers.get("success.count")).isLessThanOrEqualTo(rows);
        return numbers;
    }

    private static long number(JsonTree tree) {
        return Long.parseLong(tree.value().toString());
    }
}
