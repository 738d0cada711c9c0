// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.json.JsonReader;
import dev.millrace.limit.Limits;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a request of named raw values costs in heap memory, from its JSON to the answer. The least of several rounds
/// counts, because compilation may allocate on any thread's account while it goes on.
class RawAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int REQUESTS = 5_000;
    private static final int ROUNDS = 60;
    private static final String SPECIFICATION = """
        apiVersion: v1
        kind: FeaturePipeline
        name: payments
        version: 1
        request:
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
          - {name: web, type: bool}
        features:
          - {name: amount, input: amount, transform: [log1p, {standardize: {mean: 2, std: 3}}]}
          - {name: country, input: country, transform: [{one_hot: {vocab: [CH, NL], unknown: ignore}}]}
          - {name: web, input: web, default: 0}
        output: {tensor: x, type: float32, layout: row}
        """;

    @TempDir
    private Path root;

    @Test
    void shouldMakeNoObjectsOfNamedValues() throws IOException {
        Path version = Files.createDirectories(root.resolve("pay/1"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), version.resolve("model.onnx"));
        Files.writeString(version.resolve("features.yaml"), SPECIFICATION);
        byte[] text = "{\"context\":{\"web\":true},\"instances\":[{\"amount\":12.5,\"country\":\"NL\"},{\"amount\":7}]}"
                .getBytes(StandardCharsets.UTF_8);
        byte[] body = Arrays.copyOf(text, text.length + JsonReader.PADDING);
        RuntimeConfig config =
                RuntimeConfig.DEFAULT.withInlineBudget(Duration.ofMinutes(1)).withAgents(1);
        try (Millrace millrace = Millrace.open(config, root);
                Call call = millrace.model("pay").call()) {
            byte[][] names = call.signature().inputs().stream()
                    .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                    .toArray(byte[][]::new);
            PredictDecoder decoder = new PredictDecoder(Limits.DEFAULT);

            assertThat(leastBytes(() -> {
                        for (int i = 0; i < REQUESTS; i++) {
                            decoder.decode(call, names, body, 0, text.length);
                            if (call.run() != Outcome.OK) {
                                throw new IllegalStateException(call.message());
                            }
                        }
                    }))
                    .as("bytes of %d requests", REQUESTS)
                    .isZero();
            assertThat(call.output(0).dim(0)).isEqualTo(2);
        }
    }

    private static long leastBytes(Runnable round) {
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS && least > 0; i++) {
            long before = THREADS.getThreadAllocatedBytes(thread);
            round.run();
            least = Math.min(least, THREADS.getThreadAllocatedBytes(thread) - before);
        }
        return least;
    }
}
