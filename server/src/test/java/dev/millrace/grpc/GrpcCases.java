// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.DataType;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// What the conformance suite's cases have in common over gRPC: the model that requests of every form are tried on, a
/// right request to it, and what is wanted of answers.
final class GrpcCases {
    static final String UNKNOWN = "conformance_no_such_model";
    static final String UNKNOWN_VERSION = "987654321";
    static final String TWO = "conformance_two";
    static final String BATCHED = "conformance_batched";
    static final String FIXED = "conformance_fixed";
    static final String CLASSES = "conformance_classes";
    static final int MAX_BATCH = 4;

    private static final long BEYOND_DOUBLE = 9_007_199_254_740_993L;
    private static final List<Long> SHAPE = List.of(2L, 2L);

    static final SuiteTensor A = SuiteTensor.of("a", DataType.FP32, SHAPE, 1.5f, -2f, 0.25f, 8f);
    static final SuiteTensor N = SuiteTensor.of("n", DataType.INT64, SHAPE, 7L, -3L, BEYOND_DOUBLE, 0L);
    static final SuiteTensor SUM =
            SuiteTensor.of("sum", DataType.FP32, SHAPE, 8.5f, -5f, 0.25f + (float) BEYOND_DOUBLE, 8f);
    static final SuiteTensor NEGATED = SuiteTensor.of("negated", DataType.INT64, SHAPE, -7L, 3L, -BEYOND_DOUBLE, 0L);

    private static final Marshaller<byte[]> AS_THEY_ARE = new Marshaller<>() {
        @Override
        public InputStream stream(byte[] message) {
            return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream message) {
            throw new UnsupportedOperationException("only requests are sent as they are");
        }
    };

    /// Finds out whether a server does what a case asks for.
    interface Check {
        void ask(GrpcClient client) throws Exception;
    }

    private GrpcCases() {}

    static ModelInferRequest.Builder two() {
        return SuiteTensor.typed(TWO, A, N);
    }

    static ModelInferRequest.Builder rawTwo() {
        return SuiteTensor.raw(TWO, A, N);
    }

    static String identity(DataType datatype) {
        return "conformance_identity_" + datatype.name().toLowerCase(Locale.ROOT);
    }

    /// Wants the right answer to a request to [#TWO].
    static void answered(GrpcClient client, ModelInferRequest.Builder request) {
        SuiteTensor.require(client.infer(request), SUM, NEGATED);
    }

    /// Wants what 400 is over HTTP, with a reason, and the next request to be answered.
    static void refused(GrpcClient client, ModelInferRequest.Builder request) {
        refused(client, request, Status.Code.INVALID_ARGUMENT);
    }

    static void refused(GrpcClient client, ModelInferRequest.Builder request, Status.Code code) {
        client.assertRefused(request, code, "");
        answered(client, two());
    }

    /// Wants a call of any method to be refused.
    static void refused(GrpcClient client, String method, Message request, Message response, Status.Code code) {
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> client.call(method, request, response));
        assertThat(refusal).as(method).isNotNull();
        assertThat(refusal.getStatus().getCode()).as(refusal.getMessage()).isEqualTo(code);
        assertThat(refusal.getStatus().getDescription()).isNotEmpty();
    }

    /// Sends bytes that need not be a message, to any method.
    static ModelInferResponse send(GrpcClient client, String method, byte[] request) {
        MethodDescriptor<byte[], ModelInferResponse> descriptor =
                MethodDescriptor.<byte[], ModelInferResponse>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName(method)
                        .setRequestMarshaller(AS_THEY_ARE)
                        .setResponseMarshaller(ProtoUtils.marshaller(ModelInferResponse.getDefaultInstance()))
                        .build();
        return ClientCalls.blockingUnaryCall(
                client.channel(), descriptor, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS), request);
    }

    static ModelInferResponse send(GrpcClient client, byte[] request) {
        return send(client, Methods.SERVICE + "/ModelInfer", request);
    }

    /// Wants bytes to be refused, and the next request to be answered.
    static void refused(GrpcClient client, byte[] request, Status.Code code) {
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> send(client, request));
        assertThat(refusal)
                .as("the refusal of %s", HexFormat.of().formatHex(request))
                .isNotNull();
        assertThat(refusal.getStatus().getCode()).as(refusal.getMessage()).isEqualTo(code);
        assertThat(refusal.getStatus().getDescription()).isNotEmpty();
        answered(client, two());
    }
}
