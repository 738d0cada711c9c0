// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.memory.Tensor;
import dev.millrace.model.ModelConfig;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a request costs in heap memory on the thread that makes and runs it, with real models. The least of several
/// rounds counts, because compilation may allocate on any thread's account while it goes on.
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int REQUESTS = 10_000;
    private static final int ROUNDS = 100;
    private static final int WARM_UP_ROUNDS = 3;
    /// What a request of whole numeric tensors may cost: the segment over the memory of each output. Measured: 40, in
    /// a JVM of its own.
    private static final int MAX_TENSOR_BYTES = 80;

    @TempDir
    static Path root;

    static Millrace millrace;

    @BeforeAll
    static void open() {
        // A budget that the slowest machine keeps: every run is the caller's own.
        RuntimeConfig config =
                RuntimeConfig.DEFAULT.withInlineBudget(Duration.ofMinutes(1)).withAgents(1);
        millrace = Millrace.open(config, TestModels.repository(root, "mlp", "fixed_batch", "variable_shapes"));
    }

    @AfterAll
    static void close() {
        millrace.close();
    }

    /// The least bytes that one round of requests allocated. How many rounds the compiler needs before it removes what
    /// does not escape depends on what else the machine does, so there are many as long as more than `enough` are
    /// allocated.
    private static long leastBytes(Runnable round, long enough) {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            round.run();
        }
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS && least > enough; i++) {
            long before = THREADS.getThreadAllocatedBytes(thread);
            round.run();
            least = Math.min(least, THREADS.getThreadAllocatedBytes(thread) - before);
        }
        return least;
    }

    private static void runAll(Call call, float[] features) {
        for (int i = 0; i < REQUESTS; i++) {
            call.input(0).putFloats(features);
            if (call.run() != Outcome.OK) {
                throw new AssertionError(call.message());
            }
        }
    }

    @Test
    void shouldAllocateNothingWhenACallRunsOneRow() {
        try (Call call = millrace.model("mlp").call()) {
            float[] features = new float[64];
            assertThat(leastBytes(() -> runAll(call, features), 0)).isZero();
        }
    }

    @Test
    void shouldAllocateNothingWhenACallRunsManyRows() {
        try (Call call = millrace.model("mlp").call().rows(64)) {
            float[] features = new float[64 * 64];
            assertThat(leastBytes(() -> runAll(call, features), 0)).isZero();
        }
    }

    @Test
    void shouldAllocateNothingWhenAnAnswerIsKeptOrFound() {
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withInlineBudget(Duration.ofMinutes(1))
                .withAgents(1)
                .withResponseCacheBytes(1 << 20)
                .withModel("mlp", ModelConfig.DEFAULT.withResponseCache(true));
        try (Millrace cached = Millrace.open(config, root);
                Call call = cached.model("mlp").call()) {
            float[] features = new float[64];
            assertThat(leastBytes(() -> runAll(call, features), 0)).as("hits").isZero();
            float[] next = {0};
            assertThat(leastBytes(
                            () -> {
                                for (int i = 0; i < REQUESTS; i++) {
                                    call.input(0).setFloat(0, next[0]++);
                                    if (call.run() != Outcome.OK) {
                                        throw new AssertionError(call.message());
                                    }
                                }
                            },
                            0))
                    .as("misses")
                    .isZero();
            assertThat(cached.responseCache().evictions()).isGreaterThan(REQUESTS);
        }
    }

    @Test
    void shouldAllocateNothingWhenARequestHasADeadline() {
        try (Call call = millrace.model("mlp").call().timeoutNanos(60_000_000_000L)) {
            float[] features = new float[64];
            assertThat(leastBytes(() -> runAll(call, features), 0)).isZero();
        }
    }

    @Test
    void shouldAllocateNothingWhenAModelTakesOneRowAtATime() {
        try (Call call = millrace.model("fixed_batch").call()) {
            float[] features = new float[4];
            assertThat(leastBytes(() -> runAll(call, features), 0)).isZero();
        }
    }

    @Test
    void shouldAllocateNothingWhenAnEventLoopTurns() {
        Call[] calls = new Call[16];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = millrace.model("mlp").call();
        }
        Turner turner = millrace.turner();
        int[] answered = new int[1];
        Completion whenDone = (_, outcome) -> answered[0] += outcome == Outcome.OK ? 1 : 0;
        float[] features = new float[64];
        Runnable round = () -> {
            for (int i = 0; i < REQUESTS / calls.length; i++) {
                for (Call call : calls) {
                    call.input(0).putFloats(features);
                    turner.submit(call, whenDone);
                }
                turner.turn();
            }
        };

        assertThat(leastBytes(round, 0)).isZero();

        assertThat(answered[0] % (REQUESTS / calls.length * calls.length)).isZero();
        for (Call call : calls) {
            call.close();
        }
    }

    /// Whole tensors through the C API: the tensors move, the runner reads the shapes that come out.
    @Test
    void shouldAllocateLittleWhenTensorsAreTakenWhole() {
        try (Call call = millrace.model("variable_shapes").call()) {
            Tensor input = call.input(0).reshape(4, 4);
            assertThat(input.elementCount()).isEqualTo(16);
            float[] values = new float[16];
            long bytes = leastBytes(() -> runAll(call, values), (long) REQUESTS * MAX_TENSOR_BYTES);
            assertThat(bytes / REQUESTS).isLessThanOrEqualTo(MAX_TENSOR_BYTES);
        }
    }
}
