// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.input;
import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.conformance.SuiteFixture;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.memory.DataType;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random tensors of every datatype and of ranks 0 to 4, some without elements, go in as bytes and as elements, and
/// come out bit by bit.
class GrpcRoundTripTest {
    private static final long SEED = 20_261_122;
    private static final int ROUNDS = 30;
    private static final int SHAPE_ROUNDS = 60;
    private static final int MAX_RANK = 4;

    @TempDir
    static Path models;

    private static TestServer server;
    private static TestServer shapes;
    private static GrpcClient client;
    private static GrpcClient shapesClient;

    @BeforeAll
    static void start() {
        for (DataType datatype : DataType.values()) {
            SuiteFixture.writeEcho(models, anyShapes(datatype), datatype.name(), MAX_RANK);
        }
        server = GrpcClient.server();
        client = new GrpcClient(server);
        shapes = TestServer.start(_ -> ServerConfig.of(models).withPort(0).withGrpcPort(0));
        shapesClient = new GrpcClient(shapes);
    }

    @AfterAll
    static void stop() {
        client.close();
        shapesClient.close();
        // Native memory is looked at when a server is closed, and is all servers'.
        shapes.server().close();
        server.close();
    }

    private static String anyShapes(DataType datatype) {
        return "shapes_" + datatype.name().toLowerCase(Locale.ROOT);
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void shouldGiveBackRows(DataType datatype) {
        SplittableRandom random = new SplittableRandom(SEED + datatype.ordinal());
        boolean texts = datatype == DataType.BYTES;
        String model = texts ? "string_only" : "echo_" + datatype.name().toLowerCase(Locale.ROOT);
        String name = texts ? "text" : "in_" + datatype;
        int columns = texts ? 1 : 2;
        for (int round = 0; round < ROUNDS; round++) {
            int rows = random.nextInt(1, 40);
            ByteString raw = elements(datatype, rows * columns, random);
            ModelInferRequest.Builder asBytes =
                    request(model, input(name, datatype.name(), rows, columns)).addRawInputContents(raw);

            ModelInferResponse response = client.infer(asBytes);

            String context = "seed " + SEED + ", " + datatype + ", round " + round;
            assertThat(response.getRawOutputContents(0)).as(context).isEqualTo(raw);
            assertThat(response.getOutputs(0).getDatatype()).isEqualTo(datatype.name());
            assertThat(response.getOutputs(0).getShapeList()).containsExactly((long) rows, (long) columns);
            if (datatype != DataType.FP16 && datatype != DataType.BF16) {
                ModelInferRequest.Builder asElements = request(
                        model, input(name, datatype.name(), rows, columns).setContents(typed(datatype, raw)));
                assertThat(client.infer(asElements).getRawOutputContents(0))
                        .as(context)
                        .isEqualTo(raw);
            }
        }
    }

    /// A tensor of one input of a model that takes each rank.
    private record Tensor(int rank, long[] shape, ByteString raw) {
        static Tensor of(DataType datatype, int rank, SplittableRandom random) {
            long[] shape = LongStream.generate(() -> random.nextInt(8) == 0 ? 0 : random.nextInt(1, 6))
                    .limit(rank)
                    .toArray();
            int count = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
            return new Tensor(rank, shape, elements(datatype, count, random));
        }

        InferInputTensor.Builder input(DataType datatype) {
            return GrpcClient.input("in_" + rank, datatype.name(), shape);
        }
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void shouldGiveBackEveryShape(DataType datatype) {
        SplittableRandom random = new SplittableRandom(SEED + datatype.ordinal());
        int empty = 0;
        for (int round = 0; round < SHAPE_ROUNDS; round++) {
            List<Tensor> tensors = IntStream.rangeClosed(0, MAX_RANK)
                    .mapToObj(rank -> Tensor.of(datatype, rank, random))
                    .collect(Collectors.toList());
            Collections.shuffle(tensors, new Random(random.nextLong()));
            empty += tensors.stream().anyMatch(tensor -> tensor.raw().isEmpty()) ? 1 : 0;
            String context = "seed " + SEED + ", " + datatype + ", round " + round;

            ModelInferRequest.Builder asBytes = request(anyShapes(datatype));
            tensors.forEach(tensor -> asBytes.addInputs(tensor.input(datatype)).addRawInputContents(tensor.raw()));
            requireSame(shapesClient.infer(asBytes), datatype, tensors, context + ", raw");
            if (datatype != DataType.FP16 && datatype != DataType.BF16) {
                ModelInferRequest.Builder asElements = request(anyShapes(datatype));
                tensors.forEach(tensor ->
                        asElements.addInputs(tensor.input(datatype).setContents(typed(datatype, tensor.raw()))));
                requireSame(shapesClient.infer(asElements), datatype, tensors, context + ", typed");
            }
        }
        assertThat(empty).as("rounds with a tensor without elements").isBetween(1, SHAPE_ROUNDS - 1);
    }

    private static void requireSame(
            ModelInferResponse response, DataType datatype, List<Tensor> tensors, String context) {
        assertThat(response.getOutputsCount()).as(context).isEqualTo(tensors.size());
        assertThat(response.getRawOutputContentsCount()).as(context).isEqualTo(tensors.size());
        for (Tensor tensor : tensors) {
            // Outputs come in the model's order, whatever that of the inputs was.
            var output = response.getOutputs(tensor.rank());
            String which = context + ", " + Arrays.toString(tensor.shape());
            assertThat(output.getName()).as(which).isEqualTo("out_" + tensor.rank());
            assertThat(output.getDatatype()).as(which).isEqualTo(datatype.name());
            assertThat(output.getShapeList())
                    .as(which)
                    .isEqualTo(Arrays.stream(tensor.shape()).boxed().toList());
            assertThat(response.getRawOutputContents(tensor.rank())).as(which).isEqualTo(tensor.raw());
        }
    }

    /// Elements as raw contents have them. NaNs keep their bits, as nothing computes with them.
    private static ByteString elements(DataType datatype, int count, SplittableRandom random) {
        if (datatype == DataType.BYTES) {
            ByteString all = ByteString.EMPTY;
            for (int i = 0; i < count; i++) {
                byte[] text = new byte[random.nextInt(20)];
                for (int j = 0; j < text.length; j++) {
                    text[j] = (byte) random.nextInt(1, 256);
                }
                all = all.concat(ByteString.copyFrom(new byte[] {(byte) text.length, 0, 0, 0}))
                        .concat(ByteString.copyFrom(text));
            }
            return all;
        }
        byte[] bytes = new byte[count * datatype.byteSize()];
        random.nextBytes(bytes);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = datatype == DataType.BOOL ? (byte) (bytes[i] & 1) : bytes[i];
        }
        if (random.nextInt(4) == 0 && datatype != DataType.BOOL) {
            Arrays.fill(bytes, 0, bytes.length / 2, (byte) (random.nextBoolean() ? 0 : 0xFF));
        }
        return ByteString.copyFrom(bytes);
    }

    /// The same elements in the field of their datatype.
    private static InferTensorContents.Builder typed(DataType datatype, ByteString raw) {
        InferTensorContents.Builder contents = InferTensorContents.newBuilder();
        ByteBuffer bytes = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            switch (datatype) {
                case BOOL -> contents.addBoolContents(bytes.get() != 0);
                case INT8 -> contents.addIntContents(bytes.get());
                case INT16 -> contents.addIntContents(bytes.getShort());
                case INT32 -> contents.addIntContents(bytes.getInt());
                case INT64 -> contents.addInt64Contents(bytes.getLong());
                case UINT8 -> contents.addUintContents(bytes.get() & 0xFF);
                case UINT16 -> contents.addUintContents(bytes.getShort() & 0xFFFF);
                case UINT32 -> contents.addUintContents(bytes.getInt());
                case UINT64 -> contents.addUint64Contents(bytes.getLong());
                case FP32 -> contents.addFp32Contents(bytes.getFloat());
                case FP64 -> contents.addFp64Contents(bytes.getDouble());
                case BYTES -> {
                    byte[] text = new byte[bytes.getInt()];
                    bytes.get(text);
                    contents.addBytesContents(ByteString.copyFrom(text));
                }
                case FP16, BF16 -> throw new IllegalArgumentException(datatype + " has no field");
            }
        }
        return contents;
    }
}
