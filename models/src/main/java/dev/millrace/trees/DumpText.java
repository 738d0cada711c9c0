// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/// Files, and numbers as they are written in them. Stateless.
final class DumpText {
    /// More than any number takes whose digits tell something.
    private static final int MOST_DIGITS = 64;

    private static final Set<String> NOT_A_NUMBER = Set.of("nan", "+nan", "-nan");
    private static final Set<String> INFINITY = Set.of("inf", "infinity", "+inf", "+infinity");
    private static final Set<String> NEGATIVE_INFINITY = Set.of("-inf", "-infinity");

    private DumpText() {}

    static byte[] read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > Integer.MAX_VALUE - 8) {
            throw new InvalidDumpException("it has " + size + " bytes, expected less than 2 GiB");
        }
        return Files.readAllBytes(file);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// @throws NumberFormatException if it is no number
    static double real(String text) {
        return isPlain(text) ? Double.parseDouble(text) : special(text);
    }

    /// The nearest float to what is written, not to the nearest double of it.
    ///
    /// @throws NumberFormatException if it is no number
    static float single(String text) {
        return isPlain(text) ? Float.parseFloat(text) : (float) special(text);
    }

    private static boolean isPlain(String text) {
        if (text.length() > MOST_DIGITS) {
            throw new NumberFormatException();
        }
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            if ((character < '0' || character > '9') && "+-.eE".indexOf(character) < 0) {
                return false;
            }
        }
        return true;
    }

    private static double special(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (NOT_A_NUMBER.contains(lower)) {
            return Double.NaN;
        }
        if (INFINITY.contains(lower)) {
            return Double.POSITIVE_INFINITY;
        }
        if (NEGATIVE_INFINITY.contains(lower)) {
            return Double.NEGATIVE_INFINITY;
        }
        throw new NumberFormatException();
    }

    /// What came, short enough for a message.
    static String shown(String text) {
        return "'" + (text.length() > MOST_DIGITS ? text.substring(0, MOST_DIGITS) + "..." : text) + "'";
    }
}
