// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Value;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.DataType;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/// Batches over gRPC, one call after the other, with raw contents.
///
/// Threads: one. Ownership: it closes its channel.
public final class GrpcContestant implements Contestant {
    private static final int FRAME_BYTES = 5;

    private final List<byte[]> requests;
    private final ManagedChannel channel;
    private byte[] answer;

    /// @param port where the server answers gRPC on this machine
    /// @param requests one per batch, by [#request(String, float[], int)]
    public GrpcContestant(int port, List<byte[]> requests) {
        this.requests = requests;
        this.channel = NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .usePlaintext()
                .directExecutor()
                .build();
    }

    /// A request for rows of a model of [BenchModels].
    public static byte[] request(String model, float[] rows, int width) {
        ByteBuffer raw = ByteBuffer.allocate(rows.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(rows);
        return ModelInferRequest.newBuilder()
                .setModelName(model)
                .addInputs(ModelInferRequest.InferInputTensor.newBuilder()
                        .setName(BenchModels.INPUT)
                        .setDatatype("FP32")
                        .addShape(rows.length / width)
                        .addShape(width))
                .addRawInputContents(ByteString.copyFrom(raw))
                .build()
                .toByteArray();
    }

    /// The same as a load generator for HTTP/2 sends it: not compressed, its length before it.
    public static Post post(byte[] message) {
        byte[] framed = ByteBuffer.allocate(message.length + FRAME_BYTES)
                .put((byte) 0)
                .putInt(message.length)
                .put(message)
                .array();
        return new Post(
                "/" + GrpcEcho.method().getFullMethodName(),
                Map.of("content-type", "application/grpc", "te", "trailers"),
                framed);
    }

    @Override
    public void run(int index) {
        answer = ClientCalls.blockingUnaryCall(channel, GrpcEcho.method(), CallOptions.DEFAULT, requests.get(index));
    }

    /// The last answer, a message.
    public byte[] answer() {
        return answer;
    }

    @Override
    public List<Value> answers() {
        try {
            ModelInferResponse response = ModelInferResponse.parseFrom(answer);
            FloatBuffer values = response.getRawOutputContents(0)
                    .asReadOnlyByteBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer();
            float[] array = new float[values.remaining()];
            values.get(array);
            ModelInferResponse.InferOutputTensor output = response.getOutputs(0);
            long[] shape =
                    output.getShapeList().stream().mapToLong(Long::longValue).toArray();
            return List.of(new Value(output.getName(), DataType.FP32, shape, array));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("no answer of a model: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
