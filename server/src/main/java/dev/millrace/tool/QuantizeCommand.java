// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.dataset.Dataset;
import dev.millrace.dataset.Datasets;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.quantize.Progress;
import dev.millrace.quantize.QuantizationReport;
import dev.millrace.quantize.QuantizeOptions;
import dev.millrace.quantize.QuantizeOptions.Method;
import dev.millrace.quantize.QuantizeOptions.Mode;
import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import dev.millrace.quantize.Quantizer;
import dev.millrace.version.TrialFailed;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace model quantize`: writes a model of floats as one of bytes.
@Command(
        name = "quantize",
        description = "Writes a model of floats as one that multiplies bytes, which is smaller and, where the processor"
                + " has instructions for it, faster. What its values are like is measured on data that is like what it"
                + " will be asked.",
        footer = "%nExit status: 0 when it was written; 1 when the model or the data is not what is expected, or cannot"
                + " be read or written; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class QuantizeCommand implements Callable<Integer> {
    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);

    /// What eight bits are.
    enum Bytes {
        /// From 0 to 255.
        U8,
        /// From -128 to 127.
        S8
    }

    @Parameters(index = "0", paramLabel = "IN", description = "The model, an ONNX file of floats.")
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", description = "The file to write, whole or not at all.")
    private Path out;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description =
                    "static: scales are found once, from data. dynamic: in every run, from all rows of it, so that a"
                        + " row's answer depends on the rows that it is run with; such a model is not batched across"
                        + " requests.")
    private Mode mode = Mode.STATIC;

    @Option(
            names = "--calibration",
            paramLabel = "DATA",
            description = "What the model is asked usually: CSV, JSON lines or Parquet. Needed for static.")
    private Path calibration;

    @Option(
            names = "--labels",
            paramLabel = "COLUMN",
            description = "A column of the data that is no input of the model.")
    private String labels;

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description = "How a range is found: minmax, all that was seen; entropy, what tells most of how values are"
                    + " spread; percentile, what holds most of the values.")
    private Method method = Method.MINMAX;

    @Option(names = "--percentile", paramLabel = "PERCENT", description = "How many values are held, by percentile.")
    private double percentile = QuantizeOptions.DEFAULT.percentile();

    @Option(names = "--bins", paramLabel = "BINS", description = "Bins of a histogram, by entropy and percentile.")
    private int bins = QuantizeOptions.DEFAULT_BINS;

    @Option(names = "--per-channel", description = "A scale for each channel of a weight: more exact, often slower.")
    private boolean perChannel;

    @Option(names = "--activations", paramLabel = "u8|s8", description = "The bytes of what layers take and give.")
    private Bytes activations = Bytes.U8;

    @Option(names = "--weights", paramLabel = "s8", description = "The bytes of weights; there are only signed ones.")
    private Bytes weights = Bytes.S8;

    @Option(
            names = "--exclude",
            paramLabel = "NODE",
            description = "A node that stays as it is, by its name or that of a value that it makes; may be repeated.")
    private List<String> excluded = List.of();

    @Option(
            names = "--reduce-range",
            negatable = true,
            description =
                    "Whether weights leave one bit free. If not said, they do where the processor here has no VNNI"
                            + " and would add up wrongly.")
    private Boolean reduceRange;

    @Option(
            names = "--optimize",
            description = "Have ONNX Runtime simplify the graph first: constants worked out, normalisation folded into"
                    + " convolutions. It writes all of the graph anew.")
    private boolean optimize;

    @Option(names = "--convolutions", description = "Quantize convolutions in mode dynamic, too.")
    private boolean convolutions;

    @Option(names = "--batch", paramLabel = "ROWS", description = "Rows that are run at a time while calibrating.")
    private int batch = QuantizeOptions.DEFAULT_BATCH;

    @Mixin
    private TrialOptions trial;

    @Spec
    private CommandSpec spec;

    QuantizeCommand() {}

    @Override
    public Integer call() {
        QuantizeOptions options = options();
        trial.limits();
        try {
            check();
            trial.run(in);
            Dataset data = mode == Mode.STATIC ? data() : null;
            QuantizationReport report = Quantizer.quantize(in, out, options, data, progress());
            print(report);
            return ExitCode.OK;
        } catch (NoSuchFileException e) {
            return complain("there is no such file or folder: " + e.getFile());
        } catch (InvalidModelException e) {
            return complain(in + ": " + e.getMessage());
        } catch (TrialFailed e) {
            return complain(in + ": it cannot be run: " + e.getMessage());
        } catch (IOException | OrtFailure e) {
            return complain(e.getMessage());
        }
    }

    /// What a trial would say less clearly.
    private void check() throws IOException {
        try (OnnxFile model = OnnxFile.open(in)) {
            model.check();
        }
    }

    private QuantizeOptions options() {
        if (weights != Bytes.S8) {
            throw new ParameterException(spec.commandLine(), "--weights must be s8, was " + lower(weights));
        }
        if (mode == Mode.STATIC && calibration == null) {
            throw new ParameterException(
                    spec.commandLine(), "--calibration DATA is needed to quantize statically, or --mode dynamic");
        }
        ReduceRange reduce =
                reduceRange == null ? ReduceRange.AUTO : reduceRange ? ReduceRange.ALWAYS : ReduceRange.NEVER;
        try {
            return new QuantizeOptions(
                    mode,
                    method,
                    activations == Bytes.U8 ? ElementType.UINT8 : ElementType.INT8,
                    perChannel,
                    reduce,
                    Set.copyOf(excluded),
                    optimize,
                    bins,
                    percentile,
                    batch,
                    convolutions);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Dataset data() throws IOException {
        Signature signature;
        try (OnnxModel model = OnnxModel.load(in, SessionSettings.DEFAULT)) {
            signature = model.signature();
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
        try {
            return Datasets.open(calibration, signature, Optional.ofNullable(labels));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /// Says on the error stream how far it is, not too often.
    private Progress progress() {
        PrintWriter err = spec.commandLine().getErr();
        long[] next = {System.nanoTime() + REPORT_EVERY_NANOS};
        return (rows, pass, passes) -> {
            if (System.nanoTime() - next[0] >= 0) {
                err.println("calibrating: " + grouped(rows) + " rows"
                        + (passes > 1 ? ", pass " + pass + " of " + passes : ""));
                err.flush();
                next[0] = System.nanoTime() + REPORT_EVERY_NANOS;
            }
        };
    }

    private void print(QuantizationReport report) {
        PrintWriter to = spec.commandLine().getOut();
        line(to, "written", out.toString());
        line(to, "quantized", join(report.quantized()));
        report.left().forEach((node, reason) -> line(to, "left", node + ": " + reason));
        if (report.calibrationRows() > 0) {
            line(to, "ranges", lower(method) + " of " + grouped(report.calibrationRows()) + " rows");
        }
        line(
                to,
                "weights",
                report.reducedRange().isEmpty() ? "8 bits" : "one bit is left free: " + report.reducedRange());
        line(to, "size", grouped(report.bytesBefore()) + " bytes before, " + grouped(report.bytesAfter()) + " now");
        report.warnings().forEach(warning -> line(to, "mind", warning));
        to.flush();
    }

    private static void line(PrintWriter to, String label, String said) {
        to.println((label + " ".repeat(12 - label.length()) + ReportText.plain(said)).stripTrailing());
    }

    private static String join(Map<String, Integer> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private int complain(String problem) {
        spec.commandLine().getErr().println("millrace: " + ReportText.plain(problem));
        return ExitCode.SOFTWARE;
    }
}
