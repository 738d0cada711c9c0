// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.memory.NativeMemory;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import dev.millrace.server.RawClient;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Answers for which the memory is gone that they go out from: they are refused, nothing is lost, and when there is
/// memory again all is as before.
class AnswerMemoryTest {
    private static final int ELEMENTS = 3_000_000;
    private static final long LEFT_BYTES = 6L << 20;
    private static final int MOST_AT_ONCE = 1 << 30;
    private static final String REQUEST = """
        {"inputs":[{"name":"shape","datatype":"INT64","shape":[1],"data":[%d]}],\
        "parameters":{"binary_data_output":true}}\
        """;

    @TempDir
    Path repository;

    private final List<ByteBuf> ballast = new ArrayList<>();
    private TestServer server;
    private long usedBefore;

    @BeforeEach
    void start() throws IOException {
        usedBefore = NativeMemory.used();
        Path folder = Files.createDirectories(repository.resolve("zeros/1"));
        OnnxGraph graph = OnnxGraph.named("zeros");
        graph.setNodes(
                List.of(OnnxNode.of(new OperatorName("", "ConstantOfShape"), "", List.of("shape"), List.of("y"))));
        graph.setInputs(List.of(OnnxValue.of("shape", ElementType.INT64, List.of(Dimension.of(1)))));
        graph.setOutputs(List.of(OnnxValue.of("y", ElementType.FLOAT, List.of(Dimension.open("n")))));
        try (OnnxFile model = OnnxFile.of(graph, 8, Map.of(OperatorName.ONNX, 13L), "a test")) {
            model.write(folder.resolve("model.onnx"));
        }
        server = TestServer.start(_ -> ServerConfig.of(repository).withPort(0).withGrpcPort(0));
    }

    @AfterEach
    void stop() {
        unload();
        server.close();
        assertThat(NativeMemory.used()).isEqualTo(usedBefore);
    }

    private void load() {
        long free = PlatformDependent.maxDirectMemory() - PlatformDependent.usedDirectMemory() - LEFT_BYTES;
        for (long left = free; left > 0; left -= MOST_AT_ONCE) {
            ballast.add(Unpooled.directBuffer((int) Math.min(left, MOST_AT_ONCE)));
        }
    }

    private void unload() {
        ballast.forEach(ByteBuf::release);
        ballast.clear();
    }

    private static String post(int elements) {
        return RawClient.post("/v2/models/zeros/infer", REQUEST.formatted(elements));
    }

    @Test
    void shouldRefuseAnAnswerThatThereIsNoMemoryFor() {
        try (RawClient client = server.connect()) {
            load();
            // Two at once: who comes behind the one that is refused is answered, too.
            client.send(post(ELEMENTS) + post(2));
            RawClient.Answer refused = client.read();
            assertThat(refused.status()).as(refused.body()).isEqualTo(429);
            assertThat(refused.headers()).containsKey("Retry-After");
            assertThat(refused.body()).contains("there is no memory for them now");
            assertThat(client.read().status()).isEqualTo(200);

            unload();
            RawClient.Answer answered = client.send(post(ELEMENTS)).read();
            assertThat(answered.status()).isEqualTo(200);
            assertThat(answered.bytes()).hasSizeGreaterThan(4 * ELEMENTS);
        }
    }

    @Test
    void shouldRefuseABodyThatThereIsNoMemoryFor() {
        String longBody = REQUEST.formatted(2) + " ".repeat(5_000_000);
        try (RawClient client = server.connect();
                RawClient other = server.connect()) {
            load();
            RawClient.Answer refused = client.send(RawClient.post("/v2/models/zeros/infer", longBody))
                    .read();
            assertThat(refused.status()).as(refused.body()).isEqualTo(503);
            assertThat(refused.headers()).containsKey("Retry-After");
            assertThat(refused.body()).containsPattern("buffers take \\d{7,} of \\d{7,}");
            assertThat(other.send(post(2)).read().status()).isEqualTo(200);
        }
        unload();
        try (RawClient client = server.connect()) {
            client.send(RawClient.post("/v2/models/zeros/infer", longBody));
            assertThat(client.read().status()).isEqualTo(200);
        }
    }

    @Test
    void shouldEndACallWhoseAnswerThereIsNoMemoryFor() {
        ModelInferRequest large = request(ELEMENTS);
        try (GrpcClient client = new GrpcClient(server)) {
            assertThat(client.infer(request(2)).getRawOutputContents(0).size()).isEqualTo(8);
            load();
            StatusRuntimeException refused =
                    catchThrowableOfType(StatusRuntimeException.class, () -> client.infer(large));
            assertThat(refused).isNotNull();
            assertThat(client.infer(request(2)).getRawOutputContents(0).size()).isEqualTo(8);

            unload();
            assertThat(client.infer(large).getRawOutputContents(0).size()).isEqualTo(4 * ELEMENTS);
        }
    }

    @Test
    void shouldEndAStreamWithAnAnswerThatThereIsNoMemoryFor() {
        try (GrpcClient client = new GrpcClient(server)) {
            assertThat(client.infer(request(2)).getRawOutputContents(0).size()).isEqualTo(8);
            load();
            GrpcStreamTest.Answers answers = new GrpcStreamTest.Answers();
            StreamObserver<ModelInferRequest> requests = GrpcStreamTest.open(client, answers);
            requests.onNext(request(2));
            requests.onNext(request(ELEMENTS));
            requests.onNext(request(2));
            assertThat(answers.end().isOk()).isFalse();
            assertThat(client.infer(request(2)).getRawOutputContents(0).size()).isEqualTo(8);

            unload();
            assertThat(client.infer(request(ELEMENTS)).getRawOutputContents(0).size())
                    .isEqualTo(4 * ELEMENTS);
        }
    }

    private static ModelInferRequest request(int elements) {
        return ModelInferRequest.newBuilder()
                .setModelName("zeros")
                .addInputs(InferInputTensor.newBuilder()
                        .setName("shape")
                        .setDatatype("INT64")
                        .addShape(1)
                        .setContents(InferTensorContents.newBuilder().addInt64Contents(elements)))
                .build();
    }
}
