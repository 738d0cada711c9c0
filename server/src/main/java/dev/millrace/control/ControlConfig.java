// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/// How the models of a server may change. Immutable; start from [#DEFAULT] and change what matters.
///
/// @param mode who decides which models are served
/// @param pollInterval how often repositories are looked at in mode poll, beside when the file system tells of a
/// change;
///     0 for only then
/// @param startUpModels the models that are loaded at start in mode explicit; [#ALL] for all, and then alone
/// @param token what admin access is had with, if it is to be had that way
/// @param adminPort a port of the loopback interface where everybody has admin access; 0 for any that is free,
///     [#NO_PORT] for none
/// @param workDir the folder that models are kept in which come with a request, if there is one; otherwise one is made
///     among the temporary files
/// @param strictReadiness whether the server is ready only when each of its models was loaded, one version at least
public record ControlConfig(
        ControlMode mode,
        Duration pollInterval,
        Set<String> startUpModels,
        Optional<AdminToken> token,
        int adminPort,
        Optional<Path> workDir,
        boolean strictReadiness) {
    /// In place of names: every model.
    public static final String ALL = "*";

    /// In place of a port: there is none.
    public static final int NO_PORT = -1;

    /// Triton's.
    public static final Duration DEFAULT_POLL_INTERVAL = Duration.ofSeconds(15);

    /// The models are those that were there at start, and nobody may change them.
    public static final ControlConfig DEFAULT = new ControlConfig(
            ControlMode.NONE, DEFAULT_POLL_INTERVAL, Set.of(), Optional.empty(), NO_PORT, Optional.empty(), true);

    private static final int MAX_PORT = 65535;

    /// Checks every value.
    public ControlConfig {
        startUpModels = Set.copyOf(startUpModels);
        if (pollInterval.isNegative()) {
            throw new IllegalArgumentException(
                    "the repositories must be polled every 0 seconds or more, was " + pollInterval);
        }
        if (!startUpModels.isEmpty() && mode != ControlMode.EXPLICIT) {
            throw new IllegalArgumentException("models to load at start are named, " + startUpModels
                    + ", expected the model control mode explicit, was " + mode);
        }
        if (startUpModels.size() > 1 && startUpModels.contains(ALL)) {
            throw new IllegalArgumentException(
                    "models to load at start are " + startUpModels + ", expected names, or '" + ALL + "' alone");
        }
        if (adminPort < NO_PORT || adminPort > MAX_PORT) {
            throw new IllegalArgumentException("the admin port must be from 0 to " + MAX_PORT + ", was " + adminPort);
        }
    }

    /// These values with another mode.
    public ControlConfig withMode(ControlMode other) {
        return new ControlConfig(other, pollInterval, startUpModels, token, adminPort, workDir, strictReadiness);
    }

    /// These values with another time between two looks at the repositories.
    public ControlConfig withPollInterval(Duration other) {
        return new ControlConfig(mode, other, startUpModels, token, adminPort, workDir, strictReadiness);
    }

    /// These values with other models at start; [#ALL] for all.
    public ControlConfig withStartUpModels(Set<String> others) {
        return new ControlConfig(mode, pollInterval, others, token, adminPort, workDir, strictReadiness);
    }

    /// These values with a token.
    public ControlConfig withToken(AdminToken other) {
        return new ControlConfig(
                mode, pollInterval, startUpModels, Optional.of(other), adminPort, workDir, strictReadiness);
    }

    /// These values with another admin port; 0 for any that is free, [#NO_PORT] for none.
    public ControlConfig withAdminPort(int other) {
        return new ControlConfig(mode, pollInterval, startUpModels, token, other, workDir, strictReadiness);
    }

    /// These values with a folder for what has to be written.
    public ControlConfig withWorkDir(Path folder) {
        return new ControlConfig(
                mode, pollInterval, startUpModels, token, adminPort, Optional.of(folder), strictReadiness);
    }

    /// These values, being ready only when each model was loaded or not.
    public ControlConfig withStrictReadiness(boolean strict) {
        return new ControlConfig(mode, pollInterval, startUpModels, token, adminPort, workDir, strict);
    }

    /// Whether anybody may have admin access.
    public boolean hasAdmin() {
        return token.isPresent() || adminPort != NO_PORT;
    }
}
