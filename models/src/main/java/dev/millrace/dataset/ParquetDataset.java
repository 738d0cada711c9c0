// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.hardwood.HardwoodContext;
import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.ColumnProjection;
import dev.hardwood.schema.SchemaNode;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;

/// Rows in a Parquet file. Only the columns that are needed are read, each as numbers, truth values or texts.
///
/// The library that reads the format is optional: who opens such a file has it on the class path, and those for the
/// compression that is used.
final class ParquetDataset implements Dataset {
    /// How long the library may be silent: on files that are damaged it may wait for itself.
    private static final Duration STALL = Duration.ofSeconds(60);

    private static final int THREADS = 2;

    private final Path file;
    private final Duration stall;
    private final Columns columns;
    private final ParquetValue[] kinds;
    private final String[] needed;

    ParquetDataset(Path file, Signature signature, Optional<String> labelColumn, boolean apart) throws IOException {
        this(file, signature, labelColumn, apart, STALL);
    }

    /// @param stall how long the library may be silent
    ParquetDataset(Path file, Signature signature, Optional<String> labelColumn, boolean apart, Duration stall)
            throws IOException {
        this.file = file;
        this.stall = stall;
        try (HardwoodContext context = HardwoodContext.create(THREADS);
                ParquetFileReader reader = open(context)) {
            List<SchemaNode> nodes = reader.getFileSchema().getRootNode().children();
            this.columns =
                    Columns.of(file, nodes.stream().map(SchemaNode::name).toList(), signature, labelColumn, apart);
            this.kinds = new ParquetValue[nodes.size()];
            for (int column : used()) {
                kinds[column] = ParquetValue.of(nodes.get(column))
                        .orElseThrow(() -> new InvalidDataException(
                                file,
                                "column '" + columns.name(column) + "' is " + ParquetValue.describe(nodes.get(column))
                                        + ", expected numbers, truth values or texts"));
            }
        }
        this.needed = used().stream().map(columns::name).toArray(String[]::new);
    }

    private TreeSet<Integer> used() {
        TreeSet<Integer> used = new TreeSet<>();
        for (int input = 0; input < columns.inputs(); input++) {
            Arrays.stream(columns.sources(input)).forEach(used::add);
        }
        if (columns.label() >= 0) {
            used.add(columns.label());
        }
        return used;
    }

    private ParquetFileReader open(HardwoodContext context) throws IOException {
        try {
            return ParquetFileReader.open(InputFile.of(file), context);
        } catch (IOException | RuntimeException e) {
            throw new InvalidDataException(file, "it is no Parquet file, or damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public void forEach(int rows, Sink sink) throws IOException {
        try (StallWatch watch = new StallWatch(stall);
                HardwoodContext context = HardwoodContext.create(THREADS);
                ParquetFileReader reader = open(context);
                RowReader row = guarded(
                        watch,
                        0,
                        () -> reader.buildRowReader()
                                .projection(ColumnProjection.columns(needed))
                                .build());
                RowBatch batch = new RowBatch(columns, rows, sink)) {
            int[] fields = fields(row);
            long number = 1;
            while (next(watch, row, number)) {
                fill(batch, row, fields, number++);
                batch.endRow();
            }
            columns.requireWhole(batch.end());
        }
    }

    /// The reader's field for each of the file's columns that is needed.
    private int[] fields(RowReader row) {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 0; i < row.getFieldCount(); i++) {
            places.put(row.getFieldName(i), i);
        }
        int[] fields = new int[columns.count()];
        Arrays.setAll(fields, column -> places.getOrDefault(columns.name(column), -1));
        return fields;
    }

    private boolean next(StallWatch watch, RowReader row, long number) throws InvalidDataException {
        return guarded(watch, number, () -> {
            boolean more = row.hasNext();
            if (more) {
                row.next();
            }
            return more;
        });
    }

    private void fill(RowBatch batch, RowReader row, int[] fields, long number) throws InvalidDataException {
        int column = columns.label();
        try {
            if (column >= 0) {
                batch.label(kinds[column].label(row, fields[column]));
            }
            for (int input = 0; input < columns.inputs(); input++) {
                Tensor tensor = batch.tensor(input);
                long index = batch.first(input);
                for (int source : columns.sources(input)) {
                    column = source;
                    kinds[source].set(tensor, index++, row, fields[source]);
                }
            }
        } catch (RuntimeException e) {
            throw new InvalidDataException(
                    file, "row " + number + ", column '" + columns.name(column) + "': " + e.getMessage(), e);
        }
    }

    /// What the library says in its own exceptions, or keeps to itself, as one of ours.
    private <T> T guarded(StallWatch watch, long number, Supplier<T> work) throws InvalidDataException {
        watch.enter();
        try {
            T result = work.get();
            if (!watch.leave()) {
                return result;
            }
        } catch (RuntimeException | LinkageError e) {
            if (!watch.leave()) {
                throw new InvalidDataException(file, "row " + number + " cannot be read: " + e.getMessage(), e);
            }
        }
        throw new InvalidDataException(
                file,
                "row " + number + " cannot be read: nothing came for " + stall.toMillis() + " ms, it may be damaged");
    }
}
