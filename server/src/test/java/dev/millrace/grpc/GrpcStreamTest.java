// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.floats;
import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelStreamInferResponse;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Many requests on one stream.
class GrpcStreamTest {
    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() {
        server = GrpcClient.server();
        client = new GrpcClient(server);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    /// What comes back on a stream.
    static final class Answers implements StreamObserver<ModelStreamInferResponse> {
        private final List<ModelStreamInferResponse> all = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<Status> end = new CompletableFuture<>();

        @Override
        public void onNext(ModelStreamInferResponse answer) {
            all.add(answer);
        }

        @Override
        public void onError(Throwable problem) {
            end.complete(Status.fromThrowable(problem));
        }

        @Override
        public void onCompleted() {
            end.complete(Status.OK);
        }

        Status end() {
            return end.orTimeout(60, TimeUnit.SECONDS).join();
        }
    }

    private static StreamObserver<ModelInferRequest> open(Answers answers) {
        return open(client, answers);
    }

    static StreamObserver<ModelInferRequest> open(GrpcClient client, Answers answers) {
        return ClientCalls.asyncBidiStreamingCall(
                client.channel()
                        .newCall(
                                Methods.ofMessages(
                                        "ModelStreamInfer",
                                        ModelInferRequest.getDefaultInstance(),
                                        ModelStreamInferResponse.getDefaultInstance()),
                                CallOptions.DEFAULT),
                answers);
    }

    private static ModelInferRequest.Builder rows(int first) {
        return request("linear", input("x", List.of((float) first, 0f, 0f, 0f), 1, 4))
                .setId("request " + first);
    }

    @Test
    void shouldAnswerEveryRequestInTheirOrder() {
        int count = 2000;
        Answers answers = new Answers();
        StreamObserver<ModelInferRequest> requests = open(answers);
        for (int i = 0; i < count; i++) {
            requests.onNext(rows(i).build());
        }
        requests.onCompleted();

        assertThat(answers.end().isOk()).isTrue();
        assertThat(answers.all).hasSize(count);
        for (int i = 0; i < count; i++) {
            ModelStreamInferResponse answer = answers.all.get(i);
            assertThat(answer.getErrorMessage()).isEmpty();
            assertThat(answer.getInferResponse().getId()).isEqualTo("request " + i);
            assertThat(floats(answer.getInferResponse().getRawOutputContents(0)))
                    .containsExactly(i + 0.5f, -i - 0.5f);
        }
    }

    @Test
    void shouldGoOnAfterRequestsThatFail() {
        Answers answers = new Answers();
        StreamObserver<ModelInferRequest> requests = open(answers);
        requests.onNext(rows(1).build());
        requests.onNext(rows(2).setModelName("nothing").build());
        requests.onNext(request("linear", input("x", List.of(1f), 1, 1)).build());
        requests.onNext(request("slow").setId("no inputs").build());
        requests.onNext(rows(3).build());
        requests.onCompleted();

        assertThat(answers.end().isOk()).isTrue();
        assertThat(answers.all)
                .extracting(ModelStreamInferResponse::getErrorMessage)
                .satisfiesExactly(
                        first -> assertThat(first).isEmpty(),
                        second -> assertThat(second).startsWith("model 'nothing' is not in the repository"),
                        third -> assertThat(third).contains("input 'x' has shape [1, 1], expected [-1, 4]"),
                        fourth -> assertThat(fourth).contains("input 'rounds' is missing"),
                        fifth -> assertThat(fifth).isEmpty());
        assertThat(answers.all)
                .extracting(answer -> answer.getInferResponse().getId())
                .containsExactly("request 1", "request 2", "", "no inputs", "request 3");
    }

    @Test
    void shouldEndAStreamWithoutRequests() {
        Answers answers = new Answers();
        open(answers).onCompleted();

        assertThat(answers.end().isOk()).isTrue();
        assertThat(answers.all).isEmpty();
    }

    @Test
    void shouldForgetAStreamThatIsCancelled() {
        Answers answers = new Answers();
        StreamObserver<ModelInferRequest> requests = open(answers);
        for (int i = 0; i < 100; i++) {
            requests.onNext(rows(i).build());
        }
        requests.onError(Status.CANCELLED.asRuntimeException());

        assertThat(answers.end().getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(client.infer(rows(5)).getId()).isEqualTo("request 5");
    }
}
