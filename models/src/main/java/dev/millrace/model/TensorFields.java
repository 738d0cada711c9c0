// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.DataType;
import dev.millrace.model.TextProto.Field;
import dev.millrace.ort.ValueInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/// Reads the inputs and outputs that a configuration declares, and compares them with the model's.
///
/// Threads: one, whoever loads the model.
final class TensorFields {
    /// An input or output as the file declares it; null where it says nothing.
    private record Declared(String where, String name, String dataType, List<Long> dims, String labelFile) {}

    private final Path file;
    private final FieldReader reader;
    private final List<Declared> inputs = new ArrayList<>();
    private final List<Declared> outputs = new ArrayList<>();

    TensorFields(Path file, FieldReader reader) {
        this.file = file;
        this.reader = reader;
    }

    void readInput(Field field) {
        inputs.add(read(field, false));
    }

    void readOutput(Field field) {
        outputs.add(read(field, true));
    }

    private Declared read(Field parent, boolean labelled) {
        String name = null;
        String dataType = null;
        List<Long> dims = null;
        String labelFile = null;
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "name" -> name = reader.text(field);
                case "data_type" -> dataType = reader.text(field);
                case "dims" -> {
                    dims = dims == null ? new ArrayList<>() : dims;
                    dims.add(reader.number(field, -1, Long.MAX_VALUE));
                }
                case "label_filename" -> {
                    if (!labelled) {
                        reader.other(parent.name() + "." + field.name(), field);
                    }
                    labelFile = reader.text(field);
                }
                default -> reader.other(parent.name() + "." + field.name(), field);
            }
        }
        if (name == null) {
            throw reader.invalid(parent, "has no name, expected one");
        }
        return new Declared(parent.name() + " '" + name + "'", name, dataType, dims, labelFile);
    }

    /// What the file declares, for a model that has nothing else that says so.
    ///
    /// @param batched whether the dimensions are those of one row
    Signature signature(boolean batched) {
        return new Signature(specs(inputs, batched), specs(outputs, batched));
    }

    private List<TensorSpec> specs(List<Declared> declared, boolean batched) {
        List<TensorSpec> specs = new ArrayList<>();
        for (Declared tensor : declared) {
            if (tensor.dataType() == null || tensor.dims() == null) {
                throw invalid(tensor.where() + " has no " + (tensor.dims() == null ? "dims" : "data_type")
                        + ", expected them: an ensemble has no file that says so");
            }
            String type = tensor.dataType().replaceFirst("^TYPE_", "").replaceFirst("^STRING$", "BYTES");
            List<Long> shape = new ArrayList<>(tensor.dims());
            if (batched) {
                shape.addFirst(-1L);
            }
            specs.add(new TensorSpec(
                    tensor.name(),
                    DataType.named(type)
                            .orElseThrow(() -> invalid(tensor.where() + " has data_type " + tensor.dataType()
                                    + ", expected one like TYPE_FP32")),
                    shape));
        }
        return specs;
    }

    /// Checks that the inputs and outputs that the file declares are the model's. It need not declare them, but if it
    /// does then all inputs.
    ///
    /// @param maxBatchSize what the file says, which tells whether dimensions are those of one row
    /// @return what they say that has no effect, one sentence each
    /// @throws ConfigFile.Invalid if they contradict the model
    List<String> check(OptionalInt maxBatchSize, List<ValueInfo> modelInputs, List<ValueInfo> modelOutputs) {
        List<String> withoutEffect = new ArrayList<>();
        for (Declared input : inputs) {
            check(input, find(input, modelInputs, "input"), maxBatchSize, withoutEffect);
        }
        for (Declared output : outputs) {
            check(output, find(output, modelOutputs, "output"), maxBatchSize, withoutEffect);
        }
        List<String> names = inputs.stream().map(Declared::name).toList();
        List<String> expected = names(modelInputs);
        if (!names.isEmpty() && !names.containsAll(expected)) {
            throw invalid("the inputs are " + names + ", expected all of the model's, " + expected);
        }
        checkBatchDimension(maxBatchSize, modelInputs);
        return withoutEffect;
    }

    private ValueInfo find(Declared declared, List<ValueInfo> values, String kind) {
        return values.stream()
                .filter(candidate -> candidate.name().equals(declared.name()))
                .findFirst()
                .orElseThrow(() -> invalid(
                        declared.where() + " came, expected an " + kind + " of the model, which has " + names(values)));
    }

    private void check(Declared declared, ValueInfo value, OptionalInt maxBatchSize, List<String> withoutEffect) {
        String type = "TYPE_" + (value.datatype().name().equals("BYTES") ? "STRING" : value.datatype());
        if (declared.dataType() != null && !declared.dataType().equals(type)) {
            throw invalid(declared.where() + " has data_type " + declared.dataType() + ", expected " + type
                    + " as the model has it");
        }
        if (declared.dims() != null && value.kind() == ValueInfo.Kind.TENSOR) {
            checkDims(declared, value, maxBatchSize, withoutEffect);
        }
    }

    /// With a batch dimension the file's dimensions are those of one row. Unless it says which it is, both will do.
    private void checkDims(Declared declared, ValueInfo value, OptionalInt maxBatchSize, List<String> withoutEffect) {
        List<Long> whole = value.shape();
        List<Long> row = whole.isEmpty() ? whole : whole.subList(1, whole.size());
        boolean asWhole = maxBatchSize.orElse(0) == 0 && fit(declared.dims(), whole);
        boolean asRow = maxBatchSize.orElse(1) > 0 && !whole.isEmpty() && fit(declared.dims(), row);
        if (!asWhole && !asRow) {
            boolean batches = maxBatchSize.orElse(0) > 0;
            throw invalid(declared.where() + " has dims " + declared.dims() + ", expected " + (batches ? row : whole)
                    + (batches
                            ? " after the batch dimension, with max_batch_size " + maxBatchSize.getAsInt() + ","
                            : "")
                    + " as the model has it");
        }
        List<Long> fitting = asRow ? row : whole;
        for (int axis = 0; axis < fitting.size(); axis++) {
            if (declared.dims().get(axis) >= 0 && fitting.get(axis) < 0) {
                withoutEffect.add(declared.where() + " has dims " + declared.dims()
                        + ", which has no effect where the model takes any size: " + fitting);
                return;
            }
        }
    }

    private static boolean fit(List<Long> dims, List<Long> shape) {
        if (dims.size() != shape.size()) {
            return false;
        }
        for (int axis = 0; axis < dims.size(); axis++) {
            if (dims.get(axis) >= 0 && shape.get(axis) >= 0 && !dims.get(axis).equals(shape.get(axis))) {
                return false;
            }
        }
        return true;
    }

    /// A largest batch of more than one row needs a leading dimension that may vary.
    private void checkBatchDimension(OptionalInt maxBatchSize, List<ValueInfo> modelInputs) {
        if (maxBatchSize.orElse(0) < 2) {
            return;
        }
        for (ValueInfo input : modelInputs) {
            if (input.kind() == ValueInfo.Kind.TENSOR
                    && (input.shape().isEmpty() || input.shape().getFirst() > 1)) {
                throw invalid("max_batch_size is " + maxBatchSize.getAsInt() + ", expected 0: input '" + input.name()
                        + "' of the model has the shape " + input.shape() + ", without a batch dimension");
            }
        }
    }

    /// The label files by output, as they are named.
    Map<String, String> labelFiles() {
        Map<String, String> files = new TreeMap<>();
        for (Declared output : outputs) {
            if (output.labelFile() != null && !output.labelFile().isEmpty()) {
                files.put(output.name(), output.labelFile());
            }
        }
        return files;
    }

    /// Reads the label files of the outputs, which lie in the model's folder.
    ///
    /// @param classes how many classes an output has, by its name; -1 where that is open
    /// @return the labels by output, for those that have some
    /// @throws ConfigFile.Invalid naming output and file, if a file cannot be read or has too many labels
    Map<String, List<String>> labels(ToLongFunction<String> classes) {
        Map<String, List<String>> labels = new TreeMap<>();
        for (Declared output : outputs) {
            if (output.labelFile() == null || output.labelFile().isEmpty()) {
                continue;
            }
            try {
                long most = classes.applyAsLong(output.name());
                labels.put(output.name(), LabelFile.read(file.toAbsolutePath().getParent(), output.labelFile(), most));
            } catch (LabelFile.Wrong e) {
                throw invalid(
                        "label_filename of " + output.where() + " is '" + output.labelFile() + "', " + e.getMessage());
            }
        }
        return labels;
    }

    private ConfigFile.Invalid invalid(String problem) {
        return new ConfigFile.Invalid(file + ": " + problem);
    }

    private static List<String> names(List<ValueInfo> values) {
        return values.stream().map(ValueInfo::name).toList();
    }
}
