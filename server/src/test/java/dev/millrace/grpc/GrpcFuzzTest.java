// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.floats;
import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.output;
import static dev.millrace.grpc.GrpcClient.parameter;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.FeastServing.FeatureList;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesRequest;
import dev.millrace.grpc.message.FeastTypes.RepeatedValue;
import dev.millrace.grpc.message.FeastTypes.Value;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.server.TestServer;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Valid requests with random damage: each gets an answer, which is never the server's fault, and leaves nothing
/// behind. `-Dmillrace.fuzz.messages=1000000` sends more of them, `-Dmillrace.fuzz.seed` others.
class GrpcFuzzTest {
    private static final int MESSAGES = Integer.getInteger("millrace.fuzz.messages", 100_000);
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_260);

    private static final List<byte[]> REQUESTS = List.of(
            request("two_in", input("a", List.of(1f, 2f), 1, 2), input("b", List.of(3f, 5f), 1, 2))
                    .setId("é")
                    .putParameters("timeout", parameter(60_000_000))
                    .addOutputs(output("sum"))
                    .build()
                    .toByteArray(),
            request("linear", input("x", "FP32", 2, 4))
                    .addRawInputContents(floats(1, 2, 3, 4, 5, 6, 7, 8))
                    .build()
                    .toByteArray(),
            request(
                            "echo_int64",
                            input("in_INT64", "INT64", 1, 2)
                                    .setContents(InferTensorContents.newBuilder()
                                            .addInt64Contents(Long.MIN_VALUE)
                                            .addInt64Contents(7)))
                    .build()
                    .toByteArray(),
            request("string_only", input("text", "BYTES", 2, 1))
                    .addRawInputContents(ByteString.copyFrom(new byte[] {2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0}))
                    .build()
                    .toByteArray());

    private static final Marshaller<byte[]> BYTES = new Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    /// Two requests for features, the second one by the name of a service.
    private static final List<byte[]> FEATURES = List.of(
            GetOnlineFeaturesRequest.newBuilder()
                    .setFeatures(FeatureList.newBuilder().addVal("stats:a").addVal("stats:b"))
                    .putEntities(
                            "user",
                            RepeatedValue.newBuilder()
                                    .addVal(Value.newBuilder().setInt64Val(1))
                                    .addVal(Value.newBuilder().setInt32Val(-1))
                                    .addVal(Value.getDefaultInstance())
                                    .build())
                    .setFullFeatureNames(true)
                    .build()
                    .toByteArray(),
            GetOnlineFeaturesRequest.newBuilder()
                    .setFeatureService("linear")
                    .putEntities(
                            "user",
                            RepeatedValue.newBuilder()
                                    .addVal(Value.newBuilder().setStringVal("\u00e9"))
                                    .build())
                    .build()
                    .toByteArray());

    @TempDir
    private Path folder;

    /// A method whose messages are bytes.
    static MethodDescriptor<byte[], byte[]> unary(String name) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(name)
                .setRequestMarshaller(BYTES)
                .setResponseMarshaller(BYTES)
                .build();
    }

    @Test
    void shouldNeverFailOnDamagedRequests() {
        run(3000);
    }

    @Test
    void shouldNeverFailOnDamagedRequestsForFeatures() throws IOException {
        runFeatures(3000);
    }

    @Test
    @Tag("slow")
    @Timeout(3600)
    void shouldNeverFailOnManyDamagedRequestsForFeatures() throws IOException {
        runFeatures(MESSAGES);
    }

    @Test
    @Tag("slow")
    @Timeout(3600)
    void shouldNeverFailOnManyDamagedRequests() {
        run(MESSAGES);
    }

    private static void run(int rounds) {
        try (TestServer server = GrpcClient.server()) {
            run(server, unary(Methods.SERVICE + "/ModelInfer"), REQUESTS, rounds);
        }
    }

    private void runFeatures(int rounds) throws IOException {
        ViewSchema schema = ViewSchema.parse("view stats\nkey user int64\nfield a float64\nfield b string(9)\n");
        EmbeddedStore store = EmbeddedStore.open(folder, StoreOptions.DEFAULT, schema);
        try (store;
                TestServer server = TestServer.start(config ->
                        config.withGrpcPort(0).withRuntime(config.runtime().withFeatureStore(store)))) {
            store.write(new WriteBatch().row(store.view("stats"), 1, 1, 1).putDouble(0, 0.5));
            run(server, unary(FeatureService.SERVICE + "/GetOnlineFeatures"), FEATURES, rounds);
            // All native memory is looked at when the server closes.
            store.close();
        }
    }

    private static void run(
            TestServer server, MethodDescriptor<byte[], byte[]> method, List<byte[]> requests, int rounds) {
        SplittableRandom random = new SplittableRandom(SEED);
        int good = 0;
        try (GrpcClient client = new GrpcClient(server)) {
            for (int round = 0; round < rounds; round++) {
                byte[] damaged = damage(requests.get(random.nextInt(requests.size())), random);
                Status.Code code = code(client, method, damaged);
                good += code == Status.Code.OK ? 1 : 0;
                assertThat(code)
                        .as("seed %d, round %d: %s", SEED, round, Arrays.toString(damaged))
                        .isIn(
                                Status.Code.OK,
                                Status.Code.INVALID_ARGUMENT,
                                Status.Code.NOT_FOUND,
                                Status.Code.RESOURCE_EXHAUSTED,
                                Status.Code.DEADLINE_EXCEEDED);
            }
            assertThat(good).isBetween(1, rounds - 1);
        }
    }

    private static Status.Code code(GrpcClient client, MethodDescriptor<byte[], byte[]> method, byte[] request) {
        try {
            ClientCalls.blockingUnaryCall(
                    client.channel(), method, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS), request);
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    private static byte[] damage(byte[] request, SplittableRandom random) {
        byte[] damaged = request;
        for (int times = random.nextInt(1, 4); times > 0; times--) {
            int at = random.nextInt(damaged.length + 1);
            int end = Math.min(damaged.length, at + random.nextInt(1, 12));
            damaged = switch (random.nextInt(6)) {
                case 0 -> splice(damaged, at, at, bytes(random));
                case 1 -> splice(damaged, at, end, bytes(random));
                case 2 -> splice(damaged, at, end, new byte[0]);
                case 3 -> Arrays.copyOf(damaged, at);
                case 4 -> splice(damaged, at, at, Arrays.copyOfRange(damaged, at, end));
                default -> flip(damaged, at, random);
            };
        }
        return damaged;
    }

    /// Random bytes, or the largest numbers that there are.
    private static byte[] bytes(SplittableRandom random) {
        byte[] bytes = new byte[random.nextInt(1, 12)];
        random.nextBytes(bytes);
        if (random.nextInt(3) == 0) {
            Arrays.fill(bytes, (byte) 0xFF);
            bytes[bytes.length - 1] = 0x7F;
        }
        return bytes;
    }

    private static byte[] flip(byte[] request, int at, SplittableRandom random) {
        byte[] flipped = request.clone();
        if (at < flipped.length) {
            flipped[at] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] middle) {
        byte[] spliced = new byte[from + middle.length + bytes.length - to];
        System.arraycopy(bytes, 0, spliced, 0, from);
        System.arraycopy(middle, 0, spliced, from, middle.length);
        System.arraycopy(bytes, to, spliced, from + middle.length, bytes.length - to);
        return spliced;
    }
}
