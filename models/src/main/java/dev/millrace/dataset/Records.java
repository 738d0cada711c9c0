// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Rows of a file as texts, column by column, for whoever knows better than a model's signature
/// what they are.
///
/// The end of the file's name tells what it is: `.csv` and `.tsv` with the names of columns in the
/// first line, `.jsonl` and `.ndjson` with an object in each line, these perhaps with `.gz`, and
/// `.parquet`. Numbers are texts that are read back as the same numbers; a point in time in Parquet
/// is one as ISO 8601 has it, in UTC if the file does not say.
///
/// Threads: one. Ownership: whoever opened it closes it.
public interface Records extends AutoCloseable {
    /// Of a line, which is held as a whole.
    int MAX_CHARACTERS = 1 << 26;

    /// Reads the next row.
    ///
    /// @param values gets a text for each column that was asked for; null where there is none:
    ///     an empty field of CSV but for `""`, which cannot be told from it, a null, or a name that
    ///     an object does not have
    /// @return false after the last one
    /// @throws InvalidDataException if it is damaged
    boolean next(String[] values) throws IOException;

    /// Where the row that was read last is, for messages: `line 7`.
    String place();

    @Override
    void close() throws IOException;

    /// Opens a file.
    ///
    /// @param columns whose values are wanted, in this order; a table has to have them all
    /// @throws InvalidDataException if one of the columns is missing, or the file is something else
    static Records open(Path file, List<String> columns) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "csv" -> new CsvRecords(file, ',', columns);
            case "tsv" -> new CsvRecords(file, '\t', columns);
            case "jsonl", "ndjson" -> new JsonRecords(file, columns);
            case "parquet" -> parquet(file, columns);
            default ->
                throw new InvalidDataException(
                        file,
                        "its name does not tell what it is, expected .csv, .tsv, .jsonl or .ndjson, or .gz of these, or"
                                + " .parquet");
        };
    }

    private static Records parquet(Path file, List<String> columns) throws IOException {
        try {
            return new ParquetRecords(file, columns);
        } catch (NoClassDefFoundError e) {
            throw new InvalidDataException(file, "Parquet needs dev.hardwood:hardwood-core on the class path", e);
        }
    }

    /// The places of columns among those that there are.
    ///
    /// @throws InvalidDataException if one is missing, or there twice
    static int[] places(Path file, List<String> there, List<String> wanted) throws InvalidDataException {
        int[] places = new int[wanted.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = there.indexOf(wanted.get(i));
            if (places[i] < 0) {
                throw new InvalidDataException(
                        file, "there is no column '" + wanted.get(i) + "', but " + String.join(", ", there));
            }
            if (places[i] != there.lastIndexOf(wanted.get(i))) {
                throw new InvalidDataException(file, "two columns are called '" + wanted.get(i) + "'");
            }
        }
        return places;
    }
}
