// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.runtime.Call;
import java.util.Arrays;

/// What a model is asked, and the right answer.
///
/// @param subject the model
/// @param shape of the input
/// @param values of the input
/// @param answer the values of the output; null where the model has to fail
record Question(Subject subject, long[] shape, float[] values, float[] answer) {
    /// Answers differ by no more, or by this share of what is right.
    private static final double TOLERANCE = 1e-4;

    /// Fills the inputs of a call.
    void fill(Call call) {
        Tensor input = call.input(0).reshape(shape);
        if (subject.datatype() == DataType.FP32) {
            input.putFloats(values);
            return;
        }
        for (int i = 0; i < values.length; i++) {
            input.setLong(i, (long) values[i]);
        }
    }

    /// The values as an array of the input's type.
    Object array() {
        if (subject.datatype() == DataType.FP32) {
            return values;
        }
        long[] whole = new long[values.length];
        for (int i = 0; i < whole.length; i++) {
            whole[i] = (long) values[i];
        }
        return whole;
    }

    /// What is wrong with the answer that a call has; null if nothing is.
    String wrong(Call call) {
        Tensor output = call.output(0);
        float[] came = new float[Math.toIntExact(output.elementCount())];
        output.getFloats(0, came, 0, came.length);
        return wrong(came);
    }

    /// What is wrong with an answer; null if nothing is.
    String wrong(float[] came) {
        if (answer == null) {
            return "the model had to fail and answered " + Arrays.toString(came);
        }
        if (came.length != answer.length) {
            return came.length + " values, expected " + answer.length;
        }
        for (int i = 0; i < came.length; i++) {
            if (!(Math.abs(came[i] - answer[i]) <= TOLERANCE * Math.max(1, Math.abs(answer[i])))) {
                return "value " + i + " is " + came[i] + ", expected " + answer[i];
            }
        }
        return null;
    }

    /// A request's body.
    ///
    /// @param timeoutMicros 0 for none
    String json(String id, long timeoutMicros, int priority) {
        StringBuilder body = new StringBuilder("{\"id\":\"").append(id).append("\",\"parameters\":{\"priority\":");
        body.append(priority);
        if (timeoutMicros > 0) {
            body.append(",\"timeout\":").append(timeoutMicros);
        }
        body.append("},\"inputs\":[{\"name\":\"").append(subject.input()).append("\",\"datatype\":\"");
        body.append(subject.datatype())
                .append("\",\"shape\":")
                .append(Arrays.toString(shape))
                .append(",\"data\":[");
        boolean whole = subject.datatype() != DataType.FP32;
        for (int i = 0; i < values.length; i++) {
            body.append(i == 0 ? "" : ",");
            if (whole) {
                body.append((long) values[i]);
            } else {
                body.append(values[i]);
            }
        }
        return body.append("]}]}").toString();
    }
}
