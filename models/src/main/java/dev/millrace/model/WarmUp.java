// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TextProto.Field;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// A request that a model answers before it is ready, as `model_warmup` describes it.
///
/// @param name what it is called in errors
/// @param rows copies of the inputs that are put together, where the model has a batch dimension
/// @param count how often it is run
/// @param inputs by name
public record WarmUp(String name, int rows, int count, Map<String, Input> inputs) {
    /// What an input is filled with.
    public enum Source {
        /// Zeros, or empty texts.
        ZERO,
        /// Random numbers, or empty texts.
        RANDOM,
        /// What a file has.
        FILE
    }

    /// An input of it.
    ///
    /// @param dims without the batch dimension, where the model has one
    /// @param dataType by its name in configurations; empty for the model's
    /// @param source what it is filled with
    /// @param file the file in the folder `warmup`, for [Source#FILE]
    public record Input(String dataType, List<Long> dims, Source source, String file) {}

    /// Makes the map immutable.
    public WarmUp {
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    }

    /// The folder, in the model's, with the files.
    private static final String FOLDER = "warmup";
    private static final long SEED = 0x7761726d2d7570L;

    /// Reads one of the fields.
    ///
    /// @throws ConfigFile.Invalid if it cannot be what is meant
    static WarmUp read(FieldReader reader, Field parent) {
        String name = "";
        int rows = 1;
        int count = 1;
        Map<String, Input> inputs = new LinkedHashMap<>();
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "name" -> name = reader.text(field);
                // Triton's way to say one: nothing.
                case "batch_size" -> rows = Math.max(1, reader.integer(field, 0));
                case "count" -> count = Math.max(1, reader.integer(field, 0));
                case "inputs" -> input(reader, field, inputs);
                default -> reader.other(parent.name() + "." + field.name(), field);
            }
        }
        if (inputs.isEmpty()) {
            throw reader.invalid(parent, "'" + name + "' has no inputs, expected all of the model's");
        }
        return new WarmUp(name, rows, count, inputs);
    }

    private static void input(FieldReader reader, Field parent, Map<String, Input> inputs) {
        String name = "";
        Input input = null;
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "key" -> name = reader.text(field);
                case "value" -> input = input(reader, field);
                default -> reader.other("model_warmup.inputs." + field.name(), field);
            }
        }
        if (name.isEmpty() || input == null) {
            throw reader.invalid(parent, "lacks a key or a value, expected both");
        }
        inputs.put(name, input);
    }

    private static Input input(FieldReader reader, Field parent) {
        String dataType = "";
        List<Long> dims = new ArrayList<>();
        Source source = null;
        String file = "";
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "data_type" -> dataType = reader.text(field);
                case "dims" -> dims.add(reader.number(field, 0, Integer.MAX_VALUE));
                case "zero_data" -> source = once(reader, field, source, Source.ZERO);
                case "random_data" -> source = once(reader, field, source, Source.RANDOM);
                case "input_data_file" -> {
                    source = once(reader, field, source, Source.FILE);
                    file = reader.text(field);
                }
                default -> reader.other("model_warmup.inputs.value." + field.name(), field);
            }
        }
        if (source == null) {
            throw reader.invalid(parent, "has no data, expected one of zero_data, random_data and input_data_file");
        }
        return new Input(dataType, dims, source, file);
    }

    private static Source once(FieldReader reader, Field field, Source before, Source source) {
        if (before != null) {
            throw reader.invalid(
                    field, "came with other data, expected one of zero_data, random_data and" + " input_data_file");
        }
        reader.text(field);
        return source;
    }

    /// Runs it.
    ///
    /// @param folder the model's
    /// @param budget what its tensors are booked in
    /// @throws ConfigFile.Invalid naming it, if it does not fit the model or fails
    void run(java.nio.file.Path folder, OnnxSession session, MemoryBudget budget) {
        List<Tensor> tensors = new ArrayList<>();
        try (TensorRunner runner = session.tensorRunner()) {
            for (ValueInfo value : session.inputs()) {
                Tensor tensor = new Tensor(budget, MemoryTag.CALL, value.datatype());
                tensors.add(tensor);
                fill(folder, value, tensor);
            }
            Tensor[] in = tensors.toArray(Tensor[]::new);
            for (ValueInfo value : session.outputs()) {
                tensors.add(new Tensor(budget, MemoryTag.CALL, value.datatype()));
            }
            Tensor[] out = tensors.subList(in.length, tensors.size()).toArray(Tensor[]::new);
            for (int i = 0; i < count; i++) {
                runner.run(in, out);
            }
        } catch (OrtFailure | MemoryExceededException | IllegalArgumentException e) {
            throw new ConfigFile.Invalid("model_warmup '" + name + "' failed: " + e.getMessage());
        } finally {
            tensors.forEach(Tensor::close);
        }
    }

    private void fill(java.nio.file.Path folder, ValueInfo value, Tensor tensor) {
        Input input = inputs.get(value.name());
        if (input == null) {
            throw new IllegalArgumentException(
                    "it has the inputs " + inputs.keySet() + ", expected also '" + value.name() + "'");
        }
        String type = "TYPE_" + (value.datatype() == DataType.BYTES ? "STRING" : value.datatype());
        if (!input.dataType().isEmpty() && !input.dataType().equals(type)) {
            throw new IllegalArgumentException("input '" + value.name() + "' has data_type " + input.dataType()
                    + ", expected " + type + " as the model has it");
        }
        boolean batch = input.dims().size() + 1 == value.shape().size();
        long[] shape = new long[input.dims().size() + (batch ? 1 : 0)];
        if (batch) {
            shape[0] = rows;
        }
        for (int i = 0; i < input.dims().size(); i++) {
            shape[(batch ? 1 : 0) + i] = input.dims().get(i);
        }
        tensor.reshape(shape);
        switch (input.source()) {
            case ZERO -> {} // as it is made
            case RANDOM -> randomize(tensor);
            case FILE -> WarmUpFile.fill(folder.resolve(FOLDER), input.file(), tensor, batch ? rows : 1);
        }
    }

    /// Texts stay empty.
    private static void randomize(Tensor tensor) {
        SplittableRandom random = new SplittableRandom(SEED);
        DataType type = tensor.datatype();
        for (long i = 0; i < tensor.elementCount() && type != DataType.BYTES; i++) {
            if (type.isFloating()) {
                tensor.setReal(i, random.nextDouble());
            } else {
                tensor.setLong(i, type == DataType.BOOL ? random.nextInt(2) : random.nextLong());
            }
        }
    }
}
