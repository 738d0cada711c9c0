// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.control.AdminToken;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.version.TrialLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// The options about which models are served, who may change that while the server runs, and where it may write.
/// Threads: one.
final class ControlOptions {
    static final String HEADING = "%nWhich models are served, and who may change that; docs/management.md says more:%n";

    /// A token where neither other users nor a file show it.
    private static final String TOKEN_VARIABLE = "MILLRACE_ADMIN_TOKEN";

    @Option(
            names = "--model-control-mode",
            paramLabel = "MODE",
            description = "none: the models are those that were there at start; poll: those that are there, whenever"
                    + " they change; explicit: those that somebody with admin access loads.")
    private ControlMode mode = ControlConfig.DEFAULT.mode();

    @Option(
            names = "--repository-poll-secs",
            paramLabel = "SECONDS",
            description =
                    "How often the repositories are looked at in mode poll, beside when the file system tells of a"
                            + " change; 0 for only then.")
    private int pollSeconds = (int) ControlConfig.DEFAULT_POLL_INTERVAL.toSeconds();

    @Option(
            names = "--load-model",
            paramLabel = "NAME",
            description = "A model to load at start in mode explicit, or * for all; may be given again.")
    private List<String> startUpModels = List.of();

    @Option(
            names = "--strict-readiness",
            arity = "1",
            paramLabel = "true|false",
            description = "Whether the server is ready only when each of its models was loaded, one version at least.")
    private boolean strictReadiness = ControlConfig.DEFAULT.strictReadiness();

    @Option(
            names = "--exit-on-error",
            arity = "1",
            paramLabel = "true|false",
            description = "Whether it ends when a model cannot be loaded at start.")
    private boolean exitOnError;

    @Option(
            names = "--admin-token-file",
            paramLabel = "FILE",
            description = "Whoever sends what is in this file, as 'Authorization: Bearer TOKEN', may change models. The"
                    + " environment variable " + TOKEN_VARIABLE + " does the same.")
    private Path tokenFile;

    @Option(
            names = "--admin-token",
            paramLabel = "TOKEN",
            description = "The same with the token itself, which other users of the machine can see.",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER)
    private String token;

    @Option(
            names = "--admin-port",
            paramLabel = "PORT",
            description = "A port of the loopback interface where everybody may change models; 0 for any that is free.",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER)
    private int adminPort = ControlConfig.NO_PORT;

    @Option(
            names = "--work-dir",
            paramLabel = "DIR",
            description = "The one folder that is written to, where no other can be; optimised graphs, and what passed"
                    + " its trial, are kept there. Without it: ~/.cache/millrace and temporary files.")
    private Path workDir;

    @Option(
            names = "--model-trial",
            arity = "1",
            paramLabel = "true|false",
            description = "Whether a model is first loaded and run in a process of its own, unless the work folder says"
                    + " that it passed. Without it: true in modes poll and explicit.",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER)
    private Boolean trial;

    @Option(
            names = "--trial-memory-bytes",
            paramLabel = "BYTES",
            description = "The most memory that a model may take in that process, beside twice what its files have.")
    private long trialMemoryBytes = TrialLimits.DEFAULT.memoryBytes();

    @Option(names = "--trial-timeout", paramLabel = "SECONDS", description = "How long it may take there.")
    private int trialSeconds = (int) TrialLimits.DEFAULT.timeout().toSeconds();

    /// Has everything written to the folder that was named, if one was.
    ///
    /// @throws IOException saying what is wrong with it
    void useWorkDirectory() throws IOException {
        if (workDir != null) {
            WorkDirectory.use(workDir);
        }
    }

    /// Whether a model that cannot be loaded at start ends the process.
    boolean exitsOnError() {
        return exitOnError;
    }

    /// What was asked for.
    ///
    /// @throws IllegalArgumentException if something of it cannot be
    ControlConfig values() {
        ControlConfig config = ControlConfig.DEFAULT
                .withMode(mode)
                .withPollInterval(Duration.ofSeconds(pollSeconds))
                .withStartUpModels(new HashSet<>(startUpModels))
                .withStrictReadiness(strictReadiness)
                .withAdminPort(adminPort);
        if (workDir != null) {
            config = config.withWorkDir(workDir);
        }
        String variable = System.getenv(TOKEN_VARIABLE);
        if (Stream.of(tokenFile, token, variable).filter(Objects::nonNull).count() > 1) {
            throw new IllegalArgumentException("the admin token comes from more than one of --admin-token-file,"
                    + " --admin-token and " + TOKEN_VARIABLE + ", expected one");
        }
        if (tokenFile != null) {
            return config.withToken(read(tokenFile));
        }
        String given = token == null ? variable : token;
        return given == null ? config : config.withToken(AdminToken.of(given));
    }

    /// These values, with trials where models change; what passed them, and optimised graphs, below the work folder.
    ///
    /// @throws IllegalArgumentException if a trial's limit cannot be
    RuntimeConfig applyTo(RuntimeConfig runtime) {
        if (trialMemoryBytes < 1) {
            throw new IllegalArgumentException("--trial-memory-bytes must be at least 1, was " + trialMemoryBytes);
        }
        if (trialSeconds < 1) {
            throw new IllegalArgumentException("--trial-timeout must be 1 second or more, was " + trialSeconds);
        }
        boolean tries = trial == null ? mode != ControlMode.NONE : trial;
        TrialLimits limits = new TrialLimits(trialMemoryBytes, Duration.ofSeconds(trialSeconds));
        return runtime.withTrial(tries ? limits : null)
                .withTrialRecord(workDir == null ? null : WorkDirectory.trials(workDir))
                .withGraphCache(workDir == null ? null : WorkDirectory.graphs(workDir));
    }

    private static AdminToken read(Path file) {
        try {
            return AdminToken.read(file);
        } catch (IOException e) {
            throw new IllegalArgumentException("the admin token cannot be read from " + file + ": " + e, e);
        }
    }
}
