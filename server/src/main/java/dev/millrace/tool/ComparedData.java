// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.compare.Comparison;
import dev.millrace.inspect.ModelReport;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.ort.SessionSettings;
import dev.millrace.version.ModelTrial;
import dev.millrace.version.TrialFailed;
import dev.millrace.version.TrialLimits;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// The options of commands that run models on data. Threads: one.
final class ComparedData {
    @Option(
            names = "--data",
            required = true,
            paramLabel = "DATA",
            description = "Rows of inputs: .csv or .tsv with names in the first line, .jsonl with a request in each"
                    + " line, or .parquet.")
    private Path file;

    @Option(
            names = "--labels",
            paramLabel = "COLUMN",
            description = "The column that tells what is right: a class from 0 on, or 1 and 0 for yes and no.")
    private String labels;

    @Option(
            names = "--output",
            paramLabel = "NAME",
            description = "The output that decides; by default the first that has scores or a probability.")
    private String output;

    @Option(
            names = "--batch",
            paramLabel = "N",
            split = ",",
            description = "How many rows the runs have that are timed; 0: none are.")
    private int[] batches = {1, 8, 64};

    @Option(
            names = "--trial-memory-bytes",
            paramLabel = "BYTES",
            description = "What a model may take in the process in which it is tried before it is run here.")
    private long memoryBytes = TrialLimits.DEFAULT.memoryBytes();

    @Option(names = "--trial-timeout", paramLabel = "SECONDS", description = "How long it may take there.")
    private int timeoutSeconds = (int) TrialLimits.DEFAULT.timeout().toSeconds();

    ComparedData() {}

    Path file() {
        return file;
    }

    /// Sets what was asked for.
    Comparison of(Comparison comparison, CommandSpec spec) {
        if (labels != null) {
            comparison.labels(labels);
        }
        if (output != null) {
            comparison.output(output);
        }
        try {
            return batches.length == 1 && batches[0] == 0 ? comparison.batches() : comparison.batches(batches);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--batch: " + e.getMessage());
        }
    }

    /// Runs a model in a process of its own first: what harms that one does not harm this one.
    void tryOut(Path model) throws IOException {
        if (memoryBytes < 1 || timeoutSeconds < 1) {
            throw new IllegalArgumentException("--trial-memory-bytes and --trial-timeout must be at least 1");
        }
        TrialLimits limits = new TrialLimits(memoryBytes, Duration.ofSeconds(timeoutSeconds));
        try {
            ModelReport.of(model);
            ModelTrial.run(model, null, SessionSettings.DEFAULT, limits);
        } catch (NoSuchFileException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(model + ": it cannot be read: " + e.getMessage(), e);
        } catch (InvalidModelException | TrialFailed e) {
            throw new IOException(model + ": " + e.getMessage(), e);
        }
    }
}
