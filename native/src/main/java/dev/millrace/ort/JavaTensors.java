// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.millrace.memory.DataType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Tensors of ONNX Runtime's Java API over our memory, for the two runners that use that API.
final class JavaTensors {
    private JavaTensors() {}

    static OnnxTensor over(String name, DataType type, MemorySegment memory, long[] shape) throws OrtException {
        ByteBuffer bytes = memory.asByteBuffer().order(ByteOrder.nativeOrder());
        OrtEnvironment environment = OrtRuntime.environment();
        return switch (type) {
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
            case UINT16, UINT32, UINT64, BYTES ->
                throw new OrtFailure(
                        -1,
                        "value '" + name + "' of type " + type
                                + " cannot be passed through ONNX Runtime's Java API, only through its C API");
        };
    }

    /// As [OrtApi#createRunOptions()].
    ///
    /// @param arena what becomes of memory that runs have used
    static OrtSession.RunOptions runOptions(SessionSettings.Arena arena) {
        try {
            OrtSession.RunOptions options = new OrtSession.RunOptions();
            options.setLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            if (arena == SessionSettings.Arena.SHRINKS) {
                options.addRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
            }
            return options;
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        }
    }

    static void setTerminate(OrtSession.RunOptions options, boolean terminate) {
        try {
            options.setTerminate(terminate);
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        }
    }
}
