// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.inspect.ModelReport;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.version.ModelTrial;
import dev.millrace.version.TrialFailed;
import dev.millrace.version.TrialLimits;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace model inspect`: tells what a model is, from its file, and whether its rows may share runs, from running
/// it.
@Command(
        name = "inspect",
        description = "Tells what a model is: inputs and outputs, operators, constants, operations per row, whether"
                + " requests to it can be batched, and which operators do not run on CUDA.",
        footer =
                "%nExit status: 0 when it is a model; 1 when not, when it contradicts itself, or cannot be read; 2 when"
                        + " called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class InspectCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The model, an ONNX file.")
    private Path file;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(
            names = "--no-run",
            description = "Do not run the model. Whether its rows affect each other is not known then.")
    private boolean noRun;

    @Option(
            names = "--trial-memory-bytes",
            paramLabel = "BYTES",
            description = "What the model may take in the process in which it is tried before it is run here.")
    private long memoryBytes = TrialLimits.DEFAULT.memoryBytes();

    @Option(names = "--trial-timeout", paramLabel = "SECONDS", description = "How long it may take there.")
    private int timeoutSeconds = (int) TrialLimits.DEFAULT.timeout().toSeconds();

    @Spec
    private CommandSpec spec;

    InspectCommand() {}

    @Override
    public Integer call() {
        TrialLimits limits = limits();
        try {
            ModelReport report = ModelReport.of(file);
            Batchability batching = noRun ? Batchability.declared(report.obstacle()) : probe(limits);
            String text = json ? ReportJson.of(report, batching) : ReportText.of(file, report, batching);
            spec.commandLine().getOut().println(text.stripTrailing());
            spec.commandLine().getOut().flush();
            return ExitCode.OK;
        } catch (NoSuchFileException _) {
            return complain("there is no such file");
        } catch (IOException e) {
            return complain("it cannot be read: " + e.getMessage());
        } catch (InvalidModelException e) {
            return complain(e.getMessage());
        }
    }

    private int complain(String problem) {
        spec.commandLine().getErr().println("millrace: " + file + ": " + ReportText.plain(problem));
        return ExitCode.SOFTWARE;
    }

    private TrialLimits limits() {
        if (memoryBytes < 1 || timeoutSeconds < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--trial-memory-bytes and --trial-timeout must be at least 1");
        }
        return new TrialLimits(memoryBytes, Duration.ofSeconds(timeoutSeconds));
    }

    /// Runs the model, after it was tried in a process of its own: what harms that one does not harm this one. Goldens
    /// beside it are not checked: a wrong answer says nothing about whether rows may share a run.
    private Batchability probe(TrialLimits limits) {
        try {
            ModelTrial.run(file, null, SessionSettings.DEFAULT, limits);
            try (OnnxModel model = OnnxModel.load(file, SessionSettings.DEFAULT)) {
                Batching batching = model.batching();
                return new Batchability(batching.kind().name(), batching.reason());
            }
        } catch (TrialFailed | OrtFailure e) {
            return new Batchability(Batchability.UNKNOWN, "it could not be run: " + e.getMessage());
        }
    }
}
