// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtUtil;
import dev.millrace.memory.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;

/// Values as tensors of ONNX Runtime's Java API, as far as that API has their type. Stateless.
final class JavaTensors {
    private JavaTensors() {}

    /// What most programs hand to `createTensor`: nested arrays, or one boxed element.
    ///
    /// @throws Unavailable if the API has no such tensors
    static Object nested(Value value) {
        refuseForeign(value);
        Object flat = value.datatype() == DataType.BOOL ? value.booleans() : value.array();
        if (value.shape().length == 0) {
            return java.lang.reflect.Array.get(flat, 0);
        }
        if (value.shape().length == 1 || needsBuffer(value.datatype())) {
            return flat;
        }
        return switch (flat) {
            case float[] floats -> OrtUtil.reshape(floats, value.shape());
            case double[] doubles -> OrtUtil.reshape(doubles, value.shape());
            case long[] longs -> OrtUtil.reshape(longs, value.shape());
            case int[] ints -> OrtUtil.reshape(ints, value.shape());
            case short[] shorts -> OrtUtil.reshape(shorts, value.shape());
            case byte[] bytes -> OrtUtil.reshape(bytes, value.shape());
            case boolean[] flags -> OrtUtil.reshape(flags, value.shape());
            default -> OrtUtil.reshape((String[]) flat, value.shape());
        };
    }

    /// Types that arrays of Java do not tell apart from others.
    private static boolean needsBuffer(DataType datatype) {
        return datatype == DataType.FP16 || datatype == DataType.BF16 || datatype == DataType.UINT8;
    }

    /// A tensor from what [#nested(Value)] made of the value.
    static OnnxTensor of(Value value, Object nested) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        return switch (value.datatype()) {
            case FP16 ->
                OnnxTensor.createTensor(
                        environment, ShortBuffer.wrap((short[]) value.array()), value.shape(), OnnxJavaType.FLOAT16);
            case BF16 ->
                OnnxTensor.createTensor(
                        environment, ShortBuffer.wrap((short[]) value.array()), value.shape(), OnnxJavaType.BFLOAT16);
            case UINT8 ->
                OnnxTensor.createTensor(
                        environment, ByteBuffer.wrap((byte[]) value.array()), value.shape(), OnnxJavaType.UINT8);
            default -> OnnxTensor.createTensor(environment, nested);
        };
    }

    /// A tensor over a direct buffer of a value's type and shape.
    ///
    /// @throws Unavailable if the API has no such tensors
    static OnnxTensor over(ByteBuffer buffer, Value value) throws OrtException {
        refuseForeign(value);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        ByteBuffer bytes = buffer.order(ByteOrder.nativeOrder());
        long[] shape = value.shape();
        return switch (value.datatype()) {
            case FP32 -> OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), shape);
            case FP64 -> OnnxTensor.createTensor(environment, bytes.asDoubleBuffer(), shape);
            case INT64 -> OnnxTensor.createTensor(environment, bytes.asLongBuffer(), shape);
            case INT32 -> OnnxTensor.createTensor(environment, bytes.asIntBuffer(), shape);
            case INT16 -> OnnxTensor.createTensor(environment, bytes.asShortBuffer(), shape);
            case FP16 -> OnnxTensor.createTensor(environment, bytes.asShortBuffer(), shape, OnnxJavaType.FLOAT16);
            case BF16 -> OnnxTensor.createTensor(environment, bytes.asShortBuffer(), shape, OnnxJavaType.BFLOAT16);
            case INT8 -> OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.INT8);
            case UINT8 -> OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.UINT8);
            case BOOL -> OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.BOOL);
            default ->
                throw new Unavailable("'" + value.name() + "' is of " + value.datatype() + ", which has no buffer");
        };
    }

    private static void refuseForeign(Value value) {
        switch (value.datatype()) {
            case UINT16, UINT32, UINT64 ->
                throw new Unavailable("'" + value.name() + "' is " + value.datatype()
                        + ", which ONNX Runtime's Java API cannot pass");
            default -> {}
        }
    }
}
