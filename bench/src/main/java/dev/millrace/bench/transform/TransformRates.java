// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.transform;

import dev.millrace.bench.report.Section;
import dev.millrace.table.Column;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Times `millrace features transform` as it is called, a process each: from Parquet to Parquet and
/// from CSV to CSV, with a view that is joined as it was known and without. Afterwards both formats'
/// columns have to be the same, bit by bit.
///
/// Threads: one.
public final class TransformRates {
    private static final Pattern TIME =
            Pattern.compile("time +([0-9.]+) s, ([0-9,]+) rows/s, ([0-9.]+) s of processor time");
    private static final String ROWS = "rows        ";
    private static final List<String> FORMATS = List.of("parquet", "csv");

    private final int rows;
    private final int repeats;
    private final List<String> java;
    private final PrintStream progress;

    /// @param repeats how often each has its turn
    /// @param java the command that starts `millrace`, without its arguments
    public TransformRates(int rows, int repeats, List<String> java, PrintStream progress) {
        this.rows = rows;
        this.repeats = repeats;
        this.java = List.copyOf(java);
        this.progress = progress;
    }

    /// What one run took, as the command tells it.
    ///
    /// @param processor of all of the process's threads, with its start and what compiles its code
    record Timed(String format, boolean joined, double seconds, double perSecond, double processor) {}

    /// All that was found.
    record Findings(int rows, long history, List<Timed> timed) {}

    /// Measures.
    ///
    /// @throws IllegalStateException if the command fails, or the formats' columns differ
    public Section measure() throws IOException {
        Path folder = Files.createTempDirectory("millrace-transform");
        try {
            new TransformData(folder).write(rows);
            List<Timed> timed = new ArrayList<>();
            for (int repeat = 0; repeat < repeats; repeat++) {
                for (boolean joined : new boolean[] {false, true}) {
                    for (String format : FORMATS) {
                        timed.add(run(folder, format, joined));
                    }
                    requireSame(out(folder, "parquet", joined), out(folder, "csv", joined));
                }
            }
            long history = (long) TransformData.ENTITIES * TransformData.HISTORY_PER_ENTITY;
            return new TransformReport(new Findings(rows, history, timed));
        } finally {
            delete(folder);
        }
    }

    private static Path out(Path folder, String format, boolean joined) {
        return folder.resolve((joined ? "joined." : "plain.") + format);
    }

    private Timed run(Path folder, String format, boolean joined) throws IOException {
        List<String> command = new ArrayList<>(java);
        command.addAll(List.of("features", "transform"));
        command.add(folder.resolve(joined ? "forty_view.yaml" : "forty.yaml").toString());
        command.addAll(List.of("--data", folder.resolve("rows." + format).toString()));
        command.addAll(List.of("--out", out(folder, format, joined).toString()));
        if (joined) {
            command.addAll(List.of("--view", "txn_stats=" + folder.resolve("history.parquet")));
        }
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = awaited(process);
        Matcher time = TIME.matcher(said);
        if (code != 0 || !time.find() || !said.contains(ROWS + String.format("%,d\n", rows))) {
            throw new IllegalStateException(command + " ended with " + code + " and said:\n" + said);
        }
        Timed timed = new Timed(
                format,
                joined,
                Double.parseDouble(time.group(1)),
                Double.parseDouble(time.group(2).replace(",", "")),
                Double.parseDouble(time.group(3)));
        progress.println(format + (joined ? ", joined: " : ": ") + time.group());
        return timed;
    }

    private static int awaited(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a command ran", e);
        }
    }

    private void requireSame(Path one, Path other) throws IOException {
        List<Column> columns = TableFile.open(one).columns();
        TableBatch first = TableBatch.of(columns, 1_000);
        TableBatch second = TableBatch.of(columns, 1_000);
        long at = 0;
        try (TableReader from = TableFile.open(one).read(columns, false);
                TableReader beside = TableFile.open(other).read(columns, false)) {
            while (from.next(first) & beside.next(second)) {
                for (int row = 0; row < first.rows(); row++, at++) {
                    for (int i = 0; i < columns.size(); i++) {
                        int a = Float.floatToRawIntBits(first.values(i).getFloat(row));
                        int b = Float.floatToRawIntBits(second.values(i).getFloat(row));
                        if (a != b) {
                            throw new IllegalStateException("row " + at + ", column "
                                    + columns.get(i).name() + " is not the same in " + one + " and " + other);
                        }
                    }
                }
            }
        }
        if (at != rows) {
            throw new IllegalStateException(at + " rows are the same, expected " + rows);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
