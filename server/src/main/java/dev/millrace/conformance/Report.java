// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import dev.millrace.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Results as text, JSON and JUnit's XML.
///
/// @param url the server's address as it was given
/// @param results of all cases that were asked for
record Report(String url, List<Result> results) {
    private static final int MILLIS = 1000;

    /// One result: a line, and more below it if it is not as it should be.
    static String line(Result result) {
        Case test = result.test();
        Verdict verdict = result.verdict();
        String word = verdict == Verdict.FAILED ? "FAILED" : verdict.label();
        String line = String.format(
                        Locale.ROOT,
                        "%3d  %-26s  %-11s  %-8s  %s",
                        test.number(),
                        test.id(),
                        test.level().label(),
                        word,
                        result.note())
                .stripTrailing();
        if (!result.isUnmet()) {
            return line;
        }
        return line + below("expected", test.expected()) + below("sent", result.sent()) + below("came", result.came());
    }

    private static String below(String name, String text) {
        return text.isEmpty() ? "" : String.format(Locale.ROOT, "%n       %-8s  %s", name, text);
    }

    long count(Verdict verdict) {
        return results.stream().filter(result -> result.verdict() == verdict).count();
    }

    /// The last lines.
    String summary() {
        String verdict = results.stream().anyMatch(Result::breaksSpecification)
                ? "does not do all that the specification asks for"
                : results.stream()
                                .anyMatch(result ->
                                        result.test().level() == Level.REQUIRED && result.verdict() == Verdict.SKIPPED)
                        ? "does all that could be tried of what the specification asks for"
                        : "does all that the specification asks for, as far as these cases go";
        return results.size() + " cases: " + count(Verdict.PASSED) + " passed, " + count(Verdict.DEVIATES)
                + " deviate, " + count(Verdict.FAILED) + " failed, " + count(Verdict.SKIPPED) + " skipped\n" + url + " "
                + verdict;
    }

    String json() {
        JsonWriter json = new JsonWriter();
        json.raw("{\"url\":").string(url).raw(",\"cases\":[");
        String separator = "\n";
        for (Result result : results) {
            Case test = result.test();
            json.raw(separator).raw("{\"number\":").number(test.number());
            member(json, "id", test.id());
            member(json, "level", test.level().label());
            member(json, "source", test.source());
            member(json, "expected", test.expected());
            member(json, "verdict", result.verdict().label());
            member(json, "note", result.note());
            member(json, "sent", result.sent());
            member(json, "came", result.came());
            json.raw(",\"millis\":").number(result.millis()).raw('}');
            separator = ",\n";
        }
        for (Verdict verdict : Verdict.values()) {
            json.raw(verdict == Verdict.PASSED ? "\n],\"" : ",\"")
                    .raw(verdict.label() + "\":")
                    .number(count(verdict));
        }
        return new String(json.raw("}\n").toBytes(), StandardCharsets.UTF_8);
    }

    private static void member(JsonWriter json, String name, String value) {
        if (!value.isEmpty()) {
            json.raw(",\"" + name + "\":").string(value);
        }
    }

    /// As build servers read it. What deviates counts as passed there, its note is kept.
    String junit() {
        long millis = results.stream().mapToLong(Result::millis).sum();
        String head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"conformance\" tests=\""
                + results.size() + "\" failures=\"" + count(Verdict.FAILED) + "\" errors=\"0\" skipped=\""
                + count(Verdict.SKIPPED) + "\" time=\"" + seconds(millis) + "\">\n";
        return head + results.stream().map(Report::testCase).collect(Collectors.joining()) + "</testsuite>\n";
    }

    private static String testCase(Result result) {
        Case test = result.test();
        String start = "  <testcase classname=\"conformance." + test.group() + "\" name=\"" + test.number() + " "
                + escape(test.id()) + "\" time=\"" + seconds(result.millis()) + "\"";
        String details =
                escape("expected: " + test.expected() + "\nsent: " + result.sent() + "\ncame: " + result.came());
        String note = escape(result.note());
        return switch (result.verdict()) {
            case PASSED -> start + "/>\n";
            case DEVIATES -> start + "><system-out>" + note + "\n" + details + "</system-out></testcase>\n";
            case SKIPPED -> start + "><skipped message=\"" + note + "\"/></testcase>\n";
            case FAILED -> start + "><failure message=\"" + note + "\">" + details + "</failure></testcase>\n";
        };
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.3f", (double) millis / MILLIS);
    }

    /// For XML 1.0, which does not have all characters.
    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(point -> {
            switch (point) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '"' -> escaped.append("&quot;");
                default -> {
                    boolean legal = point >= ' ' && !(point >= 0xD800 && point <= 0xDFFF) && (point & 0xFFFE) != 0xFFFE;
                    escaped.appendCodePoint(legal || point == '\n' || point == '\t' ? point : '?');
                }
            }
        });
        return escaped.toString();
    }
}
