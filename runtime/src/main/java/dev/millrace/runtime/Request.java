// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.lang.reflect.Array;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// The inputs of a prediction as Java arrays, with how long it may take.
///
/// Arrays of any primitive number type, of booleans or of strings are taken, and converted to the model's type if no
/// value is changed by it beyond rounding to the nearest float. Threads: one at a time; arrays are read when it is
/// predicted.
public final class Request {
    private record Value(Object array, long[] shape) {}

    private final String model;
    private final Signature signature;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private Duration timeout;
    private int priority;
    private boolean reports;

    Request(String model, Signature signature) {
        this.model = model;
        this.signature = signature;
    }

    /// Sets an input from a flat array. Its shape follows from the signature if at most one dimension is variable: rows
    /// of features are `rows * features` values. A raw value may also come by itself, and counts for all rows.
    ///
    /// @param name the input's name
    /// @param array an array of primitive numbers, booleans or strings; of objects where elements may be null
    /// @throws InferenceException with [Outcome#INVALID] if there is no such input or the count does not fit
    public Request set(String name, Object array) {
        TensorSpec spec = spec(name);
        boolean single = spec.shape().size() == 1 && isElement(array);
        Object elements = single ? new Object[] {array} : array;
        return set(name, inferShape(spec, length(name, elements)), elements);
    }

    /// Sets an input from rows, one array each, all of one length.
    ///
    /// @throws InferenceException with [Outcome#INVALID] if there is no such input or the rows differ in length
    public Request set(String name, float[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        float[] flat = new float[rows.length * columns];
        for (int row = 0; row < rows.length; row++) {
            if (rows[row].length != columns) {
                throw invalid("input '" + name + "': row " + row + " has " + rows[row].length + " values, expected "
                        + columns + " as row 0 has");
            }
            System.arraycopy(rows[row], 0, flat, row * columns, columns);
        }
        return set(name, new long[] {rows.length, columns}, flat);
    }

    /// Sets an input of the given shape from a flat array in row-major order.
    ///
    /// @param name the input's name
    /// @param shape the dimensions
    /// @param array an array of primitive numbers, booleans or strings
    /// @throws InferenceException with [Outcome#INVALID] if there is no such input or the count does not fit
    public Request set(String name, long[] shape, Object array) {
        TensorSpec spec = spec(name);
        long expected = elementCount(name, shape);
        int length = length(name, array);
        if (length != expected) {
            throw invalid("input '" + spec.name() + "': " + length + " values for shape " + Arrays.toString(shape)
                    + ", expected " + expected);
        }
        values.put(name, new Value(array, shape.clone()));
        return this;
    }

    /// Limits how long the prediction may take, counted from when it is asked for; null for no limit. Of zero
    /// or less nothing is left: it ends as expired.
    public Request timeout(Duration limit) {
        timeout = limit;
        return this;
    }

    /// Sets the priority, as [Call#priority(int)] has it; 0 for the model's default.
    public Request priority(int level) {
        priority = level;
        return this;
    }

    /// Asks for the reports about raw values, too: [Prediction] has them as further outputs.
    public Request reports(boolean wanted) {
        reports = wanted;
        return this;
    }

    /// Writes the inputs into a call.
    ///
    /// @throws InferenceException if they are wrong, or there is not enough memory for them
    void fill(Call call) {
        try {
            write(call);
        } catch (MemoryExceededException e) {
            throw InferenceException.of(e, call.heldBytes());
        }
    }

    private void write(Call call) {
        for (int i = 0; i < signature.inputs().size(); i++) {
            String name = signature.inputs().get(i).name();
            Value value = values.get(name);
            Tensor tensor = call.input(i);
            if (value == null && signature.inputs().get(i).optional()) {
                tensor.clear();
                continue;
            }
            if (value == null) {
                throw invalid("input '" + name + "' is missing");
            }
            tensor.reshape(value.shape());
            write(name, value.array(), tensor);
        }
        call.timeout(timeout).priority(priority);
        if (call.raw() != null) {
            call.raw().reporting(reports);
        }
    }

    private static boolean isElement(Object value) {
        return value instanceof Number || value instanceof Boolean || value instanceof String;
    }

    private TensorSpec spec(String name) {
        int index = signature.inputIndex(name);
        if (index < 0) {
            throw invalid("model '" + model + "' has no input '" + name + "'; it has "
                    + signature.inputs().stream().map(TensorSpec::name).toList());
        }
        return signature.inputs().get(index);
    }

    private static long elementCount(String name, long[] shape) {
        long count = 1;
        for (long dim : shape) {
            if (dim < 0 || Math.multiplyHigh(count, dim) != 0 || count * dim < 0) {
                throw invalid("input '" + name + "': " + Arrays.toString(shape) + " is no shape");
            }
            count *= dim;
        }
        return count;
    }

    private static int length(String name, Object array) {
        if (array == null) {
            throw invalid("input '" + name + "': null came, expected an array");
        }
        if (!array.getClass().isArray()) {
            throw invalid("input '" + name + "': a " + array.getClass().getSimpleName() + " came, expected an array");
        }
        return Array.getLength(array);
    }

    private static long[] inferShape(TensorSpec spec, long length) {
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        int open = -1;
        long fixed = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            if (shape[axis] >= 0) {
                fixed *= shape[axis];
            } else if (open >= 0) {
                throw invalid("input '" + spec.name() + "' has shape " + spec.shape() + ": give the shape, too");
            } else {
                open = axis;
            }
        }
        if (open >= 0 && fixed > 0 && length % fixed == 0) {
            shape[open] = length / fixed;
        } else if (open >= 0) {
            throw invalid("input '" + spec.name() + "': " + length + " values do not fill shape " + spec.shape());
        }
        return shape;
    }

    private static void write(String name, Object array, Tensor tensor) {
        if (array instanceof float[] floats && tensor.datatype() == DataType.FP32) {
            tensor.putFloats(floats);
            return;
        }
        int length = Array.getLength(array);
        for (int i = 0; i < length; i++) {
            Object value = Array.get(array, i);
            if (!store(tensor, i, value)) {
                String type = value == null ? "" : " (" + value.getClass().getSimpleName() + ")";
                throw invalid("input '" + name + "': element " + i + " is " + value + type + ", expected "
                        + tensor.datatype());
            }
        }
    }

    private static boolean store(Tensor tensor, int index, Object value) {
        DataType type = tensor.datatype();
        switch (value) {
            case null -> {
                if (!tensor.isNullable()) {
                    return false;
                }
                tensor.setNull(index, true);
            }
            case String text when type == DataType.BYTES -> tensor.setString(index, text);
            case Boolean flag when type == DataType.BOOL -> tensor.setLong(index, flag ? 1 : 0);
            case Number number when type.isFloating() -> tensor.setReal(index, number.doubleValue());
            case Number number
            when isInteger(number) && type.isNumeric() && type != DataType.BOOL -> {
                tensor.setLong(index, number.longValue());
                return tensor.getLong(index) == number.longValue()
                        && (type != DataType.UINT64 || number.longValue() >= 0);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean isInteger(Number number) {
        return number instanceof Long || number instanceof Integer || number instanceof Short || number instanceof Byte;
    }

    private static InferenceException invalid(String message) {
        return new InferenceException(Outcome.INVALID, message);
    }
}
