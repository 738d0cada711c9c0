// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import com.google.protobuf.Descriptors.FileDescriptor;
import dev.millrace.grpc.message.FeastServing;
import dev.millrace.grpc.message.FeastServing.GetFeastServingInfoRequest;
import dev.millrace.grpc.message.FeastServing.GetFeastServingInfoResponse;
import dev.millrace.online.OnlineFeatures;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Outcome;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// `feast.serving.ServingService`: stored features, as `POST /get-online-features` tells them. Threads:
/// event loops', and one of its own for each larger request, which others do not wait for.
final class FeatureService {
    static final String SERVICE = "feast.serving.ServingService";

    /// Messages as they are on the wire: what reads and writes them has no objects for them.
    private static final Marshaller<byte[]> BYTES = new Marshaller<>() {
        @Override
        public InputStream stream(byte[] message) {
            return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream message) {
            try {
                // One more than there may be, so that it is noticed.
                return message.readNBytes(OnlineFeatures.MAX_REQUEST_BYTES + 1);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    /// Leads gRPC's reflection to the descriptor.
    private record Schema() implements ProtoFileDescriptorSupplier {
        @Override
        public FileDescriptor getFileDescriptor() {
            return FeastServing.getDescriptor();
        }
    }

    private final GrpcServer server;

    private FeatureService(GrpcServer server) {
        this.server = server;
    }

    /// All methods of the service.
    static ServerServiceDefinition of(GrpcServer server) {
        FeatureService service = new FeatureService(server);
        MethodDescriptor<byte[], byte[]> features = method("GetOnlineFeatures", BYTES, BYTES);
        MethodDescriptor<GetFeastServingInfoRequest, GetFeastServingInfoResponse> info = method(
                "GetFeastServingInfo",
                ProtoUtils.marshaller(GetFeastServingInfoRequest.getDefaultInstance()),
                ProtoUtils.marshaller(GetFeastServingInfoResponse.getDefaultInstance()));
        return ServerServiceDefinition.builder(ServiceDescriptor.newBuilder(SERVICE)
                        .setSchemaDescriptor(new Schema())
                        .addMethod(info)
                        .addMethod(features)
                        .build())
                .addMethod(service.info(info))
                .addMethod(service.features(features))
                .build();
    }

    private static <A, B> MethodDescriptor<A, B> method(String name, Marshaller<A> request, Marshaller<B> response) {
        return MethodDescriptor.<A, B>newBuilder()
                .setType(MethodType.UNARY)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setRequestMarshaller(request)
                .setResponseMarshaller(response)
                .build();
    }

    private ServerMethodDefinition<GetFeastServingInfoRequest, GetFeastServingInfoResponse> info(
            MethodDescriptor<GetFeastServingInfoRequest, GetFeastServingInfoResponse> method) {
        return ServerMethodDefinition.create(method, ServerCalls.asyncUnaryCall((_, client) -> {
            client.onNext(GetFeastServingInfoResponse.newBuilder()
                    .setVersion(server.management().serverMetadata().getVersion())
                    .build());
            client.onCompleted();
        }));
    }

    private ServerMethodDefinition<byte[], byte[]> features(MethodDescriptor<byte[], byte[]> method) {
        return ServerMethodDefinition.create(
                method,
                (call, headers) -> ServerCalls.<byte[], byte[]>asyncUnaryCall((request, observer) -> {
                            ServerCallStreamObserver<byte[]> client = (ServerCallStreamObserver<byte[]>) observer;
                            client.setOnCancelHandler(() -> {});
                            answer(call, request, client);
                        })
                        .startCall(call, headers));
    }

    private void answer(ServerCall<?, ?> call, byte[] request, ServerCallStreamObserver<byte[]> client) {
        try {
            CompletionStage<byte[]> answer =
                    OnlineFeatures.isSmall(request.length) ? server.features().answerWire(request) : later(request);
            InferenceService.answer(answer, client, server.loop(call));
        } catch (RuntimeException e) {
            client.onError(InferenceService.status(e).asRuntimeException());
        }
    }

    private CompletionStage<byte[]> later(byte[] request) {
        OnlineFeatures features = server.features();
        if (request.length > OnlineFeatures.MAX_REQUEST_BYTES) {
            throw new Refusal(
                    Outcome.TOO_LARGE, "the message has more than " + OnlineFeatures.MAX_REQUEST_BYTES + " bytes");
        }
        long taken = features.reserve("the message", request.length);
        return CompletableFuture.supplyAsync(() -> features.answerWire(request).join(), Thread::startVirtualThread)
                .whenComplete((_, _) -> features.release(taken));
    }
}
