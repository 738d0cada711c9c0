// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features load`: rows of files into a view.
@Command(
        name = "load",
        description =
                "Writes rows of files to a view of a feature store. The files' columns are called like the key and the"
                        + " fields; others are not looked at. Of two rows of an entity that with the later event time"
                        + " stays, so a file may be loaded again.",
        footer = "%nExit status: 0 when all rows are in the store; 1 when not; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class FeaturesLoadCommand implements Callable<Integer> {
    /// Which view: one of both.
    private static final class Target {
        @Option(
                names = "--schema",
                paramLabel = "FILE",
                required = true,
                description = "What the view is, which is made if it is not there: lines 'view NAME', 'key NAME TYPE'"
                        + " and 'field NAME TYPE', where a type is float64, float32, int64, int32, bool, timestamp or"
                        + " string(N).")
        private Path schema;

        @Option(
                names = "--view",
                paramLabel = "NAME",
                required = true,
                description = "A view that the store has already.")
        private String view;
    }

    @Parameters(paramLabel = "STORE", description = "The store's folder. It is made if it is not there.")
    private Path folder;

    @ArgGroup(multiplicity = "1")
    private Target target;

    @Option(
            names = "--data",
            paramLabel = "FILE",
            required = true,
            arity = "1..*",
            description = "CSV, TSV or JSON lines, perhaps with .gz, or Parquet, by the file's name.")
    private List<Path> data;

    @Option(
            names = "--event-time",
            paramLabel = "COLUMN",
            description = "When what a row tells was so: microseconds since 1970, or ISO 8601.")
    private String eventTime = "event_time";

    @Option(
            names = "--availability-time",
            paramLabel = "COLUMN",
            description = "When it could first have been known. Without this option: the event time.")
    private String availabilityTime;

    @Option(names = "--batch-rows", paramLabel = "ROWS", description = "How many rows are written together.")
    private int batchRows = 5_000;

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = "What a batch outlasts before the next one is written: ${COMPLETION-CANDIDATES}.")
    private Durability durability = Durability.DISK;

    @Spec
    private CommandSpec spec;

    FeaturesLoadCommand() {}

    @Override
    public Integer call() {
        if (batchRows < 1) {
            throw new ParameterException(spec.commandLine(), "--batch-rows must be at least 1");
        }
        return Complaints.of(spec).run(this::load);
    }

    private int load() throws IOException {
        FeatureRows rows = new FeatureRows(eventTime, Optional.ofNullable(availabilityTime), batchRows);
        StoreOptions options = StoreOptions.DEFAULT.durability(durability);
        try (EmbeddedStore store = open(options)) {
            View view = store.view(target.view == null ? schema(target.schema).name() : target.view);
            for (Path file : data) {
                long loaded = rows.load(file, store, view);
                say(file + ": " + ReportText.grouped(loaded) + " rows");
            }
            say("view '" + view.schema().name() + "' has "
                    + ReportText.grouped(view.statistics().entities()) + " entities");
        }
        return ExitCode.OK;
    }

    private EmbeddedStore open(StoreOptions options) throws IOException {
        if (target.view != null) {
            // What is no store must not become one by a misspelled name.
            EmbeddedStore.openToRead(folder).close();
            return EmbeddedStore.open(folder, options);
        }
        return EmbeddedStore.open(folder, options, schema(target.schema));
    }

    private static ViewSchema schema(Path file) throws IOException {
        try {
            return ViewSchema.parse(Files.readString(file));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private void say(String line) {
        spec.commandLine().getOut().println(ReportText.plain(line));
        spec.commandLine().getOut().flush();
    }
}
