// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Writes a table to a file, batch by batch: `.csv`, `.tsv`, `.jsonl`, `.ndjson` and `.json` (an
/// object in each line), or `.parquet`, as its name says. Memory is bounded whatever is written.
///
/// ```
/// try (TableWriter writer = TableWriter.create(file, columns)) {
///     writer.append(batch);
///     writer.finish();
/// }
/// ```
///
/// The file is there, whole, when [#finish()] returns: what is written before is beside it under
/// another name, and gone if the writer is closed without that. In CSV a missing value is nothing
/// and an empty text is `""`; numbers that are none are `NaN`, `Infinity` and `-Infinity`, in JSON,
/// too; times are as 2026-01-31T12:00:00Z.
///
/// Threads: one. Ownership: whoever made it closes it.
public final class TableWriter implements Closeable {
    private final Path file;
    private final Path partial;
    private final List<Column> columns;
    private final FileChannel channel;
    private final TableSink sink;
    private long rows;

    private TableWriter(Path file, Path partial, List<Column> columns, FileChannel channel, TableSink sink) {
        this.file = file;
        this.partial = partial;
        this.columns = columns;
        this.channel = channel;
        this.sink = sink;
    }

    /// Begins a file.
    ///
    /// @param columns what each batch has, at least one, no two of the same name
    /// @throws InvalidDataException if its name does not tell a format
    /// @throws NoSuchFileException if its folder is not there
    public static TableWriter create(Path file, List<Column> columns) throws IOException {
        List<Column> copy = List.copyOf(columns);
        checkNames(copy);
        check(file);
        Path partial = partial(file.toAbsolutePath().normalize());
        FileChannel channel = null;
        try {
            channel = FileChannel.open(partial, StandardOpenOption.WRITE);
            TableSink sink = sink(TableFormat.of(file), copy, Channels.newOutputStream(channel));
            return new TableWriter(file, partial, copy, channel, sink);
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            Files.deleteIfExists(partial);
            throw e;
        }
    }

    /// Checks that a file can be written, as far as that can be told before.
    ///
    /// @throws InvalidDataException if its name does not tell a format
    /// @throws NoSuchFileException if its folder is not there
    public static void check(Path file) throws IOException {
        if (TableFormat.of(file) == null || TableFormat.isPacked(file)) {
            throw new InvalidDataException(file, "its name does not tell what to write, expected " + TableFormat.ENDS);
        }
        Path folder = file.toAbsolutePath().normalize().getParent();
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder.toString());
        }
        if (Files.isDirectory(file)) {
            throw new InvalidDataException(file, "it is a folder, expected a file");
        }
    }

    private static void checkNames(List<Column> columns) {
        if (columns.isEmpty()) {
            throw new IllegalArgumentException("a table without columns is to be written");
        }
        Set<String> names = new HashSet<>();
        for (Column column : columns) {
            if (!names.add(column.name())) {
                throw new IllegalArgumentException("two columns are called '" + column.name() + "'");
            }
        }
    }

    private static Path partial(Path file) throws IOException {
        Path folder = file.getParent();
        String name = file.getFileName().toString();
        if (!folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return Files.createTempFile(folder, name, ".partial");
        }
        // The process's mask takes from these what new files do not have.
        return Files.createTempFile(
                folder,
                name,
                ".partial",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-rw-rw-")));
    }

    private static TableSink sink(TableFormat format, List<Column> columns, OutputStream out) throws IOException {
        return switch (format) {
            case CSV -> new CsvSink(columns, ',', out);
            case TSV -> new CsvSink(columns, '\t', out);
            case JSON_LINES -> new JsonLinesSink(columns, out);
            case PARQUET -> new ParquetSink(columns, out);
        };
    }

    /// Adds all rows of a batch, whose columns are the file's by place and type.
    ///
    /// @throws IllegalArgumentException if they are not, or a value is missing where none may be
    public void append(TableBatch batch) throws IOException {
        if (batch.columns().size() != columns.size()) {
            throw new IllegalArgumentException(batch.columns().size() + " columns came, expected " + columns.size());
        }
        for (int i = 0; i < columns.size(); i++) {
            check(columns.get(i), batch.values(i), batch.rows());
        }
        sink.append(batch);
        rows += batch.rows();
    }

    private static void check(Column column, ColumnValues values, int rows) {
        if (values.type() != column.type()) {
            throw new IllegalArgumentException(
                    "column '" + column.name() + "': " + values.type() + " came, expected " + column.type());
        }
        for (int row = 0; row < rows; row++) {
            if (!column.nullable() && values.isNull(row)) {
                throw new IllegalArgumentException("column '" + column.name() + "': no value came, expected "
                        + column.type().expected());
            }
            if (column.type() == ColumnType.STRING && !values.isNull(row) && values.getString(row) == null) {
                throw new IllegalArgumentException("column '" + column.name() + "': null came for a text, expected"
                        + " that it is said to be missing");
            }
        }
    }

    /// How many rows were added.
    public long rows() {
        return rows;
    }

    /// Writes the end, and gives the file its name; one that had it is replaced. Nothing can be
    /// added any more.
    public void finish() throws IOException {
        sink.end();
        channel.force(true);
        channel.close();
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /// Ends the writing; what was not finished is gone.
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(partial);
    }
}
