// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Message;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToLongFunction;

/// A model's `config.pbtxt` as Triton has it, or the same settings as `model.yaml`, as far as they say something here.
///
/// In YAML a map is a mapping, where protobuf's text has entries with a key and a value.
///
/// What is not understood is named in [#warnings()]; what cannot be honoured is an error that names the file, the
/// field, what came and what was expected. The objective, which Triton does not have, is the parameter
/// `objective.p99_ms`.
///
/// Threads: one, whoever loads the model.
public final class ConfigFile {
    /// The file's name in the model's folder.
    public static final String NAME = "config.pbtxt";

    /// The name of the other form.
    public static final String YAML_NAME = "model.yaml";

    /// What errors call a configuration that came with a load.
    private static final String JSON_NAME = "config";

    /// The file or a value in it is wrong.
    public static final class Invalid extends RuntimeException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        Invalid(String message) {
            super(message);
        }
    }

    private static final String ENSEMBLE = "ensemble";

    private final Path file;
    private final FieldReader reader;
    private final TensorFields tensors;
    private final BatchingFields batching;
    private final ParameterFields parameters;
    private final List<WarmUp> warmUps = new ArrayList<>();
    private final ModelConfig.Values values = new ModelConfig.Values(ModelConfig.DEFAULT);
    private boolean ensemblePlatform;
    private EnsembleFields ensemble;
    private ModelConfig config = ModelConfig.DEFAULT;

    private ConfigFile(Path file) {
        this.file = file;
        this.reader = new FieldReader(file);
        this.tensors = new TensorFields(file, reader);
        this.batching = new BatchingFields(reader, values);
        this.parameters = new ParameterFields(reader, values);
    }

    /// Reads the file of the model called `model`.
    ///
    /// @throws Invalid if it cannot be read or says what cannot be honoured
    public static ConfigFile read(Path file, String model) {
        try {
            return of(file, Files.readString(file), model);
        } catch (MalformedInputException _) {
            throw new Invalid(file + " is no UTF-8 text");
        } catch (IOException e) {
            throw new Invalid("cannot read " + file + ": " + e);
        }
    }

    /// A configuration that came in JSON instead of a file.
    ///
    /// @param folder the model's folder, where files lie that it names
    /// @throws Invalid if it cannot be read or says what cannot be honoured
    public static ConfigFile json(Path folder, String text, String model) {
        return of(folder.resolve(JSON_NAME), text, model);
    }

    /// As [#read(Path, String)], of a file's text.
    static ConfigFile of(Path file, String text, String model) {
        ConfigFile read = new ConfigFile(file);
        try {
            read.fields(parsed(file, text), model);
            read.checkEnsemble();
            read.values.details = read.details();
            read.config = read.values.config();
            return read;
        } catch (TextProto.Malformed | IllegalArgumentException e) {
            throw new Invalid(file + ": " + e.getMessage());
        }
    }

    private static Message parsed(Path file, String text) {
        if (file.endsWith(JSON_NAME)) {
            return JsonFields.read(text);
        }
        return file.endsWith(YAML_NAME) ? YamlFields.read(text) : TextProto.parse(text);
    }

    private ModelConfig.Details details() {
        return new ModelConfig.Details(
                ensemble == null ? 0 : values.maxBatchSize.orElse(0),
                warmUps,
                tensors.labelFiles(),
                ensemble == null ? List.of() : ensemble.steps());
    }

    /// Its name in the model's folder.
    String name() {
        return file.getFileName().toString();
    }

    /// What it says about how the model is served.
    public ModelConfig config() {
        return config;
    }

    /// What it says that has no effect here, one sentence each.
    public List<String> warnings() {
        return reader.warnings();
    }

    private void fields(Message message, String model) {
        for (Field field : message.fields()) {
            switch (field.name()) {
                case "name" -> reader.expect(field, model, "the name of the model's folder");
                case "platform" -> platform(field);
                case "backend" -> reader.expect(field, "onnxruntime", "the only backend here");
                case "default_model_filename" -> values.defaultModelFilename = fileName(field);
                case "max_batch_size" -> values.maxBatchSize = OptionalInt.of(reader.integer(field, 0));
                case "version_policy" -> versionPolicy(field);
                case "input" -> tensors.readInput(field);
                case "output" -> tensors.readOutput(field);
                case "dynamic_batching" -> batching.read(field);
                case "instance_group" -> instanceGroup(field);
                case "optimization" -> optimization(field);
                case "parameters" -> parameters.read(field);
                case "model_warmup" -> warmUps.add(WarmUp.read(reader, field));
                case "ensemble_scheduling" -> {
                    ensemble = new EnsembleFields(reader);
                    ensemble.read(field);
                }
                case "response_cache" -> responseCache(field);
                case "model_transaction_policy" -> others(field);
                default -> reader.other(field.name(), field);
            }
        }
    }

    private void platform(Field field) {
        String came = reader.text(field);
        ensemblePlatform = came.equals(ENSEMBLE);
        if (!ensemblePlatform && !came.isEmpty() && !came.equals("onnxruntime_onnx")) {
            throw reader.invalid(
                    field, "is '" + came + "', expected 'onnxruntime_onnx' or 'ensemble', the only platforms here");
        }
    }

    private void checkEnsemble() {
        if (ensemblePlatform && ensemble == null) {
            throw new Invalid(file + ": platform is 'ensemble', expected ensemble_scheduling with steps, too");
        }
        if (ensemble != null && !warmUps.isEmpty()) {
            reader.warn("model_warmup has no effect: the models of an ensemble's steps have theirs");
        }
        if (!ensemblePlatform && ensemble != null) {
            throw new Invalid(file + ": ensemble_scheduling came, expected platform to be 'ensemble', too");
        }
    }

    /// The steps of the model, if it is an ensemble of others.
    ///
    /// @throws Invalid if an input or output is not declared in full
    public Optional<EnsembleConfig> ensemble() {
        return Optional.ofNullable(ensemble)
                .map(fields ->
                        new EnsembleConfig(tensors.signature(values.maxBatchSize.orElse(0) > 0), fields.steps()));
    }

    /// A message none of whose fields is honoured.
    private void others(Field parent) {
        reader.fields(parent).forEach(field -> reader.other(parent.name() + "." + field.name(), field));
    }

    private Optional<String> fileName(Field field) {
        return Optional.of(reader.text(field)).filter(name -> !name.isEmpty());
    }

    private void responseCache(Field parent) {
        for (Field field : reader.fields(parent)) {
            if (field.name().equals("enable")) {
                values.responseCache = Optional.of(reader.bool(field));
            } else {
                reader.other(parent.name() + "." + field.name(), field);
            }
        }
    }

    private void instanceGroup(Field parent) {
        int count = 1;
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "count" -> count = Math.max(1, reader.integer(field, 0));
                case "name" -> reader.text(field);
                case "kind" -> {
                    String kind = reader.text(field);
                    if (!List.of("KIND_CPU", "2", "KIND_AUTO", "0").contains(kind)) {
                        throw reader.invalid(
                                field, "is " + kind + ", expected KIND_CPU or KIND_AUTO: models run on the CPU");
                    }
                }
                default -> reader.other(parent.name() + "." + field.name(), field);
            }
        }
        values.instanceCount = OptionalInt.of(values.instanceCount.orElse(0) + count);
    }

    private void optimization(Field parent) {
        for (Field field : reader.fields(parent)) {
            if (!field.name().equals("graph")) {
                reader.other(parent.name() + "." + field.name(), field);
                continue;
            }
            for (Field inner : reader.fields(field)) {
                if (inner.name().equals("level")) {
                    values.graphOptimizationLevel = OptionalInt.of((int) reader.number(inner, -1, 2));
                } else {
                    reader.other("optimization.graph." + inner.name(), inner);
                }
            }
        }
    }

    private void versionPolicy(Field parent) {
        List<VersionPolicy> policies = new ArrayList<>();
        for (Field field : reader.fields(parent)) {
            switch (field.name()) {
                case "latest" -> policies.add(latest(field));
                case "all" -> {
                    reader.fields(field).forEach(inner -> reader.other("version_policy.all." + inner.name(), inner));
                    policies.add(VersionPolicy.all());
                }
                case "specific" -> policies.add(specific(field));
                default -> reader.other(parent.name() + "." + field.name(), field);
            }
        }
        if (policies.size() > 1) {
            throw reader.invalid(
                    parent, "has " + policies.size() + " policies, expected one of latest, all and specific");
        }
        values.versionPolicy = policies.stream().findFirst();
    }

    private VersionPolicy latest(Field parent) {
        int count = 1;
        for (Field field : reader.fields(parent)) {
            if (field.name().equals("num_versions")) {
                count = reader.integer(field, 1);
            } else {
                reader.other("version_policy.latest." + field.name(), field);
            }
        }
        return VersionPolicy.latest(count);
    }

    private VersionPolicy specific(Field parent) {
        List<Long> versions = new ArrayList<>();
        for (Field field : reader.fields(parent)) {
            if (field.name().equals("versions")) {
                versions.add(reader.number(field, 1, Long.MAX_VALUE));
            } else {
                reader.other("version_policy.specific." + field.name(), field);
            }
        }
        return VersionPolicy.specific(versions.toArray(Long[]::new));
    }

    /// Checks that the inputs and outputs that the file declares are the model's. It need not declare them, but if it
    /// does then all inputs.
    ///
    /// @return what they say that has no effect, one sentence each
    /// @throws Invalid if they contradict the model
    public List<String> check(List<ValueInfo> modelInputs, List<ValueInfo> modelOutputs) {
        return tensors.check(values.maxBatchSize, modelInputs, modelOutputs);
    }

    /// As [TensorFields#labels(ToLongFunction)].
    Map<String, List<String>> labels(ToLongFunction<String> classes) {
        return tensors.labels(classes);
    }

    /// Runs the requests that the model is to answer before it is ready.
    ///
    /// @throws Invalid naming the one that does not fit the model or fails
    void warmUp(OnnxSession session, MemoryBudget budget) {
        for (WarmUp warmUp : warmUps) {
            try {
                warmUp.run(file.toAbsolutePath().getParent(), session, budget);
            } catch (Invalid e) {
                throw new Invalid(file + ": " + e.getMessage());
            }
        }
    }
}
