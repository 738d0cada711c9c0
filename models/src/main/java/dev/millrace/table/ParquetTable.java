// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.hardwood.HardwoodContext;
import dev.hardwood.InputFile;
import dev.hardwood.metadata.RepetitionType;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.ColumnProjection;
import dev.hardwood.schema.SchemaNode;
import dev.millrace.dataset.InvalidDataException;
import dev.millrace.dataset.StallWatch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/// A table in a Parquet file. Only the columns that are asked for are read.
///
/// The library that reads the format is optional: who opens such a file has it on the class path,
/// and those for the compression that is used.
final class ParquetTable extends TableFile {
    /// How long the library may be silent: on files that are damaged it may wait for itself.
    private static final Duration STALL = Duration.ofSeconds(60);

    private static final int THREADS = 2;

    private final List<Column> columns;
    private final Map<String, ParquetKind> kinds = new HashMap<>();
    private final Map<String, String> others;
    private final long rows;

    ParquetTable(Path file) throws IOException {
        super(file);
        List<Column> found = new ArrayList<>();
        Map<String, String> left = new LinkedHashMap<>();
        try (HardwoodContext context = HardwoodContext.create(THREADS);
                ParquetFileReader reader = open(context)) {
            for (SchemaNode node : reader.getFileSchema().getRootNode().children()) {
                ParquetKind.of(node)
                        .ifPresentOrElse(
                                kind -> {
                                    kinds.put(node.name(), kind);
                                    boolean nullable = node.repetitionType() != RepetitionType.REQUIRED;
                                    found.add(new Column(node.name(), kind.type(), nullable));
                                },
                                () -> left.put(node.name(), ParquetKind.describe(node)));
            }
            this.rows = reader.getFileMetaData().numRows();
        }
        this.columns = List.copyOf(found);
        this.others = Map.copyOf(left);
    }

    private ParquetFileReader open(HardwoodContext context) throws IOException {
        try {
            return ParquetFileReader.open(InputFile.of(file()), context);
        } catch (IOException | RuntimeException e) {
            throw new InvalidDataException(file(), "it is no Parquet file, or damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public List<Column> columns() {
        return columns;
    }

    @Override
    Map<String, String> others() {
        return others;
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    TableReader reader(List<Column> selection, boolean absent) throws IOException {
        return new Reader(selection);
    }

    /// Reads the rows. Threads: one.
    private final class Reader implements TableReader {
        private final List<Column> selection;
        private final ParquetKind[] kind;
        private final int[] fields;
        private final Cells cells = new Cells();
        private final HardwoodContext context = HardwoodContext.create(THREADS);
        private final StallWatch watch = new StallWatch(STALL);
        private ParquetFileReader reader;
        private RowReader row;
        private long number;

        Reader(List<Column> selection) throws IOException {
            this.selection = selection;
            this.kind = new ParquetKind[selection.size()];
            this.fields = new int[selection.size()];
            try {
                reader = open(context);
                String[] names = selection.stream().map(Column::name).distinct().toArray(String[]::new);
                guarded(() -> {
                    row = reader.buildRowReader().projection(projection(names)).build();
                    return true;
                });
                for (int i = 0; i < kind.length; i++) {
                    kind[i] = kinds.get(selection.get(i).name());
                    fields[i] = field(selection.get(i).name());
                }
            } catch (IOException | RuntimeException e) {
                close();
                throw e;
            }
        }

        /// Only what is read; but the library takes a dot in a name for one of its own paths.
        private static ColumnProjection projection(String[] names) {
            return Arrays.stream(names).anyMatch(name -> name.indexOf('.') >= 0)
                    ? ColumnProjection.all()
                    : ColumnProjection.columns(names);
        }

        private int field(String name) {
            int field = 0;
            while (!row.getFieldName(field).equals(name)) {
                field++;
            }
            return field;
        }

        @Override
        public boolean next(TableBatch batch) throws IOException {
            batch.clear();
            batch.unit("row");
            return guarded(() -> fill(batch));
        }

        private boolean fill(TableBatch batch) {
            int filled = 0;
            while (filled < batch.capacity() && row.hasNext()) {
                row.next();
                batch.place(filled, ++number);
                read(batch, filled);
                filled++;
            }
            batch.rows(filled);
            return filled > 0;
        }

        private void read(TableBatch batch, int at) {
            for (int i = 0; i < kind.length; i++) {
                ColumnValues to = batch.values(i);
                try {
                    if (row.isNull(fields[i])) {
                        Cells.missing(to, at, selection.get(i).nullable());
                    } else {
                        kind[i].put(to, at, row, fields[i], cells);
                    }
                } catch (RuntimeException e) {
                    to.setNull(at);
                    batch.problem(at, ", column '" + selection.get(i).name() + "': " + e.getMessage());
                }
            }
        }

        /// What the library says in its own exceptions, or keeps to itself, as one of ours.
        private boolean guarded(BooleanSupplier work) throws InvalidDataException {
            watch.enter();
            try {
                boolean result = work.getAsBoolean();
                if (!watch.leave()) {
                    return result;
                }
            } catch (RuntimeException | LinkageError e) {
                if (!watch.leave()) {
                    throw new InvalidDataException(
                            file(), "row " + (number + 1) + " cannot be read: " + e.getMessage(), e);
                }
            }
            throw new InvalidDataException(
                    file(),
                    "row " + (number + 1) + " cannot be read: nothing came for " + STALL.toMillis()
                            + " ms, it may be damaged");
        }

        @Override
        public double progress() {
            return rows == 0 ? 1 : (double) number / rows;
        }

        @Override
        public void close() throws IOException {
            watch.close();
            if (row != null) {
                row.close();
            }
            if (reader != null) {
                reader.close();
            }
            context.close();
        }
    }
}
