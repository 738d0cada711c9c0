// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The answer to a request, on the heap. Immutable but for its arrays, which are the caller's.
public final class Prediction {
    /// One output.
    ///
    /// @param name the output's name
    /// @param datatype its element type
    /// @param shape its dimensions
    /// @param values its elements in row-major order: `float[]`, `double[]`, `long[]` for all integers,
    ///     `boolean[]` or `String[]`; 16-bit floats come as `float[]`
    /// @param keys what the columns stand for if the model's output was a map; else empty
    public record Output(String name, DataType datatype, List<Long> shape, Object values, List<?> keys) {}

    private final String model;
    private final long version;
    private final Map<String, Output> outputs;

    private Prediction(String model, long version, Map<String, Output> outputs) {
        this.model = model;
        this.version = version;
        this.outputs = outputs;
    }

    static Prediction of(Call call) {
        Signature signature = call.signature();
        Map<String, Output> outputs = new LinkedHashMap<>();
        int reports = call.raw() != null && call.raw().isReporting()
                ? signature.reports().size()
                : 0;
        for (int i = 0; i < signature.outputs().size() + reports; i++) {
            TensorSpec spec = signature.answer(i);
            Tensor tensor = call.output(i);
            List<Long> shape = new ArrayList<>();
            for (long dim : tensor.shape()) {
                shape.add(dim);
            }
            outputs.put(
                    spec.name(),
                    new Output(spec.name(), tensor.datatype(), List.copyOf(shape), copy(tensor), tensor.keys()));
        }
        return new Prediction(call.model(), call.version(), outputs);
    }

    private static Object copy(Tensor tensor) {
        int count = Math.toIntExact(tensor.elementCount());
        switch (tensor.datatype()) {
            case FP32, FP16, BF16 -> {
                float[] values = new float[count];
                for (int i = 0; i < count; i++) {
                    values[i] = (float) tensor.getReal(i);
                }
                return values;
            }
            case FP64 -> {
                double[] values = new double[count];
                java.util.Arrays.setAll(values, tensor::getDouble);
                return values;
            }
            case BYTES -> {
                String[] values = new String[count];
                java.util.Arrays.setAll(values, tensor::getString);
                return values;
            }
            case BOOL -> {
                boolean[] values = new boolean[count];
                for (int i = 0; i < count; i++) {
                    values[i] = tensor.getLong(i) != 0;
                }
                return values;
            }
            default -> {
                long[] values = new long[count];
                java.util.Arrays.setAll(values, tensor::getLong);
                return values;
            }
        }
    }

    /// The model that answered.
    public String model() {
        return model;
    }

    /// The version that answered.
    public long version() {
        return version;
    }

    /// All outputs in the model's order.
    public List<Output> outputs() {
        return List.copyOf(outputs.values());
    }

    /// The output called `name`.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is none
    public Output output(String name) {
        Output output = outputs.get(name);
        if (output == null) {
            throw new InferenceException(
                    Outcome.INVALID, "model '" + model + "' has no output '" + name + "'; it has " + outputs.keySet());
        }
        return output;
    }

    /// The elements of a floating-point output of at most 32 bits.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is no such output or it has another type
    public float[] floats(String name) {
        return values(name, float[].class);
    }

    /// The elements of an FP64 output.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is no such output or it has another type
    public double[] doubles(String name) {
        return values(name, double[].class);
    }

    /// The elements of an integer output.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is no such output or it has another type
    public long[] longs(String name) {
        return values(name, long[].class);
    }

    /// The elements of a BYTES output as text.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is no such output or it has another type
    public String[] strings(String name) {
        return values(name, String[].class);
    }

    private <T> T values(String name, Class<T> type) {
        Output output = output(name);
        if (!type.isInstance(output.values())) {
            throw new InferenceException(
                    Outcome.INVALID, "output '" + name + "' is " + output.datatype() + ", not " + type.getSimpleName());
        }
        return type.cast(output.values());
    }
}
