// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import com.sun.management.OperatingSystemMXBean;
import dev.millrace.features.FeaturePlan;
import dev.millrace.history.PointInTime;
import dev.millrace.history.ViewHistory;
import dev.millrace.spec.FeatureView;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features transform`: a specification's columns for all rows of a file.
@Command(
        name = "transform",
        description = "Computes a specification's columns for all rows of a file, and writes them to another, in the"
                + " same order: the floats that a model's input row has, the same bits as when serving.",
        footer = "%nExit status: 0 when all was written; 1 when a row is rejected and --on-error does not say what"
                + " then, or the specification, the data, the store or what is to be written is not what is expected;"
                + " 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
public final class FeaturesTransformCommand implements Callable<Integer> {
    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final String ALL = "*";
    private static final int LABEL_WIDTH = 12;

    @Parameters(paramLabel = "SPEC", description = "The specification's file, or the folder with features.yaml.")
    private Path path;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = "The rows, with a column for each field of the request, by its name: .csv or .tsv with names"
                    + " in the first line, .jsonl with an object of named values in each line, or .parquet.")
    private Path file;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Where the columns go, whole or not at all: .csv, .tsv, .jsonl or .parquet.")
    private Path out;

    @Option(
            names = "--time-column",
            paramLabel = "COLUMN",
            description = "When each request came: a time, or microseconds since 1970. Without this option the column"
                    + " " + FieldBinding.REQUEST_TIME + ", if anything depends on it.")
    private String timeColumn;

    @Option(
            names = "--store",
            paramLabel = "DIR",
            description = "The embedded feature store that has the values of views of kind store without a --view. They"
                    + " are taken as they are now, whenever a request came.")
    private Path store;

    @Option(
            names = "--view",
            paramLabel = "NAME=FILE",
            description = "All rows that a view of kind store ever had, in a .csv, .tsv, .jsonl or .parquet file with"
                    + " columns named as the entity's join key, the view's timestamp_field and"
                    + " created_timestamp_field, and its fields. Each row of the data gets what was known at the"
                    + " time of its request. May be given for each view.")
    private List<String> views = List.of();

    @Option(
            names = "--keep",
            paramLabel = "COLUMN",
            split = ",",
            description = "Columns of the data that are written before the others; * for all.")
    private List<String> kept = List.of();

    @Option(names = "--status", description = "Also write how each feature came to its value, in a column NAME_status.")
    private boolean status;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip|null",
            description = "What is done about a row that is rejected: fail, and write nothing; skip, it is not"
                    + " written; null, its columns are missing.")
    private OnRejected onRejected = OnRejected.FAIL;

    @Spec
    private CommandSpec spec;

    FeaturesTransformCommand() {}

    @Override
    public Integer call() {
        return Complaints.run(spec, this::transform);
    }

    private int transform() throws IOException {
        FeaturePlan plan = SpecFile.plan(path);
        TableFile data = TableFile.open(file);
        TableWriter.check(out);
        if (Files.exists(out) && Files.isSameFile(file, out)) {
            throw new ParameterException(spec.commandLine(), "--out is --data; the rows would be lost");
        }
        Map<FeatureView, Path> files = HistoryFiles.named(views, plan.spec());
        boolean needsTime = !files.isEmpty() || SpecFile.needsTime(plan.spec());
        FieldBinding fields = FieldBinding.of(plan, data, timeColumn, needsTime);
        Transforming.Task task = new Transforming.Task(plan, data, fields, keep(data), out, onRejected, status);
        HistoryFiles.requireAll(files.keySet(), plan.spec(), store != null);
        try (HistoryFiles histories = HistoryFiles.read(files);
                StoredViews stored = StoredViews.open(store)) {
            long start = System.nanoTime();
            PointInTime source = new PointInTime(histories.all(), stored);
            Transforming.Result result = new Transforming(task, source).run(progress(data));
            print(task, result, histories, (System.nanoTime() - start) / 1e9);
        }
        return ExitCode.OK;
    }

    private List<Column> keep(TableFile data) throws IOException {
        List<Column> columns = new ArrayList<>();
        for (String each : kept) {
            if (each.equals(ALL)) {
                data.columns().forEach(column -> columns.add(as(column, data)));
            } else {
                columns.add(as(data.column(each), data));
            }
        }
        return columns;
    }

    /// What goes from one file of separated values to another stays as it is written.
    private Column as(Column column, TableFile data) {
        boolean asWritten = isSeparated(data.file()) && isSeparated(out);
        return new Column(
                column.name(),
                asWritten ? ColumnType.STRING : column.type(),
                column.nullable() || onRejected == OnRejected.NULL);
    }

    private static boolean isSeparated(Path path) {
        return path.getFileName().toString().toLowerCase(Locale.ROOT).matches(".*\\.[ct]sv(\\.gz)?");
    }

    /// Says on the error stream how far it is, not too often.
    private Transforming.Progress progress(TableFile data) {
        PrintWriter err = spec.commandLine().getErr();
        long start = System.nanoTime();
        long[] next = {start + REPORT_EVERY_NANOS};
        return (rows, part) -> {
            long now = System.nanoTime();
            if (now - next[0] < 0) {
                return;
            }
            next[0] = now + REPORT_EVERY_NANOS;
            err.println("transforming: " + grouped(rows)
                    + (data.rows() < 0 ? "" : " of " + grouped(data.rows())) + " rows, "
                    + grouped(Math.round(rows / ((now - start) / 1e9))) + " rows/s, " + Math.round(100 * part) + " %");
            err.flush();
        };
    }

    private void print(Transforming.Task task, Transforming.Result result, HistoryFiles histories, double seconds) {
        PrintWriter to = spec.commandLine().getOut();
        line(to, "written", out.toString());
        line(to, "features", task.plan().spec().toString());
        line(to, "columns", grouped(task.plan().width()));
        if (!task.fields().absent().isEmpty()) {
            line(
                    to,
                    "null",
                    "no column " + String.join(", ", task.fields().absent()) + " in "
                            + (task.data().mayHaveMore() ? "the first rows" : "the data"));
        }
        for (ViewHistory history : histories.all()) {
            line(
                    to,
                    "history",
                    history.view().name() + ": " + grouped(history.rows()) + " rows of "
                            + grouped(history.entities()) + " entities, " + grouped(history.bytes() >> 10) + " KiB"
                            + (history.ahead() == 0
                                    ? ""
                                    : "; " + grouped(history.ahead()) + " were created before their event time"));
        }
        line(to, "rows", grouped(result.rows()));
        if (result.rejected() > 0) {
            line(to, "rejected", grouped(result.rejected()) + " rows, first " + result.firstProblem());
        }
        if (result.degraded() > 0) {
            line(to, "degraded", grouped(result.degraded()) + " rows");
        }
        long rate = Math.round(result.rows() / Math.max(seconds, 1e-9));
        line(to, "time", String.format(Locale.ROOT, "%.1f s, %,d rows/s%s", seconds, rate, processorTime()));
        to.flush();
    }

    /// How long all processors together were at work for this process; nothing if that cannot be known.
    private static String processorTime() {
        long nanos = ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getProcessCpuTime()
                : -1;
        return nanos < 0 ? "" : String.format(Locale.ROOT, ", %.1f s of processor time", nanos / 1e9);
    }

    private static void line(PrintWriter to, String label, String said) {
        to.println(label + " ".repeat(LABEL_WIDTH - label.length()) + Complaints.plain(said));
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
