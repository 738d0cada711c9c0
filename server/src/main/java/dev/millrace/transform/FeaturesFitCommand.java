// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.features.FeatureRow;
import dev.millrace.fit.FittedFiles;
import dev.millrace.fit.SpecFit;
import dev.millrace.history.PointInTime;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureTemplate;
import dev.millrace.spec.FeatureView;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features fit`: learns what a specification has to know from the rows of a file.
@Command(
        name = "fit",
        description = "Learns what a specification has to know from the rows of a file: means, ranges, quantiles,"
                + " categories. In the specification each reference to a file that is to be learned has no hash yet,"
                + " file:NAME. The files are written, and the specification with their hashes.",
        footer = "%nExit status: 0 when all was written; 1 when something cannot be learned, a row is rejected and"
                + " --on-error does not say skip, or the specification or the data is not what is expected; 2 when"
                + " called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
public final class FeaturesFitCommand implements Callable<Integer> {
    private static final int BATCH_ROWS = 4096;
    private static final int LABEL_WIDTH = 12;

    @Parameters(paramLabel = "DATA", description = "The rows, as features transform takes them.")
    private Path file;

    @Option(names = "--spec", required = true, paramLabel = "SPEC", description = "The specification to be filled.")
    private Path path;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where features.yaml and the files that it names go. Without this option the folder of SPEC,"
                    + " which then has another name.")
    private Path out;

    @Option(
            names = "--time-column",
            paramLabel = "COLUMN",
            description = "When each request came, as for features transform.")
    private String timeColumn;

    @Option(
            names = "--store",
            paramLabel = "DIR",
            description = "The embedded feature store that has the values of views of kind store without a --view.")
    private Path store;

    @Option(
            names = "--view",
            paramLabel = "NAME=FILE",
            description = "All rows that a view of kind store ever had, as for features transform.")
    private List<String> views = List.of();

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip",
            description = "What is done about a row that is rejected: fail, and write nothing; skip, nothing is"
                    + " learned from it.")
    private OnRejected onRejected = OnRejected.FAIL;

    @Spec
    private CommandSpec spec;

    private long rows;
    private long rejected;

    FeaturesFitCommand() {}

    @Override
    public Integer call() {
        return Complaints.run(spec, this::fit);
    }

    private int fit() throws IOException {
        if (onRejected == OnRejected.NULL) {
            throw new IllegalArgumentException("--on-error: 'null' came, expected fail or skip");
        }
        if (!Files.isRegularFile(path)) {
            throw new NoSuchFileException(path.toString());
        }
        Path folder = out == null ? path.toAbsolutePath().getParent() : out;
        Path written = folder.resolve(FeatureSpec.FILE_NAME);
        if (Files.exists(written) && Files.isSameFile(written, path)) {
            throw new IllegalArgumentException(
                    path + ": would be replaced by what is written, expected --out with another folder");
        }
        TableFile data = TableFile.open(file);
        SpecFit fit = new SpecFit(FeatureTemplate.read(path));
        long start = System.nanoTime();
        learn(fit, data);
        FittedFiles files = fit.files();
        Files.createDirectories(folder);
        FeatureSpec made = files.write(folder);
        print(fit, made, written, (System.nanoTime() - start) / 1e9);
        return ExitCode.OK;
    }

    private void learn(SpecFit fit, TableFile data) throws IOException {
        fit.begin();
        FeatureSpec template = fit.plan().spec();
        Map<FeatureView, Path> files = HistoryFiles.named(views, template);
        HistoryFiles.requireAll(files.keySet(), template, store != null);
        boolean needsTime = !files.isEmpty() || SpecFile.needsTime(template);
        try (HistoryFiles histories = HistoryFiles.read(files);
                StoredViews stored = StoredViews.open(store)) {
            do {
                FieldBinding fields = FieldBinding.of(fit.plan(), data, timeColumn, needsTime);
                pass(fit, data, fields, new PointInTime(histories.all(), stored));
                fit.end();
            } while (fit.begin());
        }
    }

    private void pass(SpecFit fit, TableFile data, FieldBinding fields, PointInTime moment) throws IOException {
        FeatureRow row = fit.plan().newRow(moment);
        TableBatch batch =
                TableBatch.of(fields.columns().isEmpty() ? data.columns().subList(0, 1) : fields.columns(), BATCH_ROWS);
        rows = 0;
        rejected = 0;
        try (TableReader reader = data.read(batch.columns(), true)) {
            while (reader.next(batch)) {
                for (int i = 0; i < batch.rows(); i++) {
                    take(fit, fields, moment, row, batch, i);
                }
                rows += batch.rows();
            }
        }
    }

    private void take(SpecFit fit, FieldBinding fields, PointInTime moment, FeatureRow row, TableBatch batch, int index)
            throws IOException {
        String problem = batch.problem(index);
        if (problem == null) {
            problem = fill(fields, moment, row, batch, index);
        }
        if (problem == null) {
            try {
                problem = fit.add(row) ? null : batch.place(index) + ", " + row.problem();
            } catch (IllegalArgumentException e) {
                throw new InvalidDataException(file, batch.place(index) + ", " + e.getMessage(), e);
            }
        }
        if (problem != null) {
            if (onRejected == OnRejected.FAIL) {
                throw new RowRejected(file + ": " + problem);
            }
            rejected++;
        }
    }

    /// Begins a row with its values; what is wrong with it, or null.
    private static String fill(FieldBinding fields, PointInTime moment, FeatureRow row, TableBatch batch, int index) {
        try {
            moment.at(fields.fill(row, batch, index));
            return null;
        } catch (IllegalArgumentException e) {
            return batch.place(index) + ": " + e.getMessage();
        }
    }

    private void print(SpecFit fit, FeatureSpec made, Path written, double seconds) {
        PrintWriter to = spec.commandLine().getOut();
        line(to, "written", written.toString());
        line(to, "features", made.toString());
        fit.told().forEach(each -> line(to, "learned", each));
        line(to, "rows", String.format(Locale.ROOT, "%,d", rows));
        if (rejected > 0) {
            line(to, "rejected", String.format(Locale.ROOT, "%,d rows", rejected));
        }
        line(to, "time", String.format(Locale.ROOT, "%.1f s, passes: %d", seconds, fit.passes()));
        to.flush();
    }

    private static void line(PrintWriter to, String label, String said) {
        to.println(label + " ".repeat(LABEL_WIDTH - label.length()) + Complaints.plain(said));
    }
}
