// SPDX-License-Identifier: Apache-2.0
package dev.millrace.settings;

import java.nio.file.Path;

/// What is wrong with the configuration file, and where: `FILE:LINE:COLUMN: NAME: ... came, expected
/// ...`.
public final class SettingException extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    /// @param line from 1
    /// @param column from 1
    public SettingException(Path file, int line, int column, String problem) {
        super(file + ":" + line + ":" + column + ": " + problem);
    }
}
