// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import dev.millrace.memory.DataType;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Deep Java Library's `Predictor` over the same ONNX Runtime: a translator makes NDArrays of arrays and arrays of
/// NDArrays, the whole batch in one.
final class DjlContestant implements Contestant {
    private final List<TensorSpec> specs;
    private final List<List<Value>> examples;
    private final Model model;
    private final Predictor<List<Value>, List<Output>> predictor;
    private List<Output> answers = List.of();

    /// What the translator copied out of an NDArray.
    private record Output(long[] shape, Object array) {}

    private DjlContestant(Fixture fixture, int batch, Model model) {
        this.specs = fixture.signature().outputs();
        this.examples = fixture.examples().all(batch);
        this.model = model;
        this.predictor = model.newPredictor(new Arrays());
    }

    /// @throws Unavailable if DJL cannot open the model or pass its inputs
    static Contestant open(Fixture fixture, int batch) {
        DjlEngine.require();
        for (Value value : fixture.examples().batch(0, batch)) {
            requireType(value);
        }
        // Null for the device would make it look for a GPU.
        Model model = Model.newInstance("model", Device.cpu(), DjlEngine.NAME);
        try {
            String threads = Integer.toString(fixture.settings().threads());
            model.load(
                    fixture.file(),
                    null,
                    Map.of("intraOpNumThreads", threads, "interOpNumThreads", "1", "optLevel", "ALL_OPT"));
            return new DjlContestant(fixture, batch, model);
        } catch (IOException | MalformedModelException e) {
            model.close();
            throw new Unavailable("DJL does not open the model: " + e.getMessage(), e);
        }
    }

    private static void requireType(Value value) {
        switch (value.datatype()) {
            case INT16, UINT16, UINT32, UINT64, BF16 ->
                throw new Unavailable("'" + value.name() + "' is " + value.datatype()
                        + ", which DJL's ONNX Runtime engine cannot pass");
            default -> {}
        }
    }

    @Override
    public void run(int index) {
        try {
            answers = predictor.predict(examples.get(index));
        } catch (TranslateException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public List<Value> answers() {
        List<Value> all = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            TensorSpec spec = specs.get(i);
            all.add(Value.ofJava(
                    spec.name(),
                    spec.datatype(),
                    answers.get(i).shape(),
                    answers.get(i).array()));
        }
        return all;
    }

    @Override
    public void close() {
        predictor.close();
        model.close();
    }

    /// Whole batches of arrays: no batchifier.
    private static final class Arrays implements Translator<List<Value>, List<Output>> {
        @Override
        public NDList processInput(TranslatorContext context, List<Value> values) {
            NDList list = new NDList(values.size());
            for (Value value : values) {
                NDArray array = create(context.getNDManager(), value);
                array.setName(value.name());
                list.add(array);
            }
            return list;
        }

        private static NDArray create(NDManager manager, Value value) {
            Shape shape = new Shape(value.shape());
            if (value.datatype() == DataType.BYTES) {
                return manager.create((String[]) value.array(), StandardCharsets.UTF_8, shape);
            }
            Buffer buffer = switch (value.array()) {
                case float[] floats -> FloatBuffer.wrap(floats);
                case double[] doubles -> DoubleBuffer.wrap(doubles);
                case long[] longs -> LongBuffer.wrap(longs);
                case int[] ints -> IntBuffer.wrap(ints);
                case short[] shorts -> {
                    ByteBuffer bytes =
                            ByteBuffer.allocateDirect(2 * shorts.length).order(ByteOrder.nativeOrder());
                    bytes.asShortBuffer().put(shorts);
                    yield bytes;
                }
                default -> ByteBuffer.wrap((byte[]) value.array());
            };
            return manager.create(buffer, shape, type(value.datatype()));
        }

        private static ai.djl.ndarray.types.DataType type(DataType datatype) {
            return switch (datatype) {
                case FP32 -> ai.djl.ndarray.types.DataType.FLOAT32;
                case FP64 -> ai.djl.ndarray.types.DataType.FLOAT64;
                case FP16 -> ai.djl.ndarray.types.DataType.FLOAT16;
                case INT64 -> ai.djl.ndarray.types.DataType.INT64;
                case INT32 -> ai.djl.ndarray.types.DataType.INT32;
                case INT8 -> ai.djl.ndarray.types.DataType.INT8;
                case UINT8 -> ai.djl.ndarray.types.DataType.UINT8;
                case BOOL -> ai.djl.ndarray.types.DataType.BOOLEAN;
                default -> throw new IllegalStateException("no " + datatype);
            };
        }

        @Override
        public List<Output> processOutput(TranslatorContext context, NDList list) {
            List<Output> outputs = new ArrayList<>(list.size());
            for (NDArray array : list) {
                outputs.add(new Output(array.getShape().getShape(), elements(array)));
            }
            return outputs;
        }

        private static Object elements(NDArray array) {
            return switch (array.getDataType()) {
                case FLOAT32 -> array.toFloatArray();
                case FLOAT64 -> array.toDoubleArray();
                case INT64 -> array.toLongArray();
                case INT32 -> array.toIntArray();
                case BOOLEAN -> array.toBooleanArray();
                case STRING -> array.toStringArray(StandardCharsets.UTF_8);
                case FLOAT16 -> array.toArray();
                default -> array.toByteArray();
            };
        }

        @Override
        public Batchifier getBatchifier() {
            return null;
        }
    }
}
