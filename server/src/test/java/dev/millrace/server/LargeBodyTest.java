// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Bodies of megabytes, as pictures are, must not leave megabytes on the heap: a small young generation cannot hold
/// them, and copies them again and again.
class LargeBodyTest {
    private static final int REQUESTS = 20;
    private static final int BODY_BYTES = 2 << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// What the event loops have allocated so far.
    private static long allocated(List<Thread> loops) {
        return loops.stream()
                .mapToLong(loop -> THREADS.getThreadAllocatedBytes(loop.threadId()))
                .sum();
    }

    private static List<Thread> loops() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("millrace-http-"))
                .toList();
    }

    private static void ask(RawClient client, byte[] request) {
        assertThat(client.send(request).read().body()).contains("\"data\":[30.5,0.5]");
    }

    @Test
    void shouldAllocateLittleOnTheHeapWhenBodiesAreLarge() {
        String body = Bodies.with("'x':'" + "y".repeat(BODY_BYTES) + "'", Bodies.LINEAR);
        byte[] request = RawClient.post("/v2/models/linear/infer", body).getBytes(StandardCharsets.UTF_8);
        try (TestServer server = TestServer.start();
                RawClient client = server.connect()) {
            for (int i = 0; i < REQUESTS; i++) {
                ask(client, request);
            }
            List<Thread> loops = loops();
            assertThat(loops).isNotEmpty();
            long least = Long.MAX_VALUE;
            for (int i = 0; i < REQUESTS; i++) {
                long before = allocated(loops);
                ask(client, request);
                least = Math.min(least, allocated(loops) - before);
            }
            assertThat(least).isLessThan(BODY_BYTES / 4);
        }
    }
}
