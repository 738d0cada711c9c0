// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.decode;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// All readers over all documents, round by round, each by JMH in a process of its own.
///
/// @param trials per reader and document one per round
public record Decoding(Map<Subject, List<Trial>> trials) implements Section {
    /// What one figure is about.
    record Subject(Document document, Reader.Kind reader) {}

    /// What one round found out.
    ///
    /// @param nanos per text
    /// @param bytes allocated on the heap per text
    record Trial(double nanos, double bytes) {}

    private static final String ALLOCATION = "gc.alloc.rate.norm";

    /// Measures.
    ///
    /// @param rounds times that everything is measured
    /// @param warmups iterations before that, per process
    /// @param iterations iterations measured, per process
    /// @param millis how long one is
    /// @param progress gets a line per figure
    /// @param log gets JMH's own output
    /// @throws RunnerException if a process failed, because a reader reads other values, too; the log tells more
    public static Decoding measure(
            int rounds, int warmups, int iterations, int millis, PrintStream progress, PrintStream log)
            throws RunnerException {
        OutputFormat format = OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL);
        TimeValue time = TimeValue.milliseconds(millis);
        Map<Subject, List<Trial>> trials = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Document document : Document.values()) {
                for (Reader.Kind reader : Reader.Kind.values()) {
                    ChainedOptionsBuilder options = options(document, reader)
                            .warmupIterations(warmups)
                            .warmupTime(time)
                            .measurementIterations(iterations)
                            .measurementTime(time);
                    Trial trial = trial(new Runner(options.build(), format).runSingle());
                    trials.computeIfAbsent(new Subject(document, reader), _ -> new ArrayList<>())
                            .add(trial);
                    progress.printf(
                            "round %d of %d: %s, %s: %.1f ns per number%n",
                            round, rounds, document.title(), reader.title(), trial.nanos() / document.width());
                }
            }
        }
        return new Decoding(trials);
    }

    private static ChainedOptionsBuilder options(Document document, Reader.Kind reader) {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(DecodeBench.class.getName() + ".read")
                .param("document", document.name())
                .param("reader", reader.name())
                .forks(1)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true);
        if (reader == Reader.Kind.SIMDJSON) {
            options.jvmArgsAppend("--add-modules", "jdk.incubator.vector");
        }
        return options;
    }

    private static Trial trial(RunResult result) {
        double bytes = result.getSecondaryResults().values().stream()
                .filter(each -> each.getLabel().endsWith(ALLOCATION))
                .mapToDouble(each -> each.getScore())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("JMH measured no allocation"));
        return new Trial(result.getPrimaryResult().getScore(), bytes);
    }

    private static double meanBytes(Document document) {
        return document.texts().stream()
                .mapToInt(Document.Text::length)
                .average()
                .orElseThrow();
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("""
            ## Reading tensors from JSON

            Correctness: in each process every reader read all numbers to the bit before it was timed.

            | what | reader | ns per number | MB/s | B/text |
            |---|---|---|---|---|
            """);
        for (var entry : trials.entrySet()) {
            Document document = entry.getKey().document();
            double bytes = meanBytes(document);
            text.append("| %s, %s bytes | %s | %s | %s | %s |%n"
                    .formatted(
                            document.title(),
                            Cell.whole(bytes),
                            entry.getKey().reader().title(),
                            Cell.decimal(entry.getValue(), trial -> trial.nanos() / document.width()),
                            Cell.whole(entry.getValue(), trial -> 1e3 * bytes / trial.nanos()),
                            Cell.bytes(entry.getValue(), Trial::bytes)));
        }
        return text.toString();
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("json");
        for (var entry : trials.entrySet()) {
            Document document = entry.getKey().document();
            for (Trial trial : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("document", document.name());
                json.writeStringField("reader", entry.getKey().reader().name());
                json.writeNumberField("numbers", document.width());
                json.writeNumberField("meanBytes", meanBytes(document));
                json.writeNumberField("nanos", trial.nanos());
                json.writeNumberField("allocatedBytes", trial.bytes());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }
}
