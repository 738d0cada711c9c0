// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.trace.Setting;
import dev.millrace.trace.Tracing;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Reads and changes what is traced, by the names of the trace extension: every setting is a list of texts, of which
/// only `trace_level` may have several.
///
/// Threads: any.
final class TraceControl {
    private static final String MODE = "trace_mode";
    private static final String OWN_MODE = "triton";
    private static final String OFF = "OFF";
    private static final List<String> LEVELS = List.of(OFF, "TIMESTAMPS", "TENSORS");
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,18}");

    private final Tracing tracing;

    TraceControl(Tracing tracing) {
        this.tracing = tracing;
    }

    /// The settings in force.
    ///
    /// @param model the model, or null for those that have no settings of their own
    Map<String, List<String>> settings(String model) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        tracing.settings(model).forEach((setting, value) -> all.put(setting.label(), values(setting, value)));
        if (!tracing.hasFolder()) {
            all.put(Setting.TRACE_FILE.label(), List.of(""));
        }
        all.put(MODE, List.of(OWN_MODE));
        return all;
    }

    private static List<String> values(Setting setting, String value) {
        return setting == Setting.TRACE_LEVEL ? List.of(value.split(",")) : List.of(value);
    }

    /// Changes settings.
    ///
    /// @param model the model, or null for all that have no setting of their own
    /// @param change new values; an empty list takes a setting back
    /// @throws ManagementException if one of them cannot be; then nothing is changed
    void change(String model, Map<String, List<String>> change) {
        Map<Setting, Optional<String>> checked = new EnumMap<>(Setting.class);
        change.forEach((name, values) -> {
            if (name.equals(MODE)) {
                requireOwnMode(values);
            } else {
                Setting setting = named(name);
                checked.put(setting, values.isEmpty() ? Optional.empty() : Optional.of(value(setting, values)));
            }
        });
        tracing.change(model, checked);
    }

    private static void requireOwnMode(List<String> values) {
        if (!values.isEmpty() && !values.equals(List.of(OWN_MODE))) {
            throw new ManagementException(
                    Problem.UNSUPPORTED, "trace_mode is " + values + ", expected " + OWN_MODE + ", the only one");
        }
    }

    private static Setting named(String name) {
        for (Setting setting : Setting.values()) {
            if (setting.label().equals(name)) {
                return setting;
            }
        }
        throw ManagementException.invalid("'" + name + "' is no setting of traces, expected trace_level, trace_rate,"
                + " trace_count, log_frequency, trace_file or trace_mode");
    }

    private String value(Setting setting, List<String> values) {
        if (setting == Setting.TRACE_LEVEL) {
            return level(values);
        }
        if (values.size() != 1) {
            throw ManagementException.invalid(setting.label() + " has " + values.size() + " values, expected one");
        }
        String value = values.getFirst();
        return switch (setting) {
            case TRACE_RATE -> number(setting, value, 1);
            case TRACE_COUNT -> number(setting, value, -1);
            case LOG_FREQUENCY -> number(setting, value, 0);
            default -> file(value);
        };
    }

    private String level(List<String> values) {
        for (String value : values) {
            if (!LEVELS.contains(value)) {
                throw ManagementException.invalid(
                        "trace_level is '" + value + "', expected OFF, TIMESTAMPS or TENSORS");
            }
        }
        if (values.contains(OFF)) {
            if (values.size() > 1) {
                throw ManagementException.invalid("trace_level is " + values + ", expected OFF alone");
            }
            return OFF;
        }
        List<String> levels = LEVELS.stream().filter(values::contains).toList();
        requireFolder("trace_level is " + String.join(" and ", levels) + ", expected OFF");
        return String.join(",", levels);
    }

    private void requireFolder(String what) {
        if (!tracing.hasFolder()) {
            throw new ManagementException(
                    Problem.UNSUPPORTED, what + ": the server was started without a folder for traces (--trace-dir)");
        }
    }

    private static String number(Setting setting, String value, long least) {
        if (NUMBER.matcher(value).matches() && Long.parseLong(value) >= least) {
            return Long.toString(Long.parseLong(value));
        }
        throw ManagementException.invalid(
                setting.label() + " is '" + value + "', expected an integer from " + least + " with up to 18 digits");
    }

    /// Who may send requests may name a file, but not say where it is.
    private String file(String value) {
        requireFolder("trace_file is '" + value + "', expected nothing");
        if (!FILE_NAME.matcher(value).matches()) {
            throw ManagementException.invalid("trace_file is '" + value + "', expected a name of up to 100 letters,"
                    + " digits, dots, dashes and underscores, without a folder");
        }
        return value;
    }
}
