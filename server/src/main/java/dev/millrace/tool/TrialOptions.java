// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.ort.SessionSettings;
import dev.millrace.version.ModelTrial;
import dev.millrace.version.TrialLimits;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/// What a model may take in the process in which it is tried before it is run here. Threads: one.
final class TrialOptions {
    @Option(
            names = "--trial-memory-bytes",
            paramLabel = "BYTES",
            description = "What the model may take in the process in which it is tried before it is run here.")
    private long memoryBytes = TrialLimits.DEFAULT.memoryBytes();

    @Option(names = "--trial-timeout", paramLabel = "SECONDS", description = "How long it may take there.")
    private int timeoutSeconds = (int) TrialLimits.DEFAULT.timeout().toSeconds();

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    TrialOptions() {}

    /// Checks the values.
    TrialLimits limits() {
        if (memoryBytes < 1 || timeoutSeconds < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--trial-memory-bytes and --trial-timeout must be at least 1");
        }
        return new TrialLimits(memoryBytes, Duration.ofSeconds(timeoutSeconds));
    }

    /// Tries a model.
    ///
    /// @throws dev.millrace.version.TrialFailed if it does not pass
    void run(Path model) {
        ModelTrial.run(model, null, SessionSettings.DEFAULT, limits());
    }
}
