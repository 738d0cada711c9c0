// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What is known of a process that a signal ended, from the signal and its last words. Stateless.
final class Crash {
    private static final int MAX_WORDS = 300;
    /// How the JVM names the signal that it caught before it aborts, and the place.
    private static final Pattern CAUGHT = Pattern.compile("#\\s+(SIG[A-Z]+|EXCEPTION_[A-Z_]+) \\(0x");

    private static final Pattern FRAME = Pattern.compile("# Problematic frame:\\R# (.*)");

    private Crash() {}

    static String describe(int signal, String said) {
        Matcher caught = CAUGHT.matcher(said);
        if (caught.find()) {
            Matcher frame = FRAME.matcher(said);
            return caught.group(1) + (frame.find() ? " in " + frame.group(1).strip() : "");
        }
        return name(signal) + lastWords(said);
    }

    private static String name(int signal) {
        return switch (signal) {
            case 4 -> "SIGILL";
            case 6 -> "SIGABRT";
            case 7 -> "SIGBUS";
            case 8 -> "SIGFPE";
            case 9 -> "SIGKILL";
            case 11 -> "SIGSEGV";
            default -> "signal " + signal;
        };
    }

    /// The last lines that say something, or nothing.
    static String lastWords(String said) {
        List<String> lines = Arrays.stream(said.split("\\R"))
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.equals("#"))
                .toList();
        String words = String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
        return words.isEmpty() ? "" : ": " + words.substring(Math.max(0, words.length() - MAX_WORDS));
    }
}
