// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.version.TrialLimits;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// What a runtime is told of the options.
class ControlOptionsTest {
    private static RuntimeConfig runtime(String... arguments) {
        ControlOptions options = new ControlOptions();
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
        return options.applyTo(RuntimeConfig.DEFAULT.withMaxBatch(7));
    }

    @Test
    void shouldChangeNothingWithoutOptions() {
        assertThat(runtime()).isEqualTo(RuntimeConfig.DEFAULT.withMaxBatch(7));
    }

    @ParameterizedTest
    @CsvSource({
        "none, , false",
        "none, true, true",
        "poll, , true",
        "poll, false, false",
        "explicit, , true",
        "explicit, false, false"
    })
    void shouldTryModelsWhereTheyChangeUnlessItIsToldOtherwise(String mode, String trial, boolean tries) {
        RuntimeConfig config = trial == null
                ? runtime("--model-control-mode", mode)
                : runtime("--model-control-mode", mode, "--model-trial", trial);

        assertThat(config)
                .isEqualTo(RuntimeConfig.DEFAULT.withMaxBatch(7).withTrial(tries ? TrialLimits.DEFAULT : null));
    }

    @Test
    void shouldLimitTrialsAsItIsTold() {
        RuntimeConfig config =
                runtime("--model-trial", "true", "--trial-memory-bytes", "1000000", "--trial-timeout", "5");

        assertThat(config.trial()).contains(new TrialLimits(1_000_000, Duration.ofSeconds(5)));
    }

    @Test
    void shouldKeepOptimisedGraphsAndWhatPassedItsTrialInTheWorkFolder() {
        RuntimeConfig config = runtime("--work-dir", "work");

        assertThat(config.graphCache())
                .contains(Path.of("work").toAbsolutePath().resolve("graphs"));
        assertThat(config.trialRecord())
                .contains(Path.of("work").toAbsolutePath().resolve("trials"));
    }
}
