// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;

/// Reads a request that is nothing but the elements of a model's only input. Its shape follows from their number, where
/// one dimension is open; where two are, the first is 1. Threads: stateless.
final class RawDecoder {
    private final Limits limits;

    RawDecoder(Limits limits) {
        this.limits = limits;
    }

    /// Fills the call's input.
    void decode(Call call, BinaryBody body) {
        Signature signature = call.signature();
        if (signature.inputs().size() != 1) {
            throw refused(call, "has " + signature.inputs().size() + " inputs");
        }
        TensorSpec spec = signature.inputs().getFirst();
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        if (spec.datatype() == DataType.BYTES) {
            decodeString(call, spec, shape, body);
            return;
        }
        int open = firstOpen(shape);
        if (open == 0 && shape.length > 1 && firstOpen(shape, 1) >= 0) {
            shape[0] = 1;
            open = firstOpen(shape);
        }
        if (open >= 0 && firstOpen(shape, open + 1) >= 0) {
            throw refused(call, "has an input of shape " + spec.shape());
        }
        long elements = complete(shape, open, body.length() / spec.datatype().byteSize());
        if (elements <= body.length() && elements > limits.get(Limit.MAX_ELEMENTS)) {
            throw Refusal.tooLarge(
                    limits, Limit.MAX_ELEMENTS, "input '" + spec.name() + "' has " + elements + " elements");
        }
        BinaryDecoder.decode(spec.name(), call.input(0), shape, shape.length, body, 0, body.length());
    }

    private static Refusal refused(Call call, String why) {
        return Refusal.invalid(
                "a raw request (Inference-Header-Content-Length: 0) is for models of one input whose shape"
                        + " follows from its size; model '" + call.model() + "' " + why);
    }

    private static int firstOpen(long[] shape) {
        return firstOpen(shape, 0);
    }

    private static int firstOpen(long[] shape, int from) {
        for (int axis = from; axis < shape.length; axis++) {
            if (shape[axis] < 0) {
                return axis;
            }
        }
        return -1;
    }

    /// Sets the open dimension, if there is one, so that the shape has as many of `count` elements as it can.
    ///
    /// @return the elements of the shape; more than there are if it cannot be filled
    private static long complete(long[] shape, int open, long count) {
        long others = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            // No shape of a model overflows: its elements were counted when it was loaded.
            others *= axis == open ? 1 : shape[axis];
        }
        if (open >= 0) {
            shape[open] = others == 0 ? 1 : count / others;
            others *= shape[open];
        }
        return others;
    }

    private static void decodeString(Call call, TensorSpec spec, long[] shape, BinaryBody body) {
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = shape[axis] < 0 ? 1 : shape[axis];
            if (shape[axis] != 1) {
                throw refused(call, "has an input of BYTES of shape " + spec.shape());
            }
        }
        Tensor tensor = call.input(0).reshape(shape);
        tensor.setBytes(0, BinaryDecoder.string(spec.name(), 0, body, 0, body.length()));
    }
}
