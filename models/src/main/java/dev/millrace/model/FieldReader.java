// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Reads the values of a configuration's fields, says what is wrong with them, and collects what has no effect.
///
/// Threads: one per file.
final class FieldReader {
    private final Path file;
    private final List<String> warnings = new ArrayList<>();

    FieldReader(Path file) {
        this.file = file;
    }

    /// What has no effect, one sentence each, in the order of the file.
    List<String> warnings() {
        return List.copyOf(warnings);
    }

    /// The fields of a field that is a message.
    List<Field> fields(Field field) {
        if (field.value() instanceof Message message) {
            return message.fields();
        }
        throw invalid(field, "is '" + ((Scalar) field.value()).text() + "', expected a message in braces");
    }

    String text(Field field) {
        if (field.value() instanceof Scalar scalar) {
            return scalar.text();
        }
        throw invalid(field, "is a message, expected a value");
    }

    int integer(Field field, int least) {
        return (int) number(field, least, Integer.MAX_VALUE);
    }

    long number(Field field, long least, long most) {
        String text = text(field);
        try {
            long number = Long.decode(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw invalid(
                field,
                "is " + text + ", expected "
                        + (most == Long.MAX_VALUE
                                ? "a whole number of at least " + least
                                : "a whole number from " + least + " to " + most));
    }

    boolean bool(Field field) {
        return switch (text(field)) {
            case "true", "True", "t", "1" -> true;
            case "false", "False", "f", "0" -> false;
            default -> throw invalid(field, "is " + text(field) + ", expected true or false");
        };
    }

    /// A value of which only one makes sense; an empty one says nothing.
    void expect(Field field, String expected, String why) {
        String came = text(field);
        if (!came.isEmpty() && !came.equals(expected)) {
            throw invalid(field, "is '" + came + "', expected '" + expected + "', " + why);
        }
    }

    /// Takes note of a field that nothing is made of here: one of Triton's, for the reason that [OtherFields] has, or
    /// one that is not known at all.
    ///
    /// @param path the names of the messages that it is in, and its own, with points in between
    /// @throws ConfigFile.Invalid if what it asks for is refused
    void other(String path, Field field) {
        if (OtherFields.refused(path) != null) {
            if (asks(field)) {
                throw invalid(field, "came, expected none: " + OtherFields.refused(path));
            }
        } else if (OtherFields.withoutEffect(path) != null) {
            if (asks(field) || path.equals("instance_group.gpus")) {
                warn(path + " (line " + field.line() + ") has no effect: " + OtherFields.withoutEffect(path));
            }
        } else {
            warn("field '" + path + "' (line " + field.line() + ") is not known and has no effect");
        }
    }

    /// Whether a field says anything else than what it would mean if it was not there. An empty message counts.
    private static boolean asks(Field field) {
        return !(field.value() instanceof Scalar scalar)
                || !List.of("", "0", "false", "format_none", "priority_default")
                        .contains(scalar.text().toLowerCase(Locale.ROOT));
    }

    void warn(String sentence) {
        warnings.add(sentence);
    }

    ConfigFile.Invalid invalid(Field field, String problem) {
        return new ConfigFile.Invalid(file + ": line " + field.line() + ": " + field.name() + " " + problem);
    }
}
