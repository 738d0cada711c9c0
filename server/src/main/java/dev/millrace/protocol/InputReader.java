// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.Arrays;

/// What reading the inputs of a request comes to in any encoding: each input of the model once, with its datatype, a
/// shape that fits, and no more elements than allowed.
///
/// Threads: one.
abstract sealed class InputReader permits InputDecoder, WireInputDecoder {
    /// More dimensions than any model in practice has; NumPy's limit.
    private static final int MAX_RANK = 32;

    private final Limits limits;
    private final long maxElements;
    private final long[] shape = new long[MAX_RANK];

    private Call call;
    private byte[][] names = {};
    private boolean[] seen = {};
    private int rank;
    private TensorSpec spec;
    /// Of all inputs of the request so far.
    private long allElements;

    /// @param limits what a request may have
    InputReader(Limits limits) {
        this.limits = limits;
        this.maxElements = limits.get(Limit.MAX_ELEMENTS);
    }

    /// The present input as messages call it.
    abstract String label();

    /// Gets ready for the inputs of a request.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    @Hot
    final void beginRequest(Call filled, byte[][] inputNames) {
        call = filled;
        names = inputNames;
        allElements = 0;
        if (seen.length == names.length) {
            Arrays.fill(seen, false);
        } else {
            resizeSeen();
        }
    }

    private void resizeSeen() {
        seen = new boolean[names.length];
    }

    /// Drops what belongs to the request.
    @Hot
    final void endRequest() {
        call = null;
        spec = null;
    }

    /// Checks that every input was there. What may be left out and was has no shape then.
    @Hot
    final void requireEach() {
        for (int i = 0; i < seen.length; i++) {
            if (!seen[i]) {
                leftOut(i);
            }
        }
    }

    @Hot
    private void leftOut(int index) {
        TensorSpec input = call.signature().inputs().get(index);
        if (!input.optional()) {
            throw missing(input);
        }
        call.input(index).clear();
    }

    static Refusal missing(TensorSpec input) {
        return Refusal.invalid(
                "input '" + input.name() + "' is missing, expected " + input.datatype() + " of shape " + input.shape());
    }

    @Hot
    final Call call() {
        return call;
    }

    /// The names of the model's inputs in UTF-8.
    @Hot
    final byte[][] names() {
        return names;
    }

    /// The input of the model that the present one was found to be.
    @Hot
    final TensorSpec spec() {
        return spec;
    }

    /// The present input's shape: its first [#rank()] values.
    @Hot
    final long[] shape() {
        return shape;
    }

    @Hot
    final int rank() {
        return rank;
    }

    /// @param dimensions how many are known; -1 while nothing is
    @Hot
    final void rank(int dimensions) {
        rank = dimensions;
    }

    /// One more dimension, from 0.
    @Hot
    final void addDimension(long dimension) {
        if (rank == MAX_RANK) {
            throw tooManyDimensions();
        }
        shape[rank++] = dimension;
    }

    private Refusal tooManyDimensions() {
        return Refusal.invalid("the shape of " + label() + " has more than " + MAX_RANK + " dimensions");
    }

    /// What is said to a dimension that is none.
    final Refusal wrongDimension(String came) {
        return Refusal.invalid("dimension " + rank + " in the shape of " + label() + " is " + came
                + ", expected an integer from 0 to " + Long.MAX_VALUE);
    }

    /// The present input is this one of the model; its tensor.
    @Hot
    final Tensor found(int index) {
        if (seen[index]) {
            throw twice();
        }
        spec = call.signature().inputs().get(index);
        seen[index] = true;
        return call.input(index);
    }

    private Refusal twice() {
        return Refusal.invalid(label() + " comes a second time");
    }

    /// What is said to the name of an input that the model does not have.
    final Refusal unknownName() {
        return Refusal.invalid("model '" + call.model() + "' has no " + label() + "; it has "
                + call.signature().inputs().stream().map(TensorSpec::name).toList());
    }

    /// What is said to a datatype that is not the model's.
    ///
    /// @param known whether it is one at all
    final Refusal wrongDatatype(String came, boolean known) {
        return Refusal.invalid(label() + " has datatype '" + came + (known ? "'" : "', which is none") + ", expected "
                + spec.datatype());
    }

    /// Whether there is a datatype of that name.
    static boolean isDatatype(String name) {
        return DataType.named(name).isPresent();
    }

    /// How many elements the present input's shape has, which fits the model.
    ///
    /// @param bytes of the request, which has no more elements than these
    @Hot
    final long elements(int bytes) {
        boolean fits = rank == spec.shape().size();
        for (int axis = 0; axis < rank && fits; axis++) {
            long expected = spec.shape().get(axis);
            fits = expected < 0 || expected == shape[axis];
        }
        if (!fits) {
            throw wrongShape();
        }
        // Where one dimension is 0 the others multiply, too, in whoever goes by strides.
        long span = Math.max(1, spec.datatype().byteSize());
        long elements = 1;
        for (int axis = 0; axis < rank; axis++) {
            long factor = Math.max(1, shape[axis]);
            if (Math.multiplyHigh(span, factor) != 0 || span * factor < 0) {
                throw tooManyElements();
            }
            span *= factor;
            elements *= shape[axis];
        }
        if (elements <= bytes) {
            allElements += elements;
            if (allElements > maxElements) {
                throw overElements(elements);
            }
        }
        return elements;
    }

    private Refusal wrongShape() {
        return Refusal.invalid(label() + " has shape " + shown() + ", expected " + spec.shape());
    }

    private Refusal tooManyElements() {
        return Refusal.invalid(label() + " has shape " + shown() + ", more elements than can be counted");
    }

    private Refusal overElements(long elements) {
        String others = allElements > elements ? " and " + (allElements - elements) + " of inputs before" : "";
        return Refusal.tooLarge(
                limits, Limit.MAX_ELEMENTS, label() + " has shape " + shown() + ", " + elements + " elements" + others);
    }

    /// The present input's shape as messages show it.
    final String shown() {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }
}
