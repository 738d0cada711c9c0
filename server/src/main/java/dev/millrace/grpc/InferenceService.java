// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import com.google.protobuf.Message;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryRegisterRequest;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryRegisterResponse;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryStatusRequest;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryStatusResponse;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryUnregisterRequest;
import dev.millrace.grpc.message.Messages.CudaSharedMemoryUnregisterResponse;
import dev.millrace.grpc.message.Messages.LogSettingsRequest;
import dev.millrace.grpc.message.Messages.LogSettingsResponse;
import dev.millrace.grpc.message.Messages.ModelConfigRequest;
import dev.millrace.grpc.message.Messages.ModelConfigResponse;
import dev.millrace.grpc.message.Messages.ModelMetadataRequest;
import dev.millrace.grpc.message.Messages.ModelMetadataResponse;
import dev.millrace.grpc.message.Messages.ModelReadyRequest;
import dev.millrace.grpc.message.Messages.ModelReadyResponse;
import dev.millrace.grpc.message.Messages.ModelStatisticsRequest;
import dev.millrace.grpc.message.Messages.ModelStatisticsResponse;
import dev.millrace.grpc.message.Messages.RepositoryIndexRequest;
import dev.millrace.grpc.message.Messages.RepositoryIndexResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelLoadResponse;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadRequest;
import dev.millrace.grpc.message.Messages.RepositoryModelUnloadResponse;
import dev.millrace.grpc.message.Messages.ServerLiveRequest;
import dev.millrace.grpc.message.Messages.ServerLiveResponse;
import dev.millrace.grpc.message.Messages.ServerMetadataRequest;
import dev.millrace.grpc.message.Messages.ServerMetadataResponse;
import dev.millrace.grpc.message.Messages.ServerReadyRequest;
import dev.millrace.grpc.message.Messages.ServerReadyResponse;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryRegisterRequest;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryRegisterResponse;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryStatusRequest;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryStatusResponse;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryUnregisterRequest;
import dev.millrace.grpc.message.Messages.SystemSharedMemoryUnregisterResponse;
import dev.millrace.grpc.message.Messages.TraceSettingRequest;
import dev.millrace.grpc.message.Messages.TraceSettingResponse;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.InferenceException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/// `inference.GRPCInferenceService`: which method is answered by what. Threads: event loops'.
final class InferenceService {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final GrpcServer server;
    private final List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();

    private InferenceService(GrpcServer server) {
        this.server = server;
    }

    /// All methods of the service.
    static ServerServiceDefinition of(GrpcServer server) {
        InferenceService service = new InferenceService(server);
        service.addInference();
        service.addHealth();
        service.addMetadata();
        service.addRepository();
        service.addSettings();
        service.addUnsupported();
        return service.define();
    }

    private ServerServiceDefinition define() {
        ServiceDescriptor.Builder descriptor =
                ServiceDescriptor.newBuilder(Methods.SERVICE).setSchemaDescriptor(Methods.schema());
        methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
        methods.forEach(definition::addMethod);
        return definition.build();
    }

    private void addInference() {
        MethodDescriptor<InputStream, Infer> unary = Methods.ofInference("ModelInfer");
        methods.add(ServerMethodDefinition.create(
                unary, (call, headers) -> new UnaryHandler(server.loop(call), call, headers)));
        MethodDescriptor<InputStream, Infer> stream = Methods.ofInference("ModelStreamInfer");
        methods.add(ServerMethodDefinition.create(
                stream, (call, headers) -> new StreamHandler(server.loop(call), call, headers)));
    }

    private void addHealth() {
        add(
                "ServerLive",
                ServerLiveRequest.getDefaultInstance(),
                ServerLiveResponse.getDefaultInstance(),
                _ -> ServerLiveResponse.newBuilder().setLive(true).build());
        add(
                "ServerReady",
                ServerReadyRequest.getDefaultInstance(),
                ServerReadyResponse.getDefaultInstance(),
                _ -> ServerReadyResponse.newBuilder().setReady(server.isReady()).build());
        add(
                "ModelReady",
                ModelReadyRequest.getDefaultInstance(),
                ModelReadyResponse.getDefaultInstance(),
                request -> server.management().modelReady(request));
    }

    private void addMetadata() {
        add(
                "ServerMetadata",
                ServerMetadataRequest.getDefaultInstance(),
                ServerMetadataResponse.getDefaultInstance(),
                _ -> server.management().serverMetadata());
        add(
                "ModelMetadata",
                ModelMetadataRequest.getDefaultInstance(),
                ModelMetadataResponse.getDefaultInstance(),
                request -> server.management().modelMetadata(request));
        add(
                "ModelConfig",
                ModelConfigRequest.getDefaultInstance(),
                ModelConfigResponse.getDefaultInstance(),
                request -> server.management().modelConfig(request));
        add(
                "ModelStatistics",
                ModelStatisticsRequest.getDefaultInstance(),
                ModelStatisticsResponse.getDefaultInstance(),
                request -> server.management().modelStatistics(request));
    }

    private void addRepository() {
        addLater(
                "RepositoryIndex",
                false,
                RepositoryIndexRequest.getDefaultInstance(),
                RepositoryIndexResponse.getDefaultInstance(),
                request -> server.management().index(request));
        addLater(
                "RepositoryModelLoad",
                true,
                RepositoryModelLoadRequest.getDefaultInstance(),
                RepositoryModelLoadResponse.getDefaultInstance(),
                request -> server.management().load(request));
        addLater(
                "RepositoryModelUnload",
                true,
                RepositoryModelUnloadRequest.getDefaultInstance(),
                RepositoryModelUnloadResponse.getDefaultInstance(),
                request -> server.management().unload(request));
    }

    private void addSettings() {
        add(
                "LogSettings",
                LogSettingsRequest.getDefaultInstance(),
                LogSettingsResponse.getDefaultInstance(),
                request -> server.management().log(request));
        add(
                "TraceSetting",
                TraceSettingRequest.getDefaultInstance(),
                TraceSettingResponse.getDefaultInstance(),
                request -> server.management().trace(request));
    }

    private void addUnsupported() {
        String memory = "shared memory is not supported by this server; tensors come with the request";
        unsupported(
                "SystemSharedMemoryStatus",
                SystemSharedMemoryStatusRequest.getDefaultInstance(),
                SystemSharedMemoryStatusResponse.getDefaultInstance(),
                memory);
        unsupported(
                "SystemSharedMemoryRegister",
                SystemSharedMemoryRegisterRequest.getDefaultInstance(),
                SystemSharedMemoryRegisterResponse.getDefaultInstance(),
                memory);
        unsupported(
                "SystemSharedMemoryUnregister",
                SystemSharedMemoryUnregisterRequest.getDefaultInstance(),
                SystemSharedMemoryUnregisterResponse.getDefaultInstance(),
                memory);
        unsupported(
                "CudaSharedMemoryStatus",
                CudaSharedMemoryStatusRequest.getDefaultInstance(),
                CudaSharedMemoryStatusResponse.getDefaultInstance(),
                memory);
        unsupported(
                "CudaSharedMemoryRegister",
                CudaSharedMemoryRegisterRequest.getDefaultInstance(),
                CudaSharedMemoryRegisterResponse.getDefaultInstance(),
                memory);
        unsupported(
                "CudaSharedMemoryUnregister",
                CudaSharedMemoryUnregisterRequest.getDefaultInstance(),
                CudaSharedMemoryUnregisterResponse.getDefaultInstance(),
                memory);
    }

    private <A extends Message, B extends Message> void unsupported(
            String name, A request, B response, String message) {
        add(name, request, response, _ -> {
            throw new ManagementException(Problem.UNSUPPORTED, message);
        });
    }

    private <A extends Message, B extends Message> void add(String name, A request, B response, Function<A, B> answer) {
        methods.add(ServerMethodDefinition.create(
                Methods.ofMessages(name, request, response),
                ServerCalls.asyncUnaryCall((asked, observer) -> answer(answer, asked, observer))));
    }

    /// A method whose answer comes later.
    ///
    /// @param change whether it changes models, so that who asks must be allowed to
    private <A extends Message, B extends Message> void addLater(
            String name, boolean change, A request, B response, Function<A, CompletionStage<B>> answer) {
        methods.add(ServerMethodDefinition.create(
                Methods.ofMessages(name, request, response),
                (call, headers) -> ServerCalls.<A, B>asyncUnaryCall((asked, observer) -> {
                            ServerCallStreamObserver<B> client = (ServerCallStreamObserver<B>) observer;
                            client.setOnCancelHandler(() -> {});
                            try {
                                if (change) {
                                    server.admin().require(true, headers.get(AUTHORIZATION), false);
                                }
                                answer(answer.apply(asked), client, server.loop(call));
                            } catch (RuntimeException e) {
                                client.onError(status(e).asRuntimeException());
                            }
                        })
                        .startCall(call, headers)));
    }

    /// Answers on the loop when there is an answer.
    static <B> void answer(CompletionStage<B> answer, ServerCallStreamObserver<B> client, GrpcLoop loop) {
        answer.whenComplete((response, problem) -> loop.wakeUp().execute(() -> {
            if (client.isCancelled()) {
                return;
            }
            if (problem != null) {
                client.onError(status(problem).asRuntimeException());
                return;
            }
            client.onNext(response);
            client.onCompleted();
        }));
    }

    private static <A, B> void answer(Function<A, B> answer, A request, StreamObserver<B> observer) {
        B response;
        try {
            response = answer.apply(request);
        } catch (RuntimeException e) {
            observer.onError(status(e).asRuntimeException());
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }

    /// What is to be told of a request that cannot be answered.
    static Status status(Throwable problem) {
        return switch (problem) {
            case CompletionException e when e.getCause() != null -> status(e.getCause());
            case ManagementException e -> of(e.problem()).withDescription(e.getMessage());
            case Refusal e -> GrpcStatus.of(e).withDescription(e.getMessage());
            case MemoryExceededException e -> status(InferenceException.of(e, 0));
            case InferenceException e -> GrpcStatus.of(e.outcome()).withDescription(e.getMessage());
            default -> GrpcLoop.bug(problem);
        };
    }

    /// What is to be told of a management request that cannot be answered.
    private static Status of(Problem problem) {
        return switch (problem) {
            case INVALID -> Status.INVALID_ARGUMENT;
            case FAILED -> Status.FAILED_PRECONDITION;
            case TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
            case UNAUTHENTICATED -> Status.UNAUTHENTICATED;
            case FORBIDDEN -> Status.PERMISSION_DENIED;
            case NOT_FOUND -> Status.NOT_FOUND;
            case UNAVAILABLE -> Status.UNAVAILABLE;
            case UNSUPPORTED -> Status.UNIMPLEMENTED;
        };
    }
}
