// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.dataset.Dataset;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OperatorName;
import dev.millrace.ort.Cpu;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Optimization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Writes a model of floats as one that calculates with bytes where that is faster: matrix products,
/// convolutions, and what is around them.
///
/// Only the main graph is changed, and only what goes through integers; the rest of the file is written as
/// it was read, unless ONNX Runtime is asked to simplify the graph before. What is written was loaded and
/// run by ONNX Runtime first.
///
/// Threads: one; several may be at work.
public final class Quantizer {
    private static final Set<String> PRODUCTS = Set.of("Conv", "ConvTranspose", "Gemm", "MatMul");
    private static final String METADATA = "millrace.quantized";

    private final Path in;
    private final Path out;
    private final QuantizeOptions options;
    private final Dataset data;
    private final Progress progress;
    private final Optional<String> reduced;
    private final List<String> warnings = new ArrayList<>();

    private Quantizer(Path in, Path out, QuantizeOptions options, Dataset data, Progress progress) {
        this.in = in;
        this.out = out;
        this.options = options;
        this.data = data;
        this.progress = progress;
        this.reduced = switch (options.reduceRange()) {
            case AUTO -> saturates(Cpu.here().bytes());
            case ALWAYS -> Optional.of("it was asked for");
            case NEVER -> Optional.empty();
        };
    }

    /// Why sums of products of bytes may be wrong, if they may.
    static Optional<String> saturates(Cpu.Bytes bytes) {
        return switch (bytes) {
            case SATURATES -> Optional.of("the processor has no VNNI");
            case UNKNOWN -> Optional.of("whether the processor has VNNI is not known");
            case VNNI, EXACT -> Optional.empty();
        };
    }

    /// Quantizes a model.
    ///
    /// @param out where it is written, whole or not at all; may be `in`; its folder has to be there
    /// @param data what the model is asked usually; null with [QuantizeOptions.Mode#DYNAMIC], which needs
    ///     none
    /// @throws IOException if a file or the data cannot be read or written
    /// @throws InvalidModelException if the model contradicts itself, has nothing to quantize, or is
    ///     quantized already
    /// @throws dev.millrace.ort.OrtFailure if ONNX Runtime cannot load or run it
    public static QuantizationReport quantize(
            Path in, Path out, QuantizeOptions options, Dataset data, Progress progress) throws IOException {
        if (options.mode() == QuantizeOptions.Mode.STATIC && data == null) {
            throw new IllegalArgumentException("static quantization needs calibration data");
        }
        Path target = out.toAbsolutePath().getParent();
        if (!Files.isDirectory(target)) {
            throw new NoSuchFileException(target.toString());
        }
        try (WorkFolder folder = WorkFolder.open()) {
            return new Quantizer(in, out, options, data, progress).run(folder.path());
        }
    }

    private QuantizationReport run(Path folder) throws IOException {
        try (OnnxFile original = OnnxFile.open(in)) {
            original.check();
            load();
            Path model = options.optimize() ? simplify(original, folder) : in;
            try (OnnxFile file = OnnxFile.open(model)) {
                if (options.optimize()) {
                    describeAs(original, file);
                }
                if (options.mode() == QuantizeOptions.Mode.STATIC) {
                    OperatorVersions.raise(file);
                }
                WorkGraph graph = new WorkGraph(file);
                checkNodes(graph);
                QuantizationReport report = options.mode() == QuantizeOptions.Mode.STATIC
                        ? quantizeStatically(file, model, graph, folder)
                        : quantizeDynamically(graph);
                warnOfFixed(graph.fixedInputs());
                file.setMetadata(METADATA, describe());
                prove(file, model, folder);
                long before = bytes(original, in);
                file.write(out);
                return new QuantizationReport(
                        options,
                        report.calibrationRows(),
                        report.quantized(),
                        report.left(),
                        reduced.orElse(""),
                        before,
                        bytes(file, out),
                        warnings);
            }
        }
    }

    /// ONNX Runtime knows what nodes have to take and make; from here on they do.
    private void load() {
        OnnxSession.open(in, SessionSettings.DEFAULT.withOptimization(Optimization.NONE))
                .close();
    }

    /// ONNX Runtime's own work on the graph that holds for any processor.
    private Path simplify(OnnxFile original, Path folder) throws IOException {
        if (!original.functions().isEmpty()) {
            warnings.add("the model's functions are written out, as ONNX Runtime simplifies the graph");
        }
        Path own = Files.createDirectory(folder.resolve("simplified"));
        if (!original.externalFiles().isEmpty()) {
            // What is saved looks for them beside it; they come along with the model.
            original.write(own.resolve("original.onnx"));
        }
        Path saved = own.resolve("simplified.onnx");
        SessionSettings settings = SessionSettings.DEFAULT.withOptimization(Optimization.BASIC);
        OnnxSession.openAndSave(in, settings, saved).close();
        return saved;
    }

    /// Has the file say of itself what the original says.
    private static void describeAs(OnnxFile original, OnnxFile file) {
        for (int text : new int[] {2, 3, 4, 6}) {
            if (original.message().has(text)) {
                file.message().setText(text, original.message().text(text));
            }
        }
        file.message().setNumber(5, original.modelVersion());
        original.metadata().forEach(file::setMetadata);
    }

    private void checkNodes(WorkGraph graph) {
        Set<String> known = new LinkedHashSet<>();
        for (OnnxNode node : graph.nodes()) {
            String operator = node.operator().name();
            if (operator.equals("QuantizeLinear") || operator.equals("DynamicQuantizeLinear")) {
                throw new InvalidModelException(
                        "the model is quantized already: it has " + node.describe() + "; expected one of floats");
            }
            known.add(node.name());
            known.addAll(node.outputs());
        }
        for (String excluded : options.excluded()) {
            if (!known.contains(excluded) || excluded.isEmpty()) {
                throw new InvalidModelException(
                        "there is no node '" + excluded + "' to exclude, and none that makes a value of that name");
            }
        }
    }

    private boolean isExcluded(OnnxNode node) {
        return options.excluded().contains(node.name())
                || node.outputs().stream().anyMatch(options.excluded()::contains);
    }

    private boolean isWanted(OnnxNode node) {
        OperatorName operator = node.operator();
        return operator.domain().equals(OperatorName.ONNX)
                && Marks.OPERATORS.contains(operator.name())
                && !isExcluded(node);
    }

    private QuantizationReport quantizeStatically(OnnxFile file, Path model, WorkGraph graph, Path folder)
            throws IOException {
        holdProducts(graph);
        Calibration calibration = new Calibration(model, folder, options);
        Set<String> floats = calibration.floats();
        Map<String, Range> ranges = calibration.ranges(measured(graph, floats), data, progress);
        Marks marks = new Marks(graph, floats, ranges, options);
        marks.markAll(this::isWanted);
        Map<String, Integer> quantized = new TreeMap<>();
        Map<String, String> left = new LinkedHashMap<>();
        for (OnnxNode node : graph.nodes()) {
            if (isProduct(node)) {
                boolean whole = marks.marks().keySet().containsAll(node.inputs().subList(0, 2));
                count(node, whole && isWanted(node), quantized, left, "it does not multiply floats of 32 bits");
            }
        }
        holdSome(quantized, left);
        boolean old = options.perChannel() && graph.opset() < 13;
        String domain = old ? QdqWriter.CONTRIBUTED : OperatorName.ONNX;
        new QdqWriter(graph, marks, ranges, options.activations(), reduced.isPresent(), domain).write();
        graph.finish();
        if (old && !file.opsets().containsKey(domain)) {
            file.setOpset(domain, 1);
        }
        return report(calibration.rows(), quantized, left);
    }

    /// All that may have to go through integers.
    private Set<String> measured(WorkGraph graph, Set<String> floats) {
        Set<String> values = new LinkedHashSet<>();
        graph.nodes().stream().filter(this::isWanted).forEach(node -> {
            values.addAll(node.inputs());
            values.addAll(node.outputs());
        });
        values.retainAll(floats);
        values.removeIf(graph::isConstant);
        return values;
    }

    private QuantizationReport quantizeDynamically(WorkGraph graph) throws IOException {
        if (graph.opset() < DynamicWriter.OPSET) {
            throw new InvalidModelException("the model uses version " + graph.opset()
                    + " of ONNX's operators, expected at least " + DynamicWriter.OPSET
                    + " for dynamic quantization; static quantization has no such limit");
        }
        DynamicWriter writer = new DynamicWriter(graph, options, reduced.isPresent());
        Map<String, Integer> quantized = new TreeMap<>();
        Map<String, String> left = new LinkedHashMap<>();
        for (OnnxNode node : graph.nodes()) {
            if (isProduct(node)) {
                Optional<String> obstacle = isExcluded(node) ? Optional.of("") : writer.rewrite(node);
                count(node, obstacle.isEmpty(), quantized, left, obstacle.orElse(""));
            }
        }
        holdSome(quantized, left);
        graph.finish();
        warnings.add("a row's answer depends on the rows that it is run with: the scales are taken from all of them;"
                + " such a model is not batched across requests");
        return report(0, quantized, left);
    }

    private QuantizationReport report(long rows, Map<String, Integer> quantized, Map<String, String> left) {
        return new QuantizationReport(options, rows, quantized, left, "", 0, 0, List.of());
    }

    private static boolean isProduct(OnnxNode node) {
        return node.operator().domain().equals(OperatorName.ONNX)
                && PRODUCTS.contains(node.operator().name());
    }

    private void count(
            OnnxNode node, boolean done, Map<String, Integer> quantized, Map<String, String> left, String obstacle) {
        if (done) {
            quantized.merge(node.operator().name(), 1, Integer::sum);
        } else {
            left.put(node.describe(), isExcluded(node) ? "it is excluded" : obstacle);
        }
    }

    private static void holdProducts(WorkGraph graph) {
        if (graph.nodes().stream().noneMatch(Quantizer::isProduct)) {
            holdSome(Map.of(), Map.of());
        }
    }

    private static void holdSome(Map<String, Integer> quantized, Map<String, String> left) {
        if (quantized.isEmpty()) {
            throw new InvalidModelException("the model has nothing to quantize: "
                    + (left.isEmpty()
                            ? "it has no "
                                    + String.join(
                                            ", ", PRODUCTS.stream().sorted().toList())
                            : left.size() + " nodes with a product stay as they are, first "
                                    + left.entrySet().iterator().next().getKey() + ": "
                                    + left.entrySet().iterator().next().getValue()));
        }
    }

    private void warnOfFixed(List<String> inputs) {
        if (!inputs.isEmpty()) {
            warnings.add("inputs with weights for defaults are constants now, and cannot be given: "
                    + String.join(", ", inputs));
        }
    }

    /// Holds that ONNX Runtime loads and runs it.
    private void prove(OnnxFile file, Path model, Path folder) throws IOException {
        Path made = folder.resolve("proof.onnx");
        file.check();
        file.write(made);
        Proof proof = new Proof(made);
        if (options.mode() == QuantizeOptions.Mode.STATIC) {
            proof.run(data, options.batch());
        } else {
            proof.run(model);
        }
    }

    private static long bytes(OnnxFile model, Path path) throws IOException {
        long bytes = Files.size(path);
        for (String location : model.externalFiles()) {
            bytes += Files.size(path.resolveSibling(location));
        }
        return bytes;
    }

    private String describe() {
        String activations = options.activations() == ElementType.UINT8 ? "u8" : "s8";
        return switch (options.mode()) {
            case DYNAMIC -> "dynamic, weights s8" + (reduced.isPresent() ? " reduced" : "");
            case STATIC ->
                "static, " + options.method().name().toLowerCase(java.util.Locale.ROOT) + ", activations " + activations
                        + ", weights s8"
                        + (options.perChannel() ? " per channel" : "") + (reduced.isPresent() ? " reduced" : "");
        };
    }
}
