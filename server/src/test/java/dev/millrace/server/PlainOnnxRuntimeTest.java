// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.millrace.memory.DataType;
import dev.millrace.server.RawClient.Answer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// The server beside ONNX Runtime's Java API, called plainly: the same answers to the same random tensors.
class PlainOnnxRuntimeTest {
    private static final int ROUNDS = 60;

    /// A model with its inputs, whose open dimensions are the same size.
    ///
    /// @param exact whether answers have the same bits; otherwise they are within rounding
    record Case(String model, boolean exact, Map<String, Input> inputs) {
        @Override
        public String toString() {
            return model;
        }
    }

    /// @param shape -1 where it is open
    record Input(DataType type, int... shape) {}

    static final List<Case> CASES = Stream.concat(
                    Stream.of(
                            new Case("linear", false, Map.of("x", new Input(DataType.FP32, -1, 4))),
                            new Case(
                                    "two_in",
                                    true,
                                    Map.of("a", new Input(DataType.FP32, -1, 2), "b", new Input(DataType.FP32, -1, 2))),
                            new Case("nobatch", true, Map.of("x", new Input(DataType.FP32, -1, -1, 3))),
                            new Case(
                                    "scalar",
                                    true,
                                    Map.of("x", new Input(DataType.FP32, -1), "factor", new Input(DataType.FP32))),
                            new Case("one_row", true, Map.of("x", new Input(DataType.FP32, 1, 3)))),
                    Stream.of(
                                    DataType.BOOL,
                                    DataType.UINT8,
                                    DataType.INT8,
                                    DataType.INT16,
                                    DataType.INT32,
                                    DataType.INT64,
                                    DataType.FP16,
                                    DataType.BF16,
                                    DataType.FP32,
                                    DataType.FP64)
                            .map(type -> new Case(
                                    "echo_" + type.name().toLowerCase(java.util.Locale.ROOT),
                                    true,
                                    Map.of("in_" + type, new Input(type, -1, 2)))))
            .toList();

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @FieldSource("CASES")
    void shouldAnswerAsOnnxRuntimeDoes(Case model) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        String file =
                TestServer.models().resolve(model.model() + "/1/model.onnx").toString();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(file, options);
                RawClient client = server.connect()) {
            for (int seed = 0; seed < ROUNDS; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                int open = random.nextInt(1, 9);
                Map<String, byte[]> tensors = new HashMap<>();
                model.inputs().forEach((name, input) -> tensors.put(name, elements(random, model, input, open)));
                compare(model, run(environment, session, model, tensors, open), ask(client, model, tensors, open));
            }
        }
    }

    private static long[] shape(Input input, int open) {
        long[] shape = new long[input.shape().length];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = input.shape()[axis] < 0 ? open : input.shape()[axis];
        }
        return shape;
    }

    /// Random bits where nothing is computed; otherwise moderate numbers.
    private static byte[] elements(SplittableRandom random, Case model, Input input, int open) {
        long count = 1;
        for (long size : shape(input, open)) {
            count *= size;
        }
        if (model.model().startsWith("echo")) {
            byte[] bytes = new byte[(int) count * input.type().byteSize()];
            random.nextBytes(bytes);
            for (int i = 0; i < bytes.length && input.type() == DataType.BOOL; i++) {
                bytes[i] = (byte) (bytes[i] & 1);
            }
            return bytes;
        }
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-100, 100);
        }
        return BinaryMessage.floats(values);
    }

    private static Map<String, byte[]> run(
            OrtEnvironment environment, OrtSession session, Case model, Map<String, byte[]> tensors, int open)
            throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            for (Map.Entry<String, byte[]> tensor : tensors.entrySet()) {
                Input input = model.inputs().get(tensor.getKey());
                ByteBuffer bytes = ByteBuffer.allocateDirect(tensor.getValue().length)
                        .order(ByteOrder.nativeOrder())
                        .put(tensor.getValue())
                        .flip();
                inputs.put(
                        tensor.getKey(),
                        OnnxTensor.createTensor(environment, bytes, shape(input, open), javaType(input.type())));
            }
            Map<String, byte[]> outputs = new HashMap<>();
            try (OrtSession.Result result = session.run(inputs)) {
                for (Map.Entry<String, ai.onnxruntime.OnnxValue> output : result) {
                    ByteBuffer bytes = ((OnnxTensor) output.getValue()).getByteBuffer();
                    byte[] copy = new byte[bytes.remaining()];
                    bytes.get(copy);
                    outputs.put(output.getKey(), copy);
                }
            }
            return outputs;
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private static OnnxJavaType javaType(DataType type) {
        return switch (type) {
            case BOOL -> OnnxJavaType.BOOL;
            case UINT8 -> OnnxJavaType.UINT8;
            case INT8 -> OnnxJavaType.INT8;
            case INT16 -> OnnxJavaType.INT16;
            case INT32 -> OnnxJavaType.INT32;
            case INT64 -> OnnxJavaType.INT64;
            case FP16 -> OnnxJavaType.FLOAT16;
            case BF16 -> OnnxJavaType.BFLOAT16;
            case FP32 -> OnnxJavaType.FLOAT;
            case FP64 -> OnnxJavaType.DOUBLE;
            default -> throw new IllegalArgumentException(type + " is none of its types");
        };
    }

    private static Map<String, byte[]> ask(RawClient client, Case model, Map<String, byte[]> tensors, int open) {
        List<String> inputs = new ArrayList<>();
        List<byte[]> blobs = new ArrayList<>();
        tensors.forEach((name, bytes) -> {
            Input input = model.inputs().get(name);
            inputs.add(BinaryMessage.input(
                    name,
                    java.util.Arrays.toString(shape(input, open)),
                    input.type().name(),
                    bytes.length));
            blobs.add(bytes);
        });
        String json =
                Bodies.with("'parameters':{'binary_data_output':true}", Bodies.request(inputs.toArray(String[]::new)));
        Answer answer = client.send(BinaryMessage.request(model.model(), json, blobs.toArray(byte[][]::new)))
                .read();
        return BinaryMessage.parts(answer).bytes();
    }

    private static void compare(Case model, Map<String, byte[]> expected, Map<String, byte[]> came) {
        assertThat(came.keySet()).isEqualTo(expected.keySet());
        came.forEach((name, bytes) -> {
            if (model.exact()) {
                assertThat(bytes).as(name).isEqualTo(expected.get(name));
                return;
            }
            ByteBuffer one = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer other = ByteBuffer.wrap(expected.get(name)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(one.remaining()).isEqualTo(other.remaining());
            while (one.hasRemaining()) {
                float exact = other.getFloat();
                assertThat(one.getFloat())
                        .as(name)
                        .isCloseTo(exact, org.assertj.core.data.Offset.offset(1e-4f * Math.max(1, Math.abs(exact))));
            }
        });
    }
}
