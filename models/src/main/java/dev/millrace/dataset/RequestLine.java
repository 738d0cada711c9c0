// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.version.JsonText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Reads requests in the Open Inference Protocol's JSON, one after the other, into the same tensors. What is wrong is
/// an [IllegalArgumentException] that names the field.
///
/// Threads: one. Ownership: whoever made it closes it.
final class RequestLine implements AutoCloseable {
    private static final int MAX_DEPTH = 32;

    private final List<TensorSpec> specs;
    private final Optional<String> labelName;
    private final Tensor[] tensors;
    private final boolean[] came;
    private double[] labels = {};
    private boolean labelled;
    private JsonText json;

    RequestLine(List<TensorSpec> specs, Optional<String> labelName) {
        this.specs = specs;
        this.labelName = labelName;
        this.tensors = new Tensor[specs.size()];
        this.came = new boolean[specs.size()];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = new Tensor(MemoryTag.CALL, specs.get(i).datatype());
        }
    }

    /// The inputs of the request that was read last.
    Tensor[] tensors() {
        return tensors;
    }

    /// Its labels.
    double[] labels() {
        return labels;
    }

    /// Reads a request.
    void read(String text) {
        json = new JsonText(text);
        Arrays.fill(came, false);
        labelled = false;
        labels = new double[0];
        boolean found = false;
        json.enter('{');
        while (json.more('}')) {
            if (json.name().equals("inputs")) {
                found = true;
                inputs();
            } else {
                json.skip();
            }
        }
        json.end();
        require(found, "inputs");
        for (int i = 0; i < came.length; i++) {
            if (!came[i]) {
                throw new IllegalArgumentException(
                        "it has no input '" + specs.get(i).name() + "', expected all of the model's: " + names());
            }
        }
        if (labelName.isPresent() && !labelled) {
            throw new IllegalArgumentException("it has no input '" + labelName.get() + "', expected one with labels");
        }
    }

    private List<String> names() {
        return specs.stream().map(TensorSpec::name).toList();
    }

    private static void require(boolean found, String field) {
        if (!found) {
            throw new IllegalArgumentException(field + " is missing");
        }
    }

    private void inputs() {
        int index = 0;
        json.enter('[');
        while (json.more(']')) {
            tensor("inputs[" + index++ + "]");
        }
    }

    private void tensor(String at) {
        String name = null;
        String datatype = null;
        long[] shape = null;
        int data = -1;
        json.enter('{');
        while (json.more('}')) {
            switch (json.name()) {
                case "name" -> name = json.string();
                case "datatype" -> datatype = json.string();
                case "shape" -> shape = shape(at);
                case "data" -> {
                    data = json.here();
                    json.skip();
                }
                default -> json.skip();
            }
        }
        require(name != null, at + ".name");
        require(datatype != null, at + ".datatype");
        require(shape != null, at + ".shape");
        require(data >= 0, at + ".data");
        int end = json.here();
        if (labelName.isPresent() && labelName.get().equals(name)) {
            labels(at, datatype, shape, data);
        } else {
            fill(at, index(at, name), datatype, shape, data);
        }
        json.go(end);
    }

    private int index(String at, String name) {
        for (int i = 0; i < specs.size(); i++) {
            if (specs.get(i).name().equals(name)) {
                if (came[i]) {
                    throw new IllegalArgumentException(at + ".name is '" + name + "', which came before");
                }
                return i;
            }
        }
        throw new IllegalArgumentException(at + ".name is '" + name + "', expected one of " + names()
                + labelName.map(label -> " or the labels '" + label + "'").orElse(""));
    }

    private long[] shape(String at) {
        List<Long> dims = new ArrayList<>();
        json.enter('[');
        while (json.more(']')) {
            String dim = json.literal();
            // There cannot be more elements than characters.
            if (!dim.matches("[0-9]{1,9}")) {
                throw new IllegalArgumentException(
                        at + ".shape[" + dims.size() + "] is " + dim + ", expected an integer from 0 to 999999999");
            }
            dims.add(Long.valueOf(dim));
        }
        return dims.stream().mapToLong(Long::longValue).toArray();
    }

    private void fill(String at, int index, String datatype, long[] shape, int data) {
        TensorSpec spec = specs.get(index);
        if (!spec.datatype().name().equals(datatype)) {
            throw new IllegalArgumentException(at + ".datatype is " + datatype + ", expected " + spec.datatype());
        }
        if (!fits(shape, spec.dims())) {
            throw new IllegalArgumentException(at + ".shape is " + Arrays.toString(shape) + ", expected " + spec.shape()
                    + " of input '" + spec.name() + "'");
        }
        elements(at, tensors[index], shape, data);
        came[index] = true;
    }

    private static boolean fits(long[] shape, long[] pattern) {
        boolean fits = shape.length == pattern.length;
        for (int axis = 0; fits && axis < shape.length; axis++) {
            fits = pattern[axis] < 0 || pattern[axis] == shape[axis];
        }
        return fits;
    }

    private void labels(String at, String datatype, long[] shape, int data) {
        DataType type = DataType.named(datatype)
                .filter(DataType::isNumeric)
                .orElseThrow(() -> new IllegalArgumentException(
                        at + ".datatype is " + datatype + ", expected one of numbers for labels"));
        try (Tensor tensor = new Tensor(MemoryTag.CALL, type)) {
            elements(at, tensor, shape, data);
            labels = new double[Math.toIntExact(tensor.elementCount())];
            for (int i = 0; i < labels.length; i++) {
                labels[i] = type.isFloating() ? tensor.getReal(i) : tensor.getLong(i);
            }
            labelled = true;
        }
    }

    private void elements(String at, Tensor tensor, long[] shape, int data) {
        long elements = 1;
        for (long dim : shape) {
            elements = Math.min(elements, json.length()) * Math.min(dim, json.length());
        }
        if (elements > json.length()) {
            throw new IllegalArgumentException(
                    at + ".shape is " + Arrays.toString(shape) + ", expected no more elements than .data has");
        }
        tensor.reshape(shape);
        json.go(data);
        if (!json.isAt('[')) {
            throw new IllegalArgumentException(at + ".data is no list, expected one of the elements");
        }
        long found = elements(at, tensor, 0, 0);
        if (found != elements) {
            throw new IllegalArgumentException(at + ".data has " + found + " elements, expected " + elements
                    + " as its shape " + Arrays.toString(shape) + " says");
        }
    }

    /// Reads a list of elements or of such lists; how many elements there are now.
    private long elements(String at, Tensor tensor, long before, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException(at + ".data is nested deeper than " + MAX_DEPTH + " lists");
        }
        long index = before;
        json.enter('[');
        while (json.more(']')) {
            if (json.isAt('[')) {
                index = elements(at, tensor, index, depth + 1);
            } else {
                if (index < tensor.elementCount()) {
                    element(at, tensor, index);
                } else {
                    json.skip();
                }
                index++;
            }
        }
        return index;
    }

    private void element(String at, Tensor tensor, long index) {
        boolean text = json.isAt('"');
        if (text != (tensor.datatype() == DataType.BYTES)) {
            throw new IllegalArgumentException(at + ".data[" + index + "] is "
                    + (text ? "a text, expected " + tensor.datatype() : json.literal() + ", expected a text"));
        }
        try {
            Elements.set(tensor, index, text ? json.string() : json.literal());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(at + ".data[" + index + "]: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        Arrays.stream(tensors).forEach(Tensor::close);
    }
}
