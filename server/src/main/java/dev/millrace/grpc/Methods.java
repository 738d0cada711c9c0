// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import com.google.protobuf.Descriptors;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import dev.millrace.grpc.message.Messages;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import java.io.InputStream;

/// The methods of `inference.GRPCInferenceService`, as their descriptor has them. Threads: stateless.
final class Methods {
    static final String SERVICE = "inference.GRPCInferenceService";

    private static final Descriptors.ServiceDescriptor DESCRIPTOR =
            Messages.getDescriptor().findServiceByName("GRPCInferenceService");

    /// A request as it came: what reads it knows which model it is for.
    private static final Marshaller<InputStream> AS_IT_CAME = new Marshaller<>() {
        @Override
        public InputStream stream(InputStream message) {
            return message;
        }

        @Override
        public InputStream parse(InputStream message) {
            return message;
        }
    };

    /// The answer that the request's loop has got ready.
    private static final Marshaller<Infer> ANSWER = new Marshaller<>() {
        @Override
        public InputStream stream(Infer infer) {
            return infer.handler().loop().answers();
        }

        @Override
        public Infer parse(InputStream message) {
            throw new UnsupportedOperationException("answers are only sent");
        }
    };

    /// Leads gRPC's reflection to the descriptor.
    private record Schema() implements ProtoFileDescriptorSupplier {
        @Override
        public FileDescriptor getFileDescriptor() {
            return Messages.getDescriptor();
        }
    }

    private Methods() {}

    /// What reflection is told of the service.
    static Object schema() {
        return new Schema();
    }

    /// A method that reads and writes inference itself.
    ///
    /// @param name as the service calls it
    static MethodDescriptor<InputStream, Infer> ofInference(String name) {
        return descriptor(name, AS_IT_CAME, ANSWER);
    }

    /// A method of messages.
    ///
    /// @param name as the service calls it
    /// @param request an empty request
    /// @param response an empty response
    static <A extends Message, B extends Message> MethodDescriptor<A, B> ofMessages(
            String name, A request, B response) {
        return descriptor(name, ProtoUtils.marshaller(request), ProtoUtils.marshaller(response));
    }

    private static <A, B> MethodDescriptor<A, B> descriptor(
            String name, Marshaller<A> request, Marshaller<B> response) {
        Descriptors.MethodDescriptor method = DESCRIPTOR.findMethodByName(name);
        return MethodDescriptor.<A, B>newBuilder()
                .setType(method.isClientStreaming() ? MethodType.BIDI_STREAMING : MethodType.UNARY)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setRequestMarshaller(request)
                .setResponseMarshaller(response)
                .build();
    }
}
