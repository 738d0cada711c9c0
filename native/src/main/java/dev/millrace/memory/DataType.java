// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.Optional;

/// Element types by their Open Inference Protocol names, with ONNX's element type codes.
public enum DataType {
    BOOL(1, 9),
    UINT8(1, 2),
    UINT16(2, 4),
    UINT32(4, 12),
    UINT64(8, 13),
    INT8(1, 3),
    INT16(2, 5),
    INT32(4, 6),
    INT64(8, 7),
    FP16(2, 10),
    BF16(2, 16),
    FP32(4, 1),
    FP64(8, 11),
    /// Byte strings of any length; not held in off-heap memory.
    BYTES(0, 8);

    private static final DataType[] VALUES = values();

    private final int byteSize;
    private final int onnxCode;

    DataType(int byteSize, int onnxCode) {
        this.byteSize = byteSize;
        this.onnxCode = onnxCode;
    }

    /// Bytes per element; 0 for [#BYTES], whose elements differ in length.
    public int byteSize() {
        return byteSize;
    }

    /// The value of ONNX's `TensorProto.DataType` and of ONNX Runtime's `ONNXTensorElementDataType`.
    public int onnxCode() {
        return onnxCode;
    }

    /// Whether elements are held as fixed-size numbers (booleans included).
    public boolean isNumeric() {
        return this != BYTES;
    }

    /// Whether elements are floating-point numbers.
    @Hot
    public boolean isFloating() {
        return this == FP16 || this == BF16 || this == FP32 || this == FP64;
    }

    /// The type with this Open Inference Protocol name, if there is one.
    public static Optional<DataType> named(String name) {
        for (DataType type : VALUES) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /// The type with this ONNX code, if it is one that can be served.
    public static Optional<DataType> ofOnnxCode(int code) {
        for (DataType type : VALUES) {
            if (type.onnxCode == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
