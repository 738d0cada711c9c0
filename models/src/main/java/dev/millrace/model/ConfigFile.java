// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeSet;

/// A model's `config.pbtxt` as Triton has it, as far as it says something here.
///
/// What is not understood is named in [#warnings()]; what cannot be honoured is an error that names the file, the
/// field, what came and what was expected. The objective, which Triton does not have, is the parameter
/// `objective.p99_ms`.
///
/// Threads: one, whoever loads the model.
public final class ConfigFile {
    /// The file's name in the model's folder.
    public static final String NAME = "config.pbtxt";

    /// The file or a value in it is wrong.
    public static final class Invalid extends RuntimeException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        Invalid(String message) {
            super(message);
        }
    }

    /// An input or output as the file declares it; null where it says nothing.
    record Declared(String where, String name, String dataType, List<Long> dims) {}

    private final Path file;
    private final List<String> warnings = new ArrayList<>();
    private final List<Declared> inputs = new ArrayList<>();
    private final List<Declared> outputs = new ArrayList<>();
    private final TreeSet<Long> wantedVersions = new TreeSet<>();
    private final List<Integer> preferred = new ArrayList<>();
    private final ModelConfig.Values values = new ModelConfig.Values(ModelConfig.DEFAULT);
    private ModelConfig config = ModelConfig.DEFAULT;

    private ConfigFile(Path file) {
        this.file = file;
    }

    /// Reads the file of the model called `model`.
    ///
    /// @throws Invalid if it cannot be read or says what cannot be honoured
    public static ConfigFile read(Path file, String model) {
        ConfigFile read = new ConfigFile(file);
        try {
            read.fields(TextProto.parse(Files.readString(file)), model);
            read.values.preferredBatchSizes = read.preferred;
            read.config = read.values.config();
        } catch (TextProto.Malformed | IllegalArgumentException e) {
            throw new Invalid(file + ": " + e.getMessage());
        } catch (MalformedInputException _) {
            throw new Invalid(file + " is no UTF-8 text");
        } catch (IOException e) {
            throw new Invalid("cannot read " + file + ": " + e);
        }
        return read;
    }

    /// What it says about how the model is served.
    public ModelConfig config() {
        return config;
    }

    /// What it says that has no effect here, one sentence each.
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    private void fields(Message message, String model) {
        for (Field field : message.fields()) {
            switch (field.name()) {
                case "name" -> expect(field, model, "the name of the model's folder");
                case "platform" -> expect(field, "onnxruntime_onnx", "the only platform here");
                case "backend" -> expect(field, "onnxruntime", "the only backend here");
                case "default_model_filename" -> expect(field, "model.onnx", "the only file name here");
                case "max_batch_size" -> values.maxBatchSize = OptionalInt.of(integer(field, 0));
                case "version_policy" -> versionPolicy(field);
                case "input" -> tensor(field, inputs);
                case "output" -> tensor(field, outputs);
                case "dynamic_batching" -> dynamicBatching(field);
                case "instance_group" -> instanceGroup(field);
                case "parameters" -> parameter(field);
                case "sequence_batching", "ensemble_scheduling" ->
                    throw invalid(field, "came, expected none: such models are not served here");
                default -> ignored(field.name(), field);
            }
        }
    }

    private void dynamicBatching(Field parent) {
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "preferred_batch_size" -> preferred.add(integer(field, 1));
                case "max_queue_delay_microseconds" ->
                    values.maxQueueDelay = Optional.of(
                            Duration.ofNanos(1000 * number(field, 0, ModelConfig.MAX_DELAY.toNanos() / 1000)));
                case "default_queue_policy" -> queuePolicy(field);
                case "priority_levels" -> values.priorityLevels = OptionalInt.of(integer(field, 0));
                case "default_priority_level" -> {
                    int level = integer(field, 0);
                    // Triton's way to say that there are none.
                    values.defaultPriorityLevel = level == 0 ? OptionalInt.empty() : OptionalInt.of(level);
                }
                case "preserve_ordering" -> expectFalse(field, parent);
                default -> ignored(parent.name() + "." + field.name(), field);
            }
        }
    }

    private void queuePolicy(Field parent) {
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "max_queue_size" -> {
                    int rows = integer(field, 0);
                    // Triton's way to say that there is no limit of its own.
                    values.maxQueueSize = rows == 0 ? OptionalInt.empty() : OptionalInt.of(rows);
                }
                case "default_timeout_microseconds" -> {
                    long micros = number(field, 0, ModelConfig.MAX_DELAY.toNanos() / 1000);
                    values.defaultTimeout =
                            micros == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(1000 * micros));
                }
                case "allow_timeout_override" -> {
                    if (!text(field).equals("true")) {
                        warnings.add("dynamic_batching.default_queue_policy.allow_timeout_override (line "
                                + field.line() + ") has no effect: a request may always ask for a shorter timeout");
                    }
                }
                case "timeout_action" -> {
                    if (!text(field).equals("REJECT")) {
                        ignored("dynamic_batching." + parent.name() + "." + field.name(), field);
                    }
                }
                default -> ignored("dynamic_batching." + parent.name() + "." + field.name(), field);
            }
        }
    }

    private void instanceGroup(Field parent) {
        int count = 1;
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "count" -> count = Math.max(1, integer(field, 0));
                case "name" -> text(field);
                case "kind" -> {
                    String kind = text(field);
                    if (!kind.equals("KIND_CPU") && !kind.equals("KIND_AUTO")) {
                        throw invalid(field, "is " + kind + ", expected KIND_CPU or KIND_AUTO: models run on the CPU");
                    }
                }
                default -> ignored(parent.name() + "." + field.name(), field);
            }
        }
        values.instanceCount = OptionalInt.of(values.instanceCount.orElse(0) + count);
    }

    private void parameter(Field parent) {
        String key = "";
        String value = "";
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "key" -> key = text(field);
                case "value" -> value = parameterValue(field);
                default -> ignored(parent.name() + "." + field.name(), field);
            }
        }
        switch (key) {
            case "intra_op_thread_count" -> {
                int threads = threads(parent, key, value);
                // ONNX Runtime's way to say that it may choose; here the runtime does.
                values.intraOpThreads = threads == 0 ? OptionalInt.empty() : OptionalInt.of(threads);
            }
            case "inter_op_thread_count" -> {
                if (threads(parent, key, value) > 1) {
                    warnings.add("parameter 'inter_op_thread_count' of " + value + " has no effect: a run's operators"
                            + " follow one another");
                }
            }
            case "objective.p99_ms" -> values.objectiveP99 = Optional.of(milliseconds(parent, value));
            case "scheduling.weight" -> values.weight = OptionalInt.of(count(parent, key, value));
            case "memory.limit_bytes" -> values.memoryLimit = OptionalLong.of(bytes(parent, key, value));
            case "breaker.failures" -> values.breakerFailures = OptionalInt.of(count(parent, key, value));
            default ->
                warnings.add("parameter '" + key + "' (line " + parent.line() + ") is not known and has no effect");
        }
    }

    private String parameterValue(Field parent) {
        String value = "";
        for (Field field : message(parent).fields()) {
            if (field.name().equals("string_value")) {
                value = text(field);
            } else {
                ignored("parameters.value." + field.name(), field);
            }
        }
        return value;
    }

    private int threads(Field field, String key, String value) {
        if (!value.matches("[0-9]{1,4}")) {
            throw invalid(field, "'" + key + "' is '" + value + "', expected a number of threads");
        }
        return Integer.parseInt(value);
    }

    private long bytes(Field field, String key, String value) {
        if (!value.matches("[0-9]{1,18}")) {
            throw invalid(field, "'" + key + "' is '" + value + "', expected a number of bytes");
        }
        return Long.parseLong(value);
    }

    private int count(Field field, String key, String value) {
        if (!value.matches("[0-9]{1,9}")) {
            throw invalid(field, "'" + key + "' is '" + value + "', expected a whole number");
        }
        return Integer.parseInt(value);
    }

    private Duration milliseconds(Field field, String value) {
        try {
            return Duration.ofNanos(new BigDecimal(value).movePointRight(6).longValue());
        } catch (NumberFormatException _) {
            throw invalid(field, "'objective.p99_ms' is '" + value + "', expected a number of milliseconds");
        }
    }

    private void versionPolicy(Field parent) {
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "latest" -> {
                    for (Field inner : message(field).fields()) {
                        if (inner.name().equals("num_versions") && integer(inner, 0) > 1) {
                            warnings.add("version_policy.latest.num_versions of " + text(inner)
                                    + " has no effect: the latest version is served");
                        }
                    }
                }
                case "all" -> warnings.add("version_policy.all has no effect: the latest version is served");
                case "specific" -> {
                    for (Field inner : message(field).fields()) {
                        wantedVersions.add(number(inner, 1, Long.MAX_VALUE));
                    }
                    if (wantedVersions.size() > 1) {
                        warnings.add(
                                "version_policy.specific names " + wantedVersions + ": the latest of them is served");
                    }
                }
                default -> ignored(parent.name() + "." + field.name(), field);
            }
        }
    }

    /// The version to serve of those found: the latest, or the latest of those that the file names.
    ///
    /// @throws Invalid if there is none
    public ModelRepository.Version choose(List<ModelRepository.Version> found) {
        return found.stream()
                .filter(version -> wantedVersions.isEmpty() || wantedVersions.contains(version.number()))
                .reduce((_, later) -> later)
                .orElseThrow(() -> new Invalid(file + ": version_policy.specific names " + wantedVersions
                        + ", expected one of those in the folder, "
                        + found.stream().map(ModelRepository.Version::number).toList()));
    }

    private void tensor(Field parent, List<Declared> declared) {
        String name = null;
        String dataType = null;
        List<Long> dims = null;
        for (Field field : message(parent).fields()) {
            switch (field.name()) {
                case "name" -> name = text(field);
                case "data_type" -> dataType = text(field);
                case "dims" -> {
                    dims = dims == null ? new ArrayList<>() : dims;
                    dims.add(number(field, -1, Long.MAX_VALUE));
                }
                case "reshape" -> throw invalid(field, "came, expected none: tensors are taken as the model has them");
                case "is_shape_tensor", "allow_ragged_batch", "optional", "is_non_linear_format_io" ->
                    expectFalse(field, parent);
                default -> ignored(parent.name() + "." + field.name(), field);
            }
        }
        if (name == null) {
            throw invalid(parent, "has no name, expected one");
        }
        declared.add(new Declared(parent.name() + " '" + name + "'", name, dataType, dims));
    }

    /// Checks that the inputs and outputs that the file declares are the model's. It need not declare them, but if it
    /// does then all inputs.
    ///
    /// @throws Invalid if they contradict the model
    public void check(List<ValueInfo> modelInputs, List<ValueInfo> modelOutputs) {
        for (Declared input : inputs) {
            check(input, modelInputs, "input");
        }
        for (Declared output : outputs) {
            check(output, modelOutputs, "output");
        }
        List<String> names = inputs.stream().map(Declared::name).toList();
        List<String> expected = names(modelInputs);
        if (!names.isEmpty() && !names.containsAll(expected)) {
            throw new Invalid(file + ": the inputs are " + names + ", expected all of the model's, " + expected);
        }
    }

    private void check(Declared declared, List<ValueInfo> values, String kind) {
        ValueInfo value = values.stream()
                .filter(candidate -> candidate.name().equals(declared.name()))
                .findFirst()
                .orElseThrow(() -> new Invalid(file + ": " + declared.where() + " came, expected an " + kind
                        + " of the model, which has " + names(values)));
        String type = "TYPE_" + (value.datatype().name().equals("BYTES") ? "STRING" : value.datatype());
        if (declared.dataType() != null && !declared.dataType().equals(type)) {
            throw new Invalid(file + ": " + declared.where() + " has data_type " + declared.dataType() + ", expected "
                    + type + " as the model has it");
        }
        if (declared.dims() != null && value.kind() == ValueInfo.Kind.TENSOR) {
            checkDims(declared, value);
        }
    }

    /// With a batch dimension the file's dimensions are those of one row. Unless it says which it is, both will do.
    private void checkDims(Declared declared, ValueInfo value) {
        List<Long> whole = value.shape();
        List<Long> row = whole.isEmpty() ? whole : whole.subList(1, whole.size());
        boolean asWhole = values.maxBatchSize.orElse(0) == 0 && fit(declared.dims(), whole);
        boolean asRow = values.maxBatchSize.orElse(1) > 0 && !whole.isEmpty() && fit(declared.dims(), row);
        if (!asWhole && !asRow) {
            List<Long> expected = values.maxBatchSize.orElse(0) == 0 ? whole : row;
            throw new Invalid(file + ": " + declared.where() + " has dims " + declared.dims() + ", expected " + expected
                    + (values.maxBatchSize.orElse(0) == 0 ? "" : " after the batch dimension")
                    + " as the model has it");
        }
        List<Long> fitting = asRow ? row : whole;
        for (int axis = 0; axis < fitting.size(); axis++) {
            if (declared.dims().get(axis) >= 0 && fitting.get(axis) < 0) {
                warnings.add(declared.where() + " has dims " + declared.dims()
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

    private static List<String> names(List<ValueInfo> values) {
        return values.stream().map(ValueInfo::name).toList();
    }

    private void expect(Field field, String expected, String why) {
        String came = text(field);
        if (!came.isEmpty() && !came.equals(expected)) {
            throw invalid(field, "is '" + came + "', expected '" + expected + "', " + why);
        }
    }

    private void expectFalse(Field field, Field parent) {
        if (!text(field).equals("false")) {
            ignored(parent.name() + "." + field.name(), field);
        }
    }

    private void ignored(String name, Field field) {
        warnings.add("field '" + name + "' (line " + field.line() + ") is not known and has no effect");
    }

    private Message message(Field field) {
        if (field.value() instanceof Message message) {
            return message;
        }
        throw invalid(field, "is '" + ((Scalar) field.value()).text() + "', expected a message in braces");
    }

    private String text(Field field) {
        if (field.value() instanceof Scalar scalar) {
            return scalar.text();
        }
        throw invalid(field, "is a message, expected a value");
    }

    private int integer(Field field, int least) {
        return (int) number(field, least, Integer.MAX_VALUE);
    }

    private long number(Field field, long least, long most) {
        String text = text(field);
        try {
            long number = Long.decode(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw invalid(
                field,
                "is " + text + ", expected "
                        + (most == Long.MAX_VALUE
                                ? "a whole number of at least " + least
                                : "a whole number from " + least + " to " + most));
    }

    private Invalid invalid(Field field, String problem) {
        return new Invalid(file + ": line " + field.line() + ": " + field.name() + " " + problem);
    }
}
