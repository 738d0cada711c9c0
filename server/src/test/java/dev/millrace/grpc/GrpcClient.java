// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.millrace.grpc.message.Messages.InferParameter;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferRequestedOutputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.server.TestServer;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A client of gRPC for tests: grpc-java's, with the messages that are generated from the protocol.
final class GrpcClient implements AutoCloseable {
    private final ManagedChannel channel;

    GrpcClient(TestServer server) {
        this(server.server().grpcPort());
    }

    GrpcClient(int port) {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .maxInboundMessageSize(1 << 30)
                .build();
    }

    static TestServer server() {
        return TestServer.start(config -> config.withGrpcPort(0));
    }

    ManagedChannel channel() {
        return channel;
    }

    <A extends Message, B extends Message> B call(String method, A request, B response) {
        return call(method, request, response, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
    }

    @SuppressWarnings("unchecked")
    <A extends Message, B extends Message> B call(String method, A request, B response, CallOptions options) {
        return ClientCalls.blockingUnaryCall(
                channel,
                Methods.ofMessages(method, (A) request.getDefaultInstanceForType(), response),
                options,
                request);
    }

    ModelInferResponse infer(ModelInferRequest request) {
        return call("ModelInfer", request, ModelInferResponse.getDefaultInstance());
    }

    ModelInferResponse infer(ModelInferRequest.Builder request) {
        return infer(request.build());
    }

    /// Why a request is not answered.
    StatusRuntimeException refusal(ModelInferRequest.Builder request) {
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> infer(request.build()));
        assertThat(refusal).as("the refusal of " + request).isNotNull();
        return refusal;
    }

    void assertInvalid(ModelInferRequest.Builder request, String message) {
        assertRefused(request, Status.Code.INVALID_ARGUMENT, message);
    }

    void assertRefused(ModelInferRequest.Builder request, Status.Code code, String message) {
        Status status = refusal(request).getStatus();
        assertThat(status.getDescription()).contains(message);
        assertThat(status.getCode()).as(status.getDescription()).isEqualTo(code);
    }

    static ModelInferRequest.Builder request(String model, InferInputTensor.Builder... inputs) {
        ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName(model);
        Arrays.stream(inputs).forEach(request::addInputs);
        return request;
    }

    static InferInputTensor.Builder input(String name, String datatype, long... shape) {
        InferInputTensor.Builder input =
                InferInputTensor.newBuilder().setName(name).setDatatype(datatype);
        Arrays.stream(shape).forEach(input::addShape);
        return input;
    }

    static InferInputTensor.Builder input(String name, List<Float> elements, long... shape) {
        return input(name, "FP32", shape)
                .setContents(InferTensorContents.newBuilder().addAllFp32Contents(elements));
    }

    static InferRequestedOutputTensor.Builder output(String name) {
        return InferRequestedOutputTensor.newBuilder().setName(name);
    }

    static InferParameter parameter(long value) {
        return InferParameter.newBuilder().setInt64Param(value).build();
    }

    static ByteString floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return ByteString.copyFrom(bytes.flip());
    }

    static float[] floats(ByteString raw) {
        float[] values = new float[raw.size() / 4];
        raw.asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(values);
        return values;
    }

    @Override
    public void close() {
        channel.shutdownNow();
        try {
            assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
