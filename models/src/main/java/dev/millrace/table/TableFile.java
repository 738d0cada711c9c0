// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A file that has a table: `.csv` and `.tsv` with the names of columns in the first line,
/// `.jsonl`, `.ndjson` and `.json` with an object in each line, all of them also compressed
/// (`.csv.gz`), and `.parquet`.
///
/// Texts do not say what types their columns have: the first rows tell (true and false, integers,
/// other numbers, times, or else texts). A value further on that is none of the type is a problem
/// of its row; who knows better reads the column with another type. In CSV a field that is empty is
/// a missing value, unless it is in quotes; in a table of one column every line is a row, empty or
/// not.
///
/// Threads: immutable, any. The file is read anew by each reader, and may be larger than memory.
public abstract sealed class TableFile permits CsvTable, JsonTable, ParquetTable {
    /// How many rows tell what types there are.
    static final int LOOK_ROWS = 1_000;

    private final Path file;

    TableFile(Path file) {
        this.file = file;
    }

    /// Opens a file: its columns are looked at now.
    ///
    /// @throws NoSuchFileException if there is none
    /// @throws InvalidDataException if it has no table, or its name does not tell a format
    public static TableFile open(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        TableFormat format = TableFormat.of(file);
        if (format == null) {
            throw new InvalidDataException(
                    file,
                    "its name does not tell what it is, expected " + TableFormat.ENDS
                            + ", or .gz of the first five of these");
        }
        return switch (format) {
            case CSV -> new CsvTable(file, ',');
            case TSV -> new CsvTable(file, '\t');
            case JSON_LINES -> new JsonTable(file);
            case PARQUET -> parquet(file);
        };
    }

    private static TableFile parquet(Path file) throws IOException {
        try {
            return new ParquetTable(file);
        } catch (NoClassDefFoundError e) {
            throw new InvalidDataException(file, "Parquet needs dev.hardwood:hardwood-core on the class path", e);
        }
    }

    /// Where it is.
    public final Path file() {
        return file;
    }

    /// Its columns in order, with the types that they have or seem to have. Those whose values are
    /// none of these types, lists for example, are not among them.
    public abstract List<Column> columns();

    /// What columns are that cannot be read, by name.
    abstract Map<String, String> others();

    /// Whether there is a column of a name, of values that can be read or not.
    public final boolean has(String name) {
        return others().containsKey(name)
                || columns().stream().anyMatch(column -> column.name().equals(name));
    }

    /// Whether rows further on may have columns that the first ones lack, as objects of JSON lines
    /// may.
    public boolean mayHaveMore() {
        return false;
    }

    /// How many rows there are; -1 if that takes reading it.
    public long rows() {
        return -1;
    }

    /// The column of a name.
    ///
    /// @throws InvalidDataException if there is none that can be read
    public final Column column(String name) throws InvalidDataException {
        for (Column column : columns()) {
            if (column.name().equals(name)) {
                return column;
            }
        }
        String what = others().get(name);
        if (what != null) {
            throw new InvalidDataException(
                    file, "column '" + name + "' is " + what + ", expected numbers, truth values, texts or times");
        }
        List<String> names = new ArrayList<>();
        columns().stream().limit(12).forEach(column -> names.add(column.name()));
        int more = columns().size() - names.size();
        throw new InvalidDataException(
                file,
                "there is no column '" + name + "'; there are " + String.join(", ", names)
                        + (more > 0 ? ", and " + more + " more" : ""));
    }

    /// Reads some columns, as the types that are asked for: numbers become numbers of other types
    /// where these can hold them, and texts what they say. A missing value is a problem of its row
    /// where the column asked for is not nullable.
    ///
    /// @param selection what to read, in any order; a column may be read as several types
    /// @param absent whether a field that an object of JSON lines does not have is a missing value;
    ///     otherwise it is a problem of its row. If it is, a nullable column of such a file need not
    ///     be among [#columns()]
    /// @throws InvalidDataException if there is no such column
    public final TableReader read(List<Column> selection, boolean absent) throws IOException {
        for (Column wanted : selection) {
            boolean mayCome = mayHaveMore() && absent && wanted.nullable();
            if (!mayCome) {
                column(wanted.name());
            }
        }
        return reader(List.copyOf(selection), absent);
    }

    abstract TableReader reader(List<Column> selection, boolean absent) throws IOException;

    /// For each of the columns that are read the next one that is the same, or -1.
    static int[] twins(List<Column> selection) {
        int[] twins = new int[selection.size()];
        Map<String, Integer> last = new HashMap<>();
        for (int i = twins.length - 1; i >= 0; i--) {
            Integer later = last.put(selection.get(i).name(), i);
            twins[i] = later == null ? -1 : later;
        }
        return twins;
    }
}
