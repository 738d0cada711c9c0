// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.inspect.ModelReport;
import dev.millrace.inspect.ModelReport.Operations;
import dev.millrace.inspect.ModelReport.Origin;
import dev.millrace.inspect.ModelReport.Parameters;
import dev.millrace.inspect.ModelReport.Value;
import dev.millrace.onnx.OperatorName;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes a [ModelReport] for people: a word on the left, what there is to say on the right. Threads: one.
final class ReportText {
    private static final int INDENT = 14;
    private static final int WIDTH = 100;
    /// Of one entry; JSON has all.
    private static final int MAX_CHARACTERS = 10_000;

    private final StringBuilder text = new StringBuilder();

    private ReportText() {}

    static String of(Path file, ModelReport report, Batchability batching) {
        return new ReportText().write(file, report, batching);
    }

    private String write(Path file, ModelReport report, Batchability batching) {
        line("file", file + ", " + bytes(report.size().fileBytes()) + ", IR version " + report.format());
        line("opsets", join(report.opsets()));
        origin(report.origin());
        report.inputs().forEach(input -> line("input", describe(input)));
        report.outputs().forEach(output -> line("output", describe(output)));
        report.openDimensions().forEach((name, places) -> line("open", name + ": " + String.join(", ", places)));
        line("batching", batching.kind() + ": " + batching.reason());
        operations(report.operations());
        report.parameters().forEach(part -> line("parameters", describe(part)));
        if (!report.externalFiles().isEmpty()) {
            line("in files", String.join(", ", report.externalFiles()));
        }
        line("to load", "about " + bytes(report.size().peakBytes()) + " at the peak");
        line("operators", count(report.operators()) + ": " + join(report.operators()));
        if (!report.functions().isEmpty()) {
            line(
                    "functions",
                    report.functions().stream().map(OperatorName::toString).collect(Collectors.joining(", ")));
        }
        line(
                "not on CUDA",
                report.notOnCuda().isEmpty()
                        ? "none: ONNX Runtime " + ModelReport.cudaVersion() + " has kernels for all operators"
                        : join(report.notOnCuda()) + " (ONNX Runtime " + ModelReport.cudaVersion() + ")");
        return text.toString();
    }

    private void origin(Origin origin) {
        String producer = (origin.producer() + " " + origin.producerVersion()).strip();
        line("made by", producer);
        line("domain", origin.domain());
        line("version", origin.version() == 0 ? "" : Long.toString(origin.version()));
        line("graph", origin.graph());
        line("says", origin.doc());
        origin.metadata().forEach((key, value) -> line("metadata", key + ": " + value));
    }

    private void operations(Operations operations) {
        line("operations", (operations.isLeast() ? "at least " : "") + grouped(operations.count()) + " per row");
        if (!operations.assumed().isEmpty()) {
            line("", "with these taken as 1: " + String.join(", ", operations.assumed()));
        }
        if (!operations.uncounted().isEmpty()) {
            line("", "not counted: " + join(operations.uncounted()));
        }
    }

    private static String describe(Value value) {
        return (value.name() + " " + value.type() + " " + value.describeShape()).strip();
    }

    private static String describe(Parameters part) {
        return grouped(part.elements()) + " " + part.type() + " in " + part.tensors()
                + (part.tensors() == 1 ? " tensor, " : " tensors, ") + bytes(part.bytes());
    }

    private static int count(Map<OperatorName, Integer> operators) {
        return operators.values().stream().mapToInt(Integer::intValue).sum();
    }

    private static String join(Map<?, ?> map) {
        return map.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String bytes(long bytes) {
        return grouped(bytes) + " bytes";
    }

    /// One entry, broken between words or at commas where it is long; nothing if there is nothing to say. What a file
    /// says may hold anything: what would move a terminal's cursor does not go there.
    private void line(String name, String said) {
        String clean = plain(said);
        String label = name;
        int at = 0;
        while (at < clean.length()) {
            int end = clean.length() - at <= WIDTH ? clean.length() : cut(clean, at);
            text.append(label)
                    .repeat(' ', INDENT - label.length())
                    .append(clean, at, end)
                    .append('\n');
            at = end;
            while (at < clean.length() && Character.isWhitespace(clean.charAt(at))) {
                at++;
            }
            label = "";
        }
    }

    /// One line of characters that can be seen, and not more of them than somebody reads.
    static String plain(String said) {
        int end = said.length() <= MAX_CHARACTERS ? said.length() : wholeCharacters(said, MAX_CHARACTERS);
        String clean =
                said.substring(0, end).replaceAll("[\\p{Cc}\\p{Cf}\\s]+", " ").strip();
        return end == said.length() ? clean : clean + " ... and " + grouped(said.length() - end) + " characters more";
    }

    /// The end of a line that begins at a place: the last space or comma that it has room for.
    private static int cut(String said, int from) {
        int last = from + WIDTH;
        for (int end = last; end > from; end--) {
            if (said.charAt(end) == ' ' || said.charAt(end - 1) == ',') {
                return end;
            }
        }
        return wholeCharacters(said, last);
    }

    /// A place where no character is cut in two: this one, or the one before.
    private static int wholeCharacters(String said, int end) {
        return Character.isSurrogatePair(said.charAt(end - 1), said.charAt(end)) ? end - 1 : end;
    }
}
