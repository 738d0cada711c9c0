// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.runtime.RuntimeConfig;
import java.util.Collections;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Requests over HTTP under a limit for memory.
class MemoryTest {
    private static final long MIB = 1 << 20;

    private static TestServer limited(long bytes) {
        return TestServer.start(config -> config.withRuntime(RuntimeConfig.DEFAULT.withMemoryBytes(bytes)));
    }

    /// A request for a model that answers the numbers that came, in the order they came.
    private static String vector(String numbers) {
        int count = 1 + (int) numbers.chars().filter(c -> c == ',').count();
        return Bodies.request(Bodies.input("x", "[1,1," + count + "]", "FP32", "[" + numbers + "]"));
    }

    private static String numbers(int count) {
        return IntStream.range(0, count).mapToObj(i -> i + ".5").collect(Collectors.joining(","));
    }

    private static TestServer.Reply large(TestServer server) {
        return server.infer("nobatch", vector(numbers(1 << 18)));
    }

    @Test
    void shouldRefuseTensorsThatDoNotFitWithTheNumbers() {
        try (TestServer server = limited(128 * MIB)) {
            MemoryBudget tensors = server.server().runtime().memory().tensors();
            long left = tensors.left();
            tensors.reserve(MemoryTag.CALL, left - 100);

            TestServer.Reply now = large(server);

            assertThat(now.status()).isEqualTo(429);
            assertThat(now.response().headers().firstValue("Retry-After")).contains("1");
            assertThat(now.error())
                    .contains((4 << 18) + " bytes for call do not fit into the memory of tensors")
                    .contains("of " + tensors.limit() + " bytes are used");

            tensors.reserve(MemoryTag.RING, 100);
            tensors.release(MemoryTag.CALL, left - 100);
            tensors.reserve(MemoryTag.RING, left - 100);
            TestServer.Reply never = large(server);
            assertThat(never.status()).isEqualTo(413);
            assertThat(never.error()).contains("bytes for call do not fit");
            tensors.release(MemoryTag.RING, left);
            assertThat(large(server).status()).isEqualTo(200);
            assertThat(server.get("/metrics").body())
                    .contains("millrace_memory_limit_bytes{part=\"tensors\"}")
                    .containsPattern("millrace_memory_used_bytes\\{part=\"models\",tag=\"model\"} [1-9]");
        }
    }

    @Test
    void shouldRefuseLargeBodiesThatCannotBeDecodedNow() {
        try (TestServer server = TestServer.start()) {
            MemoryBudget heap = server.server().runtime().memory().heap();
            long left = heap.left();
            heap.reserve(MemoryTag.BODY, left);

            TestServer.Reply now = server.infer("nobatch", vector(numbers(1_200_000)));

            assertThat(now.status()).isEqualTo(429);
            assertThat(now.error()).contains("bytes for body do not fit into the heap's share for requests");
            heap.release(MemoryTag.BODY, left);
            assertThat(server.infer("linear", Bodies.LINEAR).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseAnAnswerThatDoesNotFit() {
        try (TestServer server = TestServer.start();
                RawClient client = server.connect()) {
            MemoryBudget heap = server.server().runtime().memory().heap();
            client.send(RawClient.post("/v2/models/linear/infer", Bodies.LINEAR));
            assertThat(client.read().status()).isEqualTo(200);
            String zeros = vector(String.join(",", Collections.nCopies(30_000, "0")));
            // Enough for the body, not for the answer.
            long left = heap.left() - 100_000;
            heap.reserve(MemoryTag.BODY, left);

            client.send(RawClient.post("/v2/models/nobatch/infer", zeros));

            RawClient.Answer refused = client.read();
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.body()).contains("bytes for answer do not fit into the heap's share for requests");
            heap.release(MemoryTag.BODY, left);
            client.send(RawClient.post("/v2/models/nobatch/infer", zeros));
            assertThat(client.read().status()).isEqualTo(200);
        }
    }
}
