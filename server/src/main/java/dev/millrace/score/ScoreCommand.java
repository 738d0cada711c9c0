// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.dataset.InputColumns;
import dev.millrace.dataset.InvalidDataException;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace score`: a model's answers for all rows of a file.
@Command(
        name = "score",
        description =
                "Has a model answer all rows of a file, and writes the answers to another, in the same order. Rows"
                        + " go the way that requests go, many at a time.",
        footer = "%nExit status: 0 when all answers were written; 1 when a row has none and --on-error does not say"
                + " what then, or the model, the data or what is to be written is not what is expected; 2 when"
                + " called wrongly.",
        showDefaultValues = true,
        sortOptions = false)
public final class ScoreCommand implements Callable<Integer> {
    private static final int DEFAULT_BATCH_ROWS = 512;
    private static final int MAX_BATCH_ROWS = 1 << 16;
    private static final long REPORT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final String ALL = "*";
    /// The entry of a model's metadata that names the columns of its only input, where its maker
    /// stored one.
    private static final String FEATURES = "features";

    /// The library that reads Parquet says there which of its ways it takes; held, so that it stays
    /// as it is set here.
    private static final Logger PARQUET = Logger.getLogger("dev.hardwood");

    @Parameters(index = "0", paramLabel = "MODEL", description = "A model's name in the repository, or an ONNX file.")
    private String name;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description =
                    "The rows: .csv or .tsv with names in the first line, .jsonl with an object of named values in"
                            + " each line, or .parquet.")
    private Path file;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Where the answers go, whole or not at all: .csv, .tsv, .jsonl or .parquet.")
    private Path out;

    @Option(
            names = "--model-repository",
            paramLabel = "DIR",
            description = "Folder of models, as <model>/<version>/model.onnx; may be given again."
                    + " Without it the example models are there.")
    private List<Path> repositories = List.of();

    @Option(
            names = "--feature-store",
            paramLabel = "DIR",
            description = "Folder of the feature store that the model takes stored values from, as it is now.")
    private Path featureStore;

    @Option(names = "--version", paramLabel = "VERSION", description = "The number or alias of a version.")
    private String version;

    @Option(
            names = "--inputs",
            paramLabel = "COLUMN",
            split = ",",
            description = "The columns that the inputs' elements are in, in order; others are not looked at for that.")
    private List<String> inputs = List.of();

    @Option(
            names = "--ignore",
            paramLabel = "COLUMN",
            split = ",",
            description = "Columns that are no elements of inputs: labels, for example.")
    private List<String> ignored = List.of();

    @Option(
            names = "--keep",
            paramLabel = "COLUMN[:TYPE]",
            split = ",",
            description =
                    "Columns of the data that are written before the answers; * for all. The type, as in id:string,"
                            + " is needed where the first rows of a text do not tell it.")
    private List<String> kept = List.of();

    @Option(names = "--batch-rows", paramLabel = "ROWS", description = "Rows that are asked for in one request.")
    private int batchRows = DEFAULT_BATCH_ROWS;

    @Option(names = "--limit", paramLabel = "ROWS", description = "The most rows; without it all.")
    private Long limit;

    @Option(
            names = "--on-error",
            paramLabel = "stop|null|skip",
            description = "What is done about a row without an answer: stop, and write nothing; null, its answer is"
                    + " missing; skip, it is not written.")
    private OnError onError = OnError.STOP;

    // Not the mixin: its --version is that of the program.
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    boolean help;

    @Spec
    private CommandSpec spec;

    ScoreCommand() {
        PARQUET.setLevel(Level.WARNING);
    }

    @Override
    public Integer call() {
        check();
        try {
            return score();
        } catch (NoSuchFileException e) {
            return complain(e.getFile() + ": there is no such file or folder");
        } catch (UncheckedIOException e) {
            return complain(e.getCause().getMessage());
        } catch (IOException | InferenceException | InvalidModelException e) {
            return complain(e.getMessage());
        }
    }

    private void check() {
        if (batchRows < 1 || batchRows > MAX_BATCH_ROWS) {
            throw wrong("--batch-rows must be from 1 to " + MAX_BATCH_ROWS + ", was " + batchRows);
        }
        if (limit != null && limit < 1) {
            throw wrong("--limit must be at least 1, was " + limit);
        }
        if (!inputs.isEmpty() && !ignored.isEmpty()) {
            throw wrong("--inputs says which columns there are, and --ignore which there are not: give one of them");
        }
    }

    private int score() throws IOException {
        TableFile data = TableFile.open(file);
        TableWriter.check(out);
        if (Files.exists(out) && Files.isSameFile(file, out)) {
            throw wrong("--out is --data; the rows would be lost");
        }
        long start = System.nanoTime();
        try (EmbeddedStore store = featureStore == null ? null : EmbeddedStore.openToRead(featureStore);
                ServedModel model = model(store)) {
            ScorePlan plan = plan(data, model.status(), model.model().signature());
            long begin = System.nanoTime();
            Scoring.Result result;
            try (Scoring scoring = new Scoring(plan, model.model(), progress(data))) {
                result = scoring.run();
            }
            long end = System.nanoTime();
            print(result, model, begin - start, end - begin);
            return ExitCode.OK;
        }
    }

    private ServedModel model(EmbeddedStore store) throws IOException {
        // As many rows may wait as are on the way.
        int queue = Integer.highestOneBit(2 * Scoring.FLIGHTS * batchRows - 1);
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withRecording(false)
                .withFeatureStore(store)
                .withQueueRows(Math.max(RuntimeConfig.DEFAULT.queueRows(), queue));
        if (repositories.isEmpty() && Files.isRegularFile(Path.of(name))) {
            if (version != null) {
                throw wrong("--version is for models of a repository, MODEL is a file");
            }
            return ServedModel.file(Path.of(name), config);
        }
        if (repositories.isEmpty() && name.endsWith(".onnx")) {
            throw new NoSuchFileException(name);
        }
        List<Path> folders = repositories.isEmpty() ? List.of(examples()) : repositories;
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) {
                throw wrong("model repository " + folder + " is no folder");
            }
        }
        return ServedModel.named(name, version, folders, config);
    }

    private Path examples() {
        String home = System.getProperty("millrace.home");
        if (home == null) {
            throw wrong(
                    "which models? Give --model-repository, or an ONNX file, or start with ./millrace for examples");
        }
        return Path.of(home, "models", "zoo");
    }

    private ScorePlan plan(TableFile data, ModelStatus status, Signature signature) throws IOException {
        boolean apart = status.batching()
                .filter(batching -> batching.kind() == Batching.Kind.NONE)
                .isPresent();
        List<String> names = names(data, status, signature);
        InputColumns found;
        try {
            found = InputColumns.of(file, names, signature, apart);
        } catch (InvalidDataException e) {
            throw new IOException(e.getMessage() + " (--ignore and --inputs say which columns are meant)", e);
        }
        int rows = found.rows(batchRows);
        if (!found.takesAnyRows() && rows > 1 && onError != OnError.STOP) {
            throw new IOException("model '" + status.model() + "' takes " + rows
                    + " rows at a time, of which none can be left out: --on-error must be stop");
        }
        return new ScorePlan(
                data,
                new InputBinding(found, names, signature),
                keep(data),
                out,
                onError,
                rows,
                limit == null ? ScorePlan.ALL : limit);
    }

    /// The columns that inputs are found among: those that were named, those that the model names,
    /// or all but those that are to be ignored.
    private List<String> names(TableFile data, ModelStatus status, Signature signature) throws IOException {
        for (String each : ignored) {
            data.column(each);
        }
        if (!inputs.isEmpty()) {
            for (String each : inputs) {
                data.column(each);
            }
            return inputs;
        }
        List<String> all = new ArrayList<>();
        data.columns().forEach(column -> all.add(column.name()));
        List<String> own = List.of(status.metadata().getOrDefault(FEATURES, "").split(",", -1));
        if (signature.inputs().size() == 1 && all.containsAll(own) && new HashSet<>(own).size() == own.size()) {
            return own;
        }
        all.removeAll(ignored);
        return all;
    }

    private List<Column> keep(TableFile data) throws IOException {
        List<Column> columns = new ArrayList<>();
        for (String each : kept) {
            if (each.equals(ALL)) {
                for (Column column : data.columns()) {
                    columns.add(as(column, data, null));
                }
            } else {
                columns.add(kept(data, each));
            }
        }
        Set<String> names = new HashSet<>();
        for (Column column : columns) {
            if (!names.add(column.name())) {
                throw wrong("--keep has column '" + column.name() + "' twice");
            }
        }
        return columns;
    }

    private Column kept(TableFile data, String text) throws IOException {
        int colon = text.lastIndexOf(':');
        boolean named = data.columns().stream().anyMatch(column -> column.name().equals(text));
        if (named || colon < 0) {
            return as(data.column(text), data, null);
        }
        String type = text.substring(colon + 1).toUpperCase(Locale.ROOT);
        for (ColumnType each : ColumnType.values()) {
            if (each.name().equals(type)) {
                return as(data.column(text.substring(0, colon)), data, each);
            }
        }
        throw wrong("--keep " + text + ": there is no type '" + text.substring(colon + 1)
                + "', expected float32, float64, int32, int64, bool, string or timestamp");
    }

    /// What goes from one file of separated values to another stays as it is written.
    private Column as(Column column, TableFile data, ColumnType type) {
        boolean asWritten = isSeparated(data.file()) && isSeparated(out);
        ColumnType read = type != null ? type : asWritten ? ColumnType.STRING : column.type();
        return new Column(column.name(), read, column.nullable() || onError == OnError.NULL);
    }

    private static boolean isSeparated(Path path) {
        return path.getFileName().toString().toLowerCase(Locale.ROOT).matches(".*\\.[ct]sv(\\.gz)?");
    }

    /// Says on the error stream how far it is, not too often.
    private Scoring.Progress progress(TableFile data) {
        PrintWriter err = spec.commandLine().getErr();
        long start = System.nanoTime();
        long[] next = {start + REPORT_EVERY_NANOS};
        long known = data.rows() < 0 ? -1 : Math.min(data.rows(), limit == null ? ScorePlan.ALL : limit);
        return (rows, part) -> {
            long now = System.nanoTime();
            if (now - next[0] < 0) {
                return;
            }
            next[0] = now + REPORT_EVERY_NANOS;
            double seconds = (now - start) / 1e9;
            double done = limit == null ? part : Math.max(part, (double) rows / limit);
            String left = done > 0 ? ", " + grouped(Math.round(seconds * (1 - done) / done)) + " s left" : "";
            err.println("scoring: " + grouped(rows) + (known < 0 ? "" : " of " + grouped(known)) + " rows, "
                    + grouped(Math.round(rows / seconds)) + " rows/s, " + Math.round(100 * done) + " %" + left);
            err.flush();
        };
    }

    private void print(Scoring.Result result, ServedModel model, long loadNanos, long scoreNanos) {
        PrintWriter to = spec.commandLine().getOut();
        line(to, "written", out.toString());
        line(to, "model", model.model().name() + ":" + model.model().version());
        line(to, "rows", grouped(result.rows()));
        if (result.failed() > 0) {
            line(to, "no answer", grouped(result.failed()) + " rows, first " + result.firstFailure());
        }
        double seconds = scoreNanos / 1e9;
        line(
                to,
                "time",
                String.format(
                        Locale.ROOT,
                        "%.1f s, %,d rows/s; %.1f s to load",
                        seconds,
                        Math.round(result.rows() / Math.max(seconds, 1e-9)),
                        loadNanos / 1e9));
        to.flush();
    }

    private static void line(PrintWriter to, String label, String said) {
        to.println(label + " ".repeat(12 - label.length()) + plain(said));
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private ParameterException wrong(String problem) {
        return new ParameterException(spec.commandLine(), problem);
    }

    private int complain(String problem) {
        spec.commandLine().getErr().println("millrace: " + plain(problem));
        return ExitCode.SOFTWARE;
    }

    /// One line of characters that can be seen, whatever the data has.
    private static String plain(String said) {
        return said.replaceAll("[\\p{Cc}\\p{Cf}\\s]+", " ").strip();
    }
}
