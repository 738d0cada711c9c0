// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Opens files of data. Threads: any.
///
/// The end of a file's name tells what it is: `.csv` and `.tsv`, `.jsonl` and `.ndjson` with a request of the Open
/// Inference Protocol in each line, `.json` and `.json.0` with requests that a server traced, `.parquet`; texts may be
/// compressed, `.csv.gz`. Files are read from the beginning
/// to the end each time, and may be larger than memory.
public final class Datasets {
    /// Of a line, which is held as a whole.
    private static final int MAX_CHARACTERS = 1 << 26;

    private Datasets() {}

    /// Opens a file as rows of a model's inputs. Its columns are looked at now, its rows when they are read.
    ///
    /// @param file CSV, JSON lines, traces or Parquet, by its name
    /// @param signature what the model takes
    /// @param labelColumn the column that tells what is right; in JSON lines an input that is no input of the model
    /// @throws InvalidDataException if the columns are not what the model takes
    /// @throws NoSuchFileException if there is no such file
    /// @throws IOException if it cannot be read
    public static Dataset open(Path file, Signature signature, Optional<String> labelColumn) throws IOException {
        return open(file, signature, labelColumn, false);
    }

    /// Opens a file as requests to a model, which are put together to batches if the model's rows are independent, and
    /// otherwise are one each, as are rows of tables.
    ///
    /// @param batching what may share a run; the rest is as for [#open(Path, Signature, Optional)]
    /// @throws IOException as there
    public static Dataset open(Path file, Signature signature, Optional<String> labelColumn, Batching.Kind batching)
            throws IOException {
        return open(file, signature, labelColumn, batching == Batching.Kind.NONE);
    }

    private static Dataset open(Path file, Signature signature, Optional<String> labelColumn, boolean apart)
            throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        labelColumn.filter(name -> signature.inputIndex(name) >= 0).ifPresent(name -> {
            throw new IllegalArgumentException("the label column '" + name + "' is an input of the model");
        });
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String plain = name.replaceFirst("\\.gz$", "").replaceFirst("\\.json\\.[0-9]+$", ".json");
        return switch (plain.substring(plain.lastIndexOf('.') + 1)) {
            case "csv" -> new CsvDataset(file, ',', signature, labelColumn, apart);
            case "tsv" -> new CsvDataset(file, '\t', signature, labelColumn, apart);
            case "jsonl", "ndjson" ->
                new RequestDataset(file, () -> new LineReader(file, MAX_CHARACTERS), signature, labelColumn, apart);
            case "json" -> traces(file, signature, labelColumn, apart);
            case "parquet" -> parquet(file, signature, labelColumn, apart);
            default ->
                throw new InvalidDataException(
                        file,
                        "its name does not tell what it is, expected .csv, .tsv, .jsonl, .ndjson or .json, or .gz of"
                                + " these, or .parquet");
        };
    }

    private static Dataset traces(Path file, Signature signature, Optional<String> labelColumn, boolean apart) {
        if (labelColumn.isPresent()) {
            throw new IllegalArgumentException("traces have no labels, but '" + labelColumn.get() + "' was asked for");
        }
        List<String> inputs = signature.inputs().stream().map(TensorSpec::name).toList();
        return new RequestDataset(file, () -> new TraceRequests(file, inputs), signature, labelColumn, apart);
    }

    private static Dataset parquet(Path file, Signature signature, Optional<String> labelColumn, boolean apart)
            throws IOException {
        try {
            return new ParquetDataset(file, signature, labelColumn, apart);
        } catch (NoClassDefFoundError e) {
            throw new InvalidDataException(file, "Parquet needs dev.hardwood:hardwood-core on the class path", e);
        }
    }
}
