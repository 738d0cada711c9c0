// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.parameter;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.grpc.message.Messages.ModelStreamInferResponse;
import dev.millrace.grpc.message.Messages.ServerLiveRequest;
import dev.millrace.grpc.message.Messages.ServerLiveResponse;
import dev.millrace.grpc.message.Messages.ServerReadyRequest;
import dev.millrace.grpc.message.Messages.ServerReadyResponse;
import dev.millrace.limit.Limit;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.FakeClock;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Deadlines, cancellation, limits, and what happens when the server stops, by gRPC.
class GrpcPromisesTest {
    private static final long SEED = 99;
    private static final int LONG = 400_000;

    private static TestServer server(UnaryOperator<ServerConfig> change) {
        return TestServer.start(config -> change.apply(config.withGrpcPort(0)));
    }

    private static ModelInferRequest.Builder slow(long rounds) {
        return request(
                "slow",
                input("rounds", "INT64")
                        .setContents(InferTensorContents.newBuilder().addInt64Contents(rounds)));
    }

    private static ModelInferRequest.Builder linear(int rows) {
        List<Float> elements = new ArrayList<>();
        for (int i = 0; i < 4 * rows; i++) {
            elements.add((float) i);
        }
        return request("linear", input("x", elements, rows, 4));
    }

    private static ListenableFuture<ModelInferResponse> start(
            ManagedChannel channel, ModelInferRequest.Builder request, CallOptions options) {
        return ClientCalls.futureUnaryCall(
                channel.newCall(
                        Methods.ofMessages(
                                "ModelInfer",
                                ModelInferRequest.getDefaultInstance(),
                                ModelInferResponse.getDefaultInstance()),
                        options),
                request.build());
    }

    private static Status end(Future<ModelInferResponse> answer) {
        try {
            answer.get(60, TimeUnit.SECONDS);
            return Status.OK;
        } catch (ExecutionException e) {
            return Status.fromThrowable(e.getCause());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static LaneStatistics lane(TestServer server, String model) {
        return server.server().runtime().statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    @Test
    void shouldAnswerInTimeOrNotAtAll() throws Exception {
        try (TestServer server = GrpcClient.server();
                GrpcClient client = new GrpcClient(server)) {
            client.infer(slow(1));
            Status byCall = end(start(
                    client.channel(), slow(LONG), CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.MILLISECONDS)));

            assertThat(byCall.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            await(() -> lane(server, "slow").inFlight() == 0);
            // The next request on the same call has no deadline.
            assertThat(client.infer(slow(10)).getModelName()).isEqualTo("slow");
        }
    }

    @Test
    void shouldHeedTheTimeoutOfARequest() {
        try (TestServer server = GrpcClient.server();
                GrpcClient client = new GrpcClient(server)) {
            StatusRuntimeException refusal = client.refusal(slow(LONG).putParameters("timeout", parameter(2000)));

            assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertThat(refusal.getStatus().getDescription()).contains("deadline", "slow");
        }
    }

    @Test
    void shouldCancelWhatAClientGivesUp() throws Exception {
        try (TestServer server = GrpcClient.server();
                GrpcClient client = new GrpcClient(server)) {
            List<ListenableFuture<ModelInferResponse>> answers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                answers.add(start(client.channel(), slow(LONG), CallOptions.DEFAULT));
            }
            await(() -> lane(server, "slow").inFlight() == 3);
            answers.forEach(answer -> answer.cancel(true));
            await(() -> lane(server, "slow").inFlight() == 0);

            assertThat(lane(server, "slow").ended()).containsEntry(Outcome.CANCELLED, 3L);
            assertThat(client.infer(linear(1)).getModelName()).isEqualTo("linear");
        }
    }

    @Test
    void shouldLoseNoRequestWhenManyAreGivenUp() throws Exception {
        SplittableRandom random = new SplittableRandom(SEED);
        try (TestServer server = server(config -> config.withEventLoops(2));
                GrpcClient first = new GrpcClient(server);
                GrpcClient second = new GrpcClient(server)) {
            List<Future<ModelInferResponse>> answers = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                CallOptions options = random.nextInt(4) == 0
                        ? CallOptions.DEFAULT.withDeadlineAfter(random.nextInt(1, 20_000), TimeUnit.MICROSECONDS)
                        : CallOptions.DEFAULT;
                ModelInferRequest.Builder request = random.nextInt(50) == 0 ? slow(1000) : linear(random.nextInt(1, 9));
                answers.add(start(random.nextBoolean() ? first.channel() : second.channel(), request, options));
                if (random.nextInt(4) == 0) {
                    answers.get(random.nextInt(answers.size())).cancel(true);
                }
            }
            int answered = 0;
            for (Future<ModelInferResponse> answer : answers) {
                Status.Code code = answer.isCancelled()
                        ? Status.Code.CANCELLED
                        : end(answer).getCode();
                answered += code == Status.Code.OK ? 1 : 0;
                assertThat(code)
                        .as("seed %d", SEED)
                        .isIn(
                                Status.Code.OK,
                                Status.Code.CANCELLED,
                                Status.Code.DEADLINE_EXCEEDED,
                                Status.Code.RESOURCE_EXHAUSTED);
            }
            assertThat(answered).isPositive();
            for (String model : List.of("linear", "slow")) {
                await(() -> lane(server, model).inFlight() == 0);
                LaneStatistics lane = lane(server, model);
                assertThat(lane.ended().values().stream()
                                .mapToLong(Long::longValue)
                                .sum())
                        .as("ended of %s", model)
                        .isEqualTo(lane.accepted());
            }
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitInTheQueueAndSayWhenToComeAgain() {
        RuntimeConfig small = RuntimeConfig.DEFAULT.withAgents(1).withQueueRows(2);
        try (TestServer server = server(config -> config.withRuntime(small));
                GrpcClient client = new GrpcClient(server)) {
            List<Future<ModelInferResponse>> answers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                answers.add(start(client.channel(), slow(LONG), CallOptions.DEFAULT));
            }
            int refused = 0;
            for (Future<ModelInferResponse> answer : answers) {
                Status status = end(answer);
                if (!status.isOk()) {
                    refused++;
                    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
                    assertThat(status.getDescription()).contains("queue", "full");
                }
            }
            assertThat(refused).isBetween(6, 8);
        }
    }

    @Test
    void shouldTellWhenAModelThatKeepsFailingIsToBeTriedAgain() {
        ModelConfig quick = ModelConfig.DEFAULT.withBreakerFailures(2);
        ModelInferRequest.Builder outOfRange = request(
                "gather",
                input("index", "INT64", 1)
                        .setContents(InferTensorContents.newBuilder().addInt64Contents(7)));
        try (TestServer server =
                        server(config -> config.withRuntime(config.runtime().withModel("gather", quick)));
                GrpcClient client = new GrpcClient(server)) {
            for (int i = 0; i < 2; i++) {
                client.assertRefused(outOfRange, Status.Code.INTERNAL, "error id");
            }
            StatusRuntimeException refusal = client.refusal(outOfRange);

            assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(refusal.getStatus().getDescription()).contains("keeps failing, 2 runs in a row");
            assertThat(Long.parseLong(refusal.getTrailers().get(GrpcStatus.RETRY_AFTER_MILLIS)))
                    .isBetween(1L, 1000L);
        }
    }

    @Test
    void shouldEndAStreamThatBringsNothing() throws Exception {
        FakeClock clock = new FakeClock();
        try (TestServer server = TestServer.start(config -> config.withGrpcPort(0), clock);
                GrpcClient client = new GrpcClient(server)) {
            LinkedBlockingQueue<Object> told = new LinkedBlockingQueue<>();
            StreamObserver<ModelInferRequest> requests = ClientCalls.asyncBidiStreamingCall(
                    client.channel()
                            .newCall(
                                    Methods.ofMessages(
                                            "ModelStreamInfer",
                                            ModelInferRequest.getDefaultInstance(),
                                            ModelStreamInferResponse.getDefaultInstance()),
                                    CallOptions.DEFAULT),
                    new StreamObserver<ModelStreamInferResponse>() {
                        @Override
                        public void onNext(ModelStreamInferResponse response) {
                            told.add(response);
                        }

                        @Override
                        public void onError(Throwable problem) {
                            told.add(Status.fromThrowable(problem));
                        }

                        @Override
                        public void onCompleted() {
                            told.add(Status.OK);
                        }
                    });
            requests.onNext(linear(1).build());
            assertThat(told.poll(60, TimeUnit.SECONDS)).isInstanceOf(ModelStreamInferResponse.class);
            server.lookAtClients();
            clock.advance(java.time.Duration.ofSeconds(121));
            server.lookAtClients();

            Status end = (Status) told.poll(60, TimeUnit.SECONDS);
            assertThat(end.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertThat(end.getDescription()).isEqualTo("no request came on the stream within 120 s (--idle-timeout)");
            assertThat(client.infer(linear(1)).getModelName()).isEqualTo("linear");
        }
    }

    @Test
    void shouldRefuseMessagesThatAreTooLarge() {
        try (TestServer server = server(config -> config.withLimit(Limit.MAX_BODY_BYTES, 1000));
                GrpcClient client = new GrpcClient(server)) {
            assertThat(client.infer(linear(10)).getModelName()).isEqualTo("linear");
            client.assertRefused(
                    linear(100),
                    Status.Code.RESOURCE_EXHAUSTED,
                    "a message of more than 1000 bytes, at most 1000 are allowed (--max-body-bytes)");
            StatusRuntimeException compressed = catchThrowableOfType(
                    StatusRuntimeException.class,
                    () -> client.call(
                            "ModelInfer",
                            linear(1).setId("x".repeat(4000)).build(),
                            ModelInferResponse.getDefaultInstance(),
                            CallOptions.DEFAULT.withCompression("gzip")));
            assertThat(compressed.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(compressed.getStatus().getDescription())
                    .isEqualTo("a message of more than 1000 bytes when decompressed, at most 1000 are allowed"
                            + " (--max-body-bytes)");
            assertThat(server.get("/metrics").body())
                    .contains("millrace_http_limited_total{limit=\"max_body_bytes\"} 2.0\n");
            assertThat(client.infer(linear(10)).getModelName()).isEqualTo("linear");
        }
    }

    @Test
    void shouldCountTheRowsOfAClient() throws Exception {
        try (TestServer server = server(config -> config.withLimit(Limit.CLIENT_LIMIT, 1)
                        .withLimit(Limit.CLIENT_BURST, 1000)
                        .withClientKey("X-Api-Key"));
                GrpcClient client = new GrpcClient(server)) {
            Metadata key = new Metadata();
            key.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), "a");
            assertThat(client.infer(linear(500)).getModelName()).isEqualTo("linear");
            StatusRuntimeException refusal = client.refusal(linear(900));
            assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(refusal.getStatus().getDescription())
                    .contains("this client has no 900 rows left, at most 1 per second are allowed (--client-limit)");
            assertThat(Long.parseLong(refusal.getTrailers().get(GrpcStatus.RETRY_AFTER_MILLIS)))
                    .isPositive();
            client.assertRefused(
                    linear(1001),
                    Status.Code.RESOURCE_EXHAUSTED,
                    "a request of 1001 rows, at most 1000 are allowed (--client-burst)");
            ManagedChannel channel = NettyChannelBuilder.forAddress(
                            "127.0.0.1", server.server().grpcPort())
                    .usePlaintext()
                    .intercept(MetadataUtils.newAttachHeadersInterceptor(key))
                    .build();
            try {
                assertThat(end(start(channel, linear(1000), CallOptions.DEFAULT))
                                .isOk())
                        .isTrue();
            } finally {
                channel.shutdownNow();
            }
            // A call is counted when its last bytes are out, which its client may see before.
            await(() -> server.get("/metrics").body().contains("millrace_grpc_requests_total{code=\"OK\"} 2.0\n"));
            assertThat(server.get("/metrics").body())
                    .contains(
                            "millrace_http_limited_total{limit=\"client_limit\"} 1.0\n",
                            "millrace_http_limited_total{limit=\"client_burst\"} 1.0\n",
                            "millrace_grpc_requests_total{code=\"RESOURCE_EXHAUSTED\"} 2.0\n");
        }
    }

    @Test
    void shouldCloseConnectionsThatAreTooMany() {
        try (TestServer server = server(config -> config.withLimit(Limit.MAX_CONNECTIONS, 1));
                GrpcClient first = new GrpcClient(server);
                GrpcClient second = new GrpcClient(server)) {
            assertThat(first.infer(linear(1)).getModelName()).isEqualTo("linear");

            StatusRuntimeException refusal = catchThrowableOfType(
                    StatusRuntimeException.class,
                    () -> second.call(
                            "ServerLive",
                            ServerLiveRequest.getDefaultInstance(),
                            ServerLiveResponse.getDefaultInstance()));

            assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(first.infer(linear(1)).getModelName()).isEqualTo("linear");
        }
    }

    @Test
    void shouldAnswerWhatIsInFlightWhenItStops() throws Exception {
        TestServer server = GrpcClient.server();
        try (GrpcClient client = new GrpcClient(server)) {
            Future<ModelInferResponse> answer = start(client.channel(), slow(LONG), CallOptions.DEFAULT);
            await(() -> lane(server, "slow").inFlight() == 1);
            server.close();

            assertThat(end(answer).isOk()).isTrue();
            assertThat(client.refusal(linear(1)).getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    @Test
    void shouldCutOffWhatTakesTooLongWhenItStops() throws Exception {
        TestServer server = server(
                config -> config.withRuntime(config.runtime().withDrainTimeout(java.time.Duration.ofMillis(10))));
        try (GrpcClient client = new GrpcClient(server)) {
            Future<ModelInferResponse> answer = start(client.channel(), slow(1000L * LONG), CallOptions.DEFAULT);
            await(() -> lane(server, "slow").inFlight() == 1);
            server.close();

            assertThat(end(answer).getCode()).isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
        }
    }

    @Test
    void shouldNotBeReadyButAnswerWhileItIsAboutToStop() throws Exception {
        try (TestServer leaving = GrpcClient.server();
                GrpcClient known = new GrpcClient(leaving)) {
            leaving.server().leave(Duration.ZERO);

            try (GrpcClient late = new GrpcClient(leaving)) {
                for (GrpcClient asking : List.of(known, late)) {
                    assertThat(HealthGrpc.newBlockingStub(asking.channel())
                                    .check(HealthCheckRequest.getDefaultInstance())
                                    .getStatus())
                            .isEqualTo(ServingStatus.NOT_SERVING);
                    assertThat(asking.call(
                                            "ServerReady",
                                            ServerReadyRequest.getDefaultInstance(),
                                            ServerReadyResponse.getDefaultInstance())
                                    .getReady())
                            .isFalse();
                    assertThat(asking.call(
                                            "ModelMetadata",
                                            ModelMetadataRequest.newBuilder()
                                                    .setName("linear")
                                                    .build(),
                                            ModelMetadataResponse.getDefaultInstance())
                                    .getName())
                            .isEqualTo("linear");
                }
            }
        }
    }
}
