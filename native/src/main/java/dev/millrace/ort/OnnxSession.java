// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.MapInfo;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.SequenceInfo;
import ai.onnxruntime.TensorInfo;
import dev.millrace.memory.DataType;
import dev.millrace.ort.ValueInfo.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A model loaded by ONNX Runtime for the CPU.
///
/// Threads: any; runners made from it may run at the same time. Ownership: whoever opened it closes it, after the
/// runners made from it and never while one of them runs.
public final class OnnxSession implements AutoCloseable {
    /// The metadata entry of a model file whose graph works in another precision than its inputs and outputs have.
    public static final String PRECISION = "millrace.precision";
    /// What [#PRECISION] says of half precision.
    public static final String HALVES = "FP16";

    private final OrtSession session;
    private final SessionSettings.Arena arena;
    private final OrtRuntime.Binding binding;
    private final List<ValueInfo> inputs;
    private final List<ValueInfo> outputs;

    private OnnxSession(OrtSession session, SessionSettings settings) throws OrtException {
        this.session = session;
        this.arena = OrtRuntime.isLimited() && settings.arena() == SessionSettings.Arena.NONE
                ? SessionSettings.Arena.KEEPS
                : settings.arena();
        this.binding = OrtRuntime.binding();
        this.inputs = values(session.getInputInfo().values());
        this.outputs = values(session.getOutputInfo().values());
    }

    /// Loads the model file `model`.
    ///
    /// @throws OrtFailure if the file cannot be read, is not a model, or declares values that cannot be served
    public static OnnxSession open(Path model, SessionSettings settings) {
        return open(model, settings, Optional.empty());
    }

    /// Loads the model file `model`, and writes the graph as it was optimised into `graph`, as an ONNX file for this
    /// very kind of processor. It is to be opened with [SessionSettings.Optimization#NONE].
    ///
    /// @throws OrtFailure as [#open(Path, SessionSettings)], and if the graph cannot be written
    public static OnnxSession openAndSave(Path model, SessionSettings settings, Path graph) {
        return open(model, settings, Optional.of(graph));
    }

    private static OnnxSession open(Path model, SessionSettings settings, Optional<Path> graph) {
        try (OrtSession.SessionOptions options = options(settings)) {
            if (graph.isPresent()) {
                options.setOptimizedModelFilePath(graph.get().toString());
            }
            return wrap(OrtRuntime.environment().createSession(model.toString(), options), settings);
        } catch (OrtException e) {
            throw new OrtFailure(model + ": " + FileFault.explain(model, e.getMessage()), e);
        }
    }

    /// Loads a model from the bytes of its file.
    ///
    /// @throws OrtFailure if the bytes are not a model, or it declares values that cannot be served
    public static OnnxSession open(byte[] model, SessionSettings settings) {
        try (OrtSession.SessionOptions options = options(settings)) {
            return wrap(OrtRuntime.environment().createSession(model, options), settings);
        } catch (OrtException e) {
            throw failure(e);
        }
    }

    private static OnnxSession wrap(OrtSession session, SessionSettings settings) throws OrtException {
        try {
            return new OnnxSession(session, settings);
        } catch (OrtException | RuntimeException e) {
            session.close();
            throw e;
        }
    }

    private static OrtSession.SessionOptions options(SessionSettings settings) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        try {
            set(options, settings);
            return options;
        } catch (OrtException | RuntimeException e) {
            options.close();
            throw e;
        }
    }

    private static void set(OrtSession.SessionOptions options, SessionSettings settings) throws OrtException {
        options.setIntraOpNumThreads(settings.intraOpThreads());
        options.setInterOpNumThreads(Math.max(1, settings.interOpThreads()));
        options.setExecutionMode(
                settings.interOpThreads() > 0
                        ? OrtSession.SessionOptions.ExecutionMode.PARALLEL
                        : OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
        options.setCPUArenaAllocator(settings.arena() != SessionSettings.Arena.NONE);
        options.setMemoryPatternOptimization(settings.memoryPattern());
        options.addConfigEntry("session.intra_op.allow_spinning", "0");
        options.addConfigEntry("session.inter_op.allow_spinning", "0");
        if (OrtRuntime.isLimited()) {
            options.addConfigEntry("session.use_env_allocators", "1");
        }
        for (Map.Entry<String, String> entry : settings.entries().entrySet()) {
            options.addConfigEntry(entry.getKey(), entry.getValue());
        }
        options.setOptimizationLevel(
                switch (settings.optimization()) {
                    case ALL -> OrtSession.SessionOptions.OptLevel.ALL_OPT;
                    case EXTENDED -> OrtSession.SessionOptions.OptLevel.EXTENDED_OPT;
                    case BASIC -> OrtSession.SessionOptions.OptLevel.BASIC_OPT;
                    case NONE -> OrtSession.SessionOptions.OptLevel.NO_OPT;
                });
    }

    /// The model's inputs in order, as declared.
    public List<ValueInfo> inputs() {
        return inputs;
    }

    /// The model's outputs in order, as declared.
    public List<ValueInfo> outputs() {
        return outputs;
    }

    /// How this session is driven.
    public OrtRuntime.Binding binding() {
        return binding;
    }

    /// Whether the model works in half precision inside, whatever its inputs and outputs are, as [#PRECISION] says.
    public boolean isHalf() {
        return HALVES.equals(metadata().get(PRECISION));
    }

    /// The metadata entries that the model's maker stored with it.
    public Map<String, String> metadata() {
        try {
            return Map.copyOf(session.getMetadata().getCustomMetadata());
        } catch (OrtException e) {
            throw failure(e);
        }
    }

    /// The name of the program that made the model; may be empty.
    public String producer() {
        try {
            return session.getMetadata().getProducerName();
        } catch (OrtException e) {
            throw failure(e);
        }
    }

    /// Makes a runner over rows. `inputs` and `outputs` name all of the model's inputs and the outputs wanted.
    public RowRunner rowRunner(List<RowTensor> inputs, List<RowTensor> outputs) {
        return binding == OrtRuntime.Binding.NATIVE
                ? new NativeRowRunner(handle(), arena, inputs, outputs)
                : new JavaRowRunner(session, arena, inputs, outputs);
    }

    /// Makes a runner over whole tensors.
    public TensorRunner tensorRunner() {
        boolean tensorsOnly = java.util.stream.Stream.concat(inputs.stream(), outputs.stream())
                .allMatch(value -> value.kind() == Kind.TENSOR);
        return binding == OrtRuntime.Binding.NATIVE && tensorsOnly
                ? new NativeTensorRunner(handle(), arena, inputs, outputs)
                : new JavaTensorRunner(session, arena, inputs, outputs);
    }

    /// Frees the session. No run may be in progress.
    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw failure(e);
        }
    }

    static OrtFailure failure(OrtException e) {
        return new OrtFailure(e.getMessage(), e);
    }

    /// The `OrtSession*`, for what drives the session through the C API.
    long handle() {
        try {
            return OrtRuntime.handle(session);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the session's native handle is gone", e);
        }
    }

    private static List<ValueInfo> values(Collection<NodeInfo> nodes) {
        List<ValueInfo> values = new ArrayList<>();
        for (NodeInfo node : nodes) {
            values.add(value(node));
        }
        return List.copyOf(values);
    }

    private static ValueInfo value(NodeInfo node) {
        String name = node.getName();
        return switch (node.getInfo()) {
            case TensorInfo tensor ->
                new ValueInfo(
                        name,
                        Kind.TENSOR,
                        datatype(name, tensor.onnxType),
                        Arrays.stream(tensor.getShape()).boxed().toList(),
                        Arrays.asList(tensor.getDimensionNames()));
            case MapInfo map -> new ValueInfo(name, Kind.MAP, datatype(name, map.valueType), List.of(), List.of());
            case SequenceInfo sequence
            when sequence.isSequenceOfMaps() ->
                new ValueInfo(
                        name, Kind.SEQUENCE_OF_MAPS, datatype(name, sequence.mapInfo.valueType), List.of(), List.of());
            case SequenceInfo sequence ->
                new ValueInfo(
                        name, Kind.SEQUENCE_OF_TENSORS, datatype(name, sequence.sequenceType), List.of(), List.of());
            default -> throw new OrtFailure(-1, "value '" + name + "' is of a kind that cannot be served");
        };
    }

    private static DataType datatype(String name, TensorInfo.OnnxTensorType type) {
        String onnx = type.name().substring("ONNX_TENSOR_ELEMENT_DATA_TYPE_".length());
        String protocol = switch (onnx) {
            case "FLOAT" -> "FP32";
            case "DOUBLE" -> "FP64";
            case "FLOAT16" -> "FP16";
            case "BFLOAT16" -> "BF16";
            case "STRING" -> "BYTES";
            default -> onnx;
        };
        return DataType.named(protocol)
                .orElseThrow(() -> new OrtFailure(
                        -1, "value '" + name + "' has element type " + onnx + ", which cannot be served"));
    }

    private static DataType datatype(String name, OnnxJavaType type) {
        return switch (type) {
            case FLOAT -> DataType.FP32;
            case DOUBLE -> DataType.FP64;
            case INT8 -> DataType.INT8;
            case INT16 -> DataType.INT16;
            case INT32 -> DataType.INT32;
            case INT64 -> DataType.INT64;
            case BOOL -> DataType.BOOL;
            case STRING -> DataType.BYTES;
            case UINT8 -> DataType.UINT8;
            case FLOAT16 -> DataType.FP16;
            case BFLOAT16 -> DataType.BF16;
            case UNKNOWN -> throw new OrtFailure(-1, "value '" + name + "' has an unknown element type");
        };
    }
}
