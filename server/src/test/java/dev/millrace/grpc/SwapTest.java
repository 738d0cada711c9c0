// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.ModelLifecycle;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.RawClient;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A model that is replaced while clients of HTTP and gRPC ask for it. What it adds is the number of its version, so
/// that an answer tells by whom it was written and by whom it was given.
class SwapTest {
    private static final String BODY =
            "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[0,0,0,0]}]}";

    private static final Pattern ANSWER =
            Pattern.compile("\"model_version\":\"(\\d+)\".*\"data\":\\[([^,]+),([^]]+)\\]");

    @TempDir
    private Path root;

    /// The version that was loaded last, and the one that is being loaded.
    private final AtomicInteger loaded = new AtomicInteger(1);

    private final AtomicInteger loading = new AtomicInteger(1);
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicReference<Throwable> problem = new AtomicReference<>();
    private final AtomicBoolean stopped = new AtomicBoolean();

    /// The model "linear", whose bias is 0.5 and -0.5, with another one.
    private void add(int version) throws IOException {
        byte[] model = Files.readAllBytes(TestServer.models().resolve("linear/1/model.onnx"));
        ByteBuffer bytes = ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        while (bytes.getFloat(at) != 0.5f || bytes.getFloat(at + 4) != -0.5f) {
            at++;
        }
        bytes.putFloat(at, version).putFloat(at + 4, -version);
        Path folder = Files.createDirectories(root.resolve("m").resolve(Integer.toString(version)));
        Files.write(folder.resolve("model.onnx"), model);
    }

    private TestServer start() throws IOException {
        add(1);
        RuntimeConfig runtime = RuntimeConfig.DEFAULT.withModel(
                "m", ModelConfig.DEFAULT.withMaxBatchSize(8).withMaxQueueSize(64));
        return TestServer.start(
                _ -> ServerConfig.of(root).withPort(0).withGrpcPort(0).withRuntime(runtime));
    }

    private void ask(Runnable request) {
        try {
            while (!stopped.get()) {
                request.run();
                answers.incrementAndGet();
            }
        } catch (Throwable t) {
            problem.compareAndSet(null, t);
        }
    }

    private void check(int before, String version, float first, float second) {
        int came = Integer.parseInt(version);
        assertThat(came).isBetween(before, loading.get());
        assertThat(first).as("an answer of version " + version).isEqualTo(came);
        assertThat(second).isEqualTo(-came);
    }

    /// Not by Java's own client: it takes an answer that comes at once for one that nobody asked for, now and then.
    private void http(RawClient client, String path) {
        int before = loaded.get();
        client.send(RawClient.post("/v2/models/" + path + "/infer", BODY));
        RawClient.Answer reply = client.read();
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        Matcher answer = ANSWER.matcher(reply.body());
        assertThat(answer.find()).as(reply.body()).isTrue();
        check(before, answer.group(1), Float.parseFloat(answer.group(2)), Float.parseFloat(answer.group(3)));
    }

    private void grpc(GrpcClient client) {
        int before = loaded.get();
        ModelInferResponse answer =
                client.infer(GrpcClient.request("m", GrpcClient.input("x", List.of(0f, 0f, 0f, 0f), 1, 4)));
        float[] data = GrpcClient.floats(answer.getRawOutputContents(0));
        check(before, answer.getModelVersion(), data[0], data[1]);
    }

    private void swap(ModelLifecycle lifecycle) throws IOException {
        int version = loading.get() + 1;
        add(version);
        loading.set(version);
        lifecycle.load("m");
        loaded.set(version);
    }

    private void attack(int swaps) throws Exception {
        try (TestServer server = start();
                GrpcClient grpc = new GrpcClient(server)) {
            ModelLifecycle lifecycle = server.server().runtime().lifecycle();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try (RawClient client = server.connect()) {
                        ask(() -> http(client, "m"));
                    }
                }));
                threads.add(Thread.ofPlatform().start(() -> ask(() -> grpc(grpc))));
            }
            for (int i = 0; i < swaps && problem.get() == null; i++) {
                int asked = answers.get();
                swap(lifecycle);
                while (answers.get() < asked + 8 && problem.get() == null) {
                    LockSupport.parkNanos(100_000);
                }
            }
            stopped.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            if (problem.get() != null) {
                throw new AssertionError("a request failed", problem.get());
            }
        }
    }

    @Test
    void shouldAnswerEveryRequestWhenTheModelIsReplaced() throws Exception {
        attack(15);
    }

    @Test
    @Tag("slow")
    @Timeout(300)
    void shouldAnswerEveryRequestWhenTheModelIsReplacedTwoHundredTimes() throws Exception {
        attack(200);
    }

    @Test
    void shouldFreeWhatLoopsKeepForAVersionWhenItIsReplaced() throws Exception {
        try (TestServer server = start();
                RawClient client = server.connect();
                GrpcClient grpc = new GrpcClient(server)) {
            http(client, "m");
            http(client, "m/versions/1");
            grpc(grpc);
            assertThat(NativeMemory.used(MemoryTag.CALL)).isPositive();
            server.server().runtime().lifecycle().unload("m", false);

            // Each loop is told, and frees them on its own thread.
            while (NativeMemory.used(MemoryTag.CALL) > 0) {
                LockSupport.parkNanos(100_000);
            }
            assertThat(server.infer("m", BODY).status()).isEqualTo(503);
            assertThat(server.infer("m/versions/1", BODY).status()).isEqualTo(404);
        }
    }
}
