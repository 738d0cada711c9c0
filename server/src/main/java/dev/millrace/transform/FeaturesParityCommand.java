// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureSource;
import dev.millrace.history.PointInTime;
import dev.millrace.history.ViewHistory;
import dev.millrace.spec.FeatureView;
import dev.millrace.table.TableFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features parity`: whether serving gives what training has, for a log of one's own.
@Command(
        name = "parity",
        description = "Compares what serving gives with what training has: each request's columns from the"
                + " point-in-time join of the views' logs (base), and from a store that gets the same events when they"
                + " became available, or as they were logged (test).",
        footer = "%nExit status: 0 when all columns of all rows are equal; 1 when some are not, or the specification,"
                + " the data, a log or what was served is not what is expected; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
public final class FeaturesParityCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SPEC", description = "The specification's file, or the folder with features.yaml.")
    private Path path;

    @Option(
            names = "--data",
            paramLabel = "FILE",
            description = "The requests, with a column for each field of the request, by its name, and their times:"
                    + " .csv, .tsv, .jsonl or .parquet. Without this option the file of --served.")
    private Path file;

    @Option(
            names = "--view",
            paramLabel = "NAME=FILE",
            description = "All events of a view of kind store, in a .csv, .tsv, .jsonl or .parquet file with columns"
                    + " named as the entity's join key, the view's timestamp_field and created_timestamp_field, and its"
                    + " fields. Has to be given for each view that features use.")
    private List<String> views = List.of();

    @Option(
            names = "--served",
            paramLabel = "FILE",
            description = "The columns as they were served and logged, by their names, a row for each of the data's, in"
                    + " the same order. Without this option the logs are replayed.")
    private Path served;

    @Option(
            names = "--time-column",
            paramLabel = "COLUMN",
            description = "When each request came: a time, or microseconds since 1970. Without this option the column"
                    + " " + FieldBinding.REQUEST_TIME + ".")
    private String timeColumn;

    @Option(
            names = "--tolerance",
            paramLabel = "DELTA",
            description = "How far values may be apart; with 0 they have the same bits.")
    private double tolerance;

    @Option(
            names = "--examples",
            paramLabel = "COUNT",
            description = "How many differences are shown of each column, the first ones.")
    private int examples = 3;

    @Option(names = "--json", description = "Print JSON.")
    private boolean asJson;

    @Spec
    private CommandSpec spec;

    FeaturesParityCommand() {}

    @Override
    public Integer call() {
        if (file == null && served == null) {
            throw new ParameterException(
                    spec.commandLine(), "neither --data nor --served came, expected the file with the requests");
        }
        if (!(tolerance >= 0)) {
            throw new ParameterException(
                    spec.commandLine(), "--tolerance: " + tolerance + " came, expected 0 at least");
        }
        if (examples < 0) {
            throw new ParameterException(spec.commandLine(), "--examples: " + examples + " came, expected 0 at least");
        }
        return Complaints.run(spec, this::compare);
    }

    private int compare() throws IOException {
        FeaturePlan plan = SpecFile.plan(path);
        TableFile data = TableFile.open(file == null ? served : file);
        Map<FeatureView, Path> files = HistoryFiles.named(views, plan.spec());
        HistoryFiles.requireAll(files.keySet(), plan.spec());
        FieldBinding fields = FieldBinding.of(plan, data, timeColumn, true);
        try (HistoryFiles histories = HistoryFiles.read(files)) {
            PointInTime moment = new PointInTime(histories.all(), FeatureSource.NONE);
            Parity parity = new Parity(new Parity.Task(plan, data, fields, tolerance, examples), moment);
            return report(plan, histories, served == null ? replayed(parity, plan, files) : logged(parity));
        }
    }

    private static Parity.Result replayed(Parity parity, FeaturePlan plan, Map<FeatureView, Path> files)
            throws IOException {
        try (Replay replay = Replay.open(plan, files)) {
            return parity.compare(replay);
        }
    }

    private Parity.Result logged(Parity parity) throws IOException {
        return parity.compare(TableFile.open(served));
    }

    private int report(FeaturePlan plan, HistoryFiles histories, Parity.Result result) {
        ParityReport report = new ParityReport(
                plan.spec(),
                served == null ? "replay through a store" : served.toString(),
                histories.all().stream().mapToLong(ViewHistory::rows).sum(),
                histories.all().stream().mapToLong(ViewHistory::ahead).sum(),
                tolerance,
                result);
        PrintWriter to = spec.commandLine().getOut();
        to.print(asJson ? report.json() : report.text());
        to.flush();
        return result.isEqual() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
}
