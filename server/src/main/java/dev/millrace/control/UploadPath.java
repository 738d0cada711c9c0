// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.manage.ManagementException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Where a file that came with a load belongs: `<version>/<name>`, perhaps with folders between them. It is checked as
/// text, before any file system sees it: names that mean something to one, such as `..`, are refused.
///
/// @param text as it came
/// @param names the folders, the version first, and the file's name
record UploadPath(String text, List<String> names) {
    private static final int MAX_BYTES = 1024;
    private static final int MAX_NAME_BYTES = 255;
    private static final int MAX_NAMES = 8;
    private static final int MAX_SHOWN = 100;

    /// Checks a path.
    ///
    /// @throws ManagementException if it is none that may be written
    static UploadPath of(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            throw wrong(text, "it is longer than " + MAX_BYTES + " bytes");
        }
        List<String> names = List.of(text.split("/", -1));
        if (names.size() < 2 || !names.getFirst().matches("[1-9][0-9]{0,17}")) {
            throw wrong(text, "it does not begin with a version");
        }
        if (names.size() > MAX_NAMES) {
            throw wrong(text, "it has more than " + MAX_NAMES + " names");
        }
        names.forEach(name -> checkName(text, name));
        return new UploadPath(text, names);
    }

    private static void checkName(String text, String name) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
            throw wrong(text, "'" + name + "' is no name");
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
            throw wrong(text, "a name in it is longer than " + MAX_NAME_BYTES + " bytes");
        }
        name.codePoints().forEach(character -> {
            // What separates folders or begins a stream on other systems, and what no terminal shows.
            if (!isShown(character) || "\\:".indexOf(character) >= 0) {
                throw wrong(text, String.format("it has the character U+%04X", character));
            }
        });
    }

    private static boolean isShown(int character) {
        return Character.isDefined(character)
                && !Character.isISOControl(character)
                && Character.getType(character) != Character.SURROGATE;
    }

    /// The model's version that the file belongs to.
    long version() {
        return Long.parseLong(names.getFirst());
    }

    private static ManagementException wrong(String text, String why) {
        StringBuilder shown = new StringBuilder();
        text.codePoints()
                .limit(MAX_SHOWN)
                .forEach(character -> shown.appendCodePoint(isShown(character) ? character : '?'));
        return ManagementException.invalid("parameter 'file:" + shown + "' of a load is refused: " + why
                + "; expected file:<version>/<name>, in which no name leads elsewhere");
    }
}
