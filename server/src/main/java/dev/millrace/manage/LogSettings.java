// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.manage.ManagementException.Problem;
import java.util.Optional;
import java.util.OptionalInt;

/// What the server logs, by the names of the logging extension.
///
/// @param info whether information is logged
/// @param warning whether warnings are
/// @param error whether errors are
/// @param verboseLevel how much more: 0 nothing, 1 what helps to debug, 2 and more everything
/// @param format how time is written
public record LogSettings(boolean info, boolean warning, boolean error, int verboseLevel, Format format) {
    /// The name of the appender of a log that is the server's own, whose format may be changed.
    public static final String OWN_APPENDER = "millrace";

    /// How a line of the log begins.
    public enum Format {
        /// As the server was started.
        DEFAULT("default"),
        /// With date and time zone.
        ISO8601("ISO8601");

        private final String label;

        Format(String label) {
            this.label = label;
        }

        /// Its name in requests and answers.
        public String label() {
            return label;
        }

        /// The format of that name.
        ///
        /// @throws ManagementException if there is none
        public static Format named(String label) {
            for (Format format : values()) {
                if (format.label.equals(label)) {
                    return format;
                }
            }
            throw ManagementException.invalid("log_format is '" + label + "', expected default or ISO8601");
        }
    }

    /// New values; what is left open stays.
    ///
    /// @param info whether information is logged
    /// @param warning whether warnings are
    /// @param error whether errors are
    /// @param verboseLevel how much more, from 0
    /// @param format how time is written
    public record Change(
            Optional<Boolean> info,
            Optional<Boolean> warning,
            Optional<Boolean> error,
            OptionalInt verboseLevel,
            Optional<Format> format) {
        /// Leaves everything as it is.
        public static final Change NONE =
                new Change(Optional.empty(), Optional.empty(), Optional.empty(), OptionalInt.empty(), Optional.empty());

        /// Checks the level.
        public Change {
            if (verboseLevel.orElse(0) < 0) {
                throw ManagementException.invalid(
                        "log_verbose_level is " + verboseLevel.getAsInt() + ", expected an integer from 0");
            }
        }
    }

    /// These values with a change.
    LogSettings with(Change change) {
        return new LogSettings(
                change.info().orElse(info),
                change.warning().orElse(warning),
                change.error().orElse(error),
                change.verboseLevel().orElse(verboseLevel),
                change.format().orElse(format));
    }

    /// A request to log into another file.
    ///
    /// @throws ManagementException always: who may send requests may not write files
    public static void refuseFile(String file) {
        throw new ManagementException(
                Problem.UNSUPPORTED,
                "log_file is '" + file + "', expected nothing: the log's location cannot be changed by a request");
    }
}
