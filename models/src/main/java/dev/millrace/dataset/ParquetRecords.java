// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.hardwood.HardwoodContext;
import dev.hardwood.InputFile;
import dev.hardwood.metadata.LogicalType;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.ColumnProjection;
import dev.hardwood.schema.SchemaNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Rows of a Parquet file, of which only the columns that are wanted are read. The library that
/// reads the format is optional, as for [ParquetDataset].
///
/// Threads: one, and those of the library. Ownership: whoever opened it closes it.
final class ParquetRecords implements Records {
    private static final Duration STALL = Duration.ofSeconds(60);
    private static final int THREADS = 2;

    private final Path file;
    private final StallWatch watch = new StallWatch(STALL);
    private final HardwoodContext context = HardwoodContext.create(THREADS);
    private final ParquetValue[] kinds;
    /// Of columns with points in time; such without a zone are taken to be in UTC.
    private final LogicalType.TimestampType[] times;

    private final int[] fields;
    private ParquetFileReader reader;
    private RowReader row;
    private long number;

    ParquetRecords(Path file, List<String> wanted) throws IOException {
        this.file = file;
        this.kinds = new ParquetValue[wanted.size()];
        this.times = new LogicalType.TimestampType[wanted.size()];
        this.fields = new int[wanted.size()];
        try {
            reader = open();
            List<SchemaNode> nodes = reader.getFileSchema().getRootNode().children();
            int[] places =
                    Records.places(file, nodes.stream().map(SchemaNode::name).toList(), wanted);
            for (int i = 0; i < places.length; i++) {
                SchemaNode node = nodes.get(places[i]);
                times[i] = time(node);
                kinds[i] = times[i] == null ? kind(node) : null;
            }
            row = guarded(() -> reader.buildRowReader()
                    .projection(ColumnProjection.columns(wanted.toArray(String[]::new)))
                    .build());
            Map<String, Integer> there = new HashMap<>();
            for (int i = 0; i < row.getFieldCount(); i++) {
                there.put(row.getFieldName(i), i);
            }
            for (int i = 0; i < fields.length; i++) {
                fields[i] = there.get(wanted.get(i));
            }
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private ParquetFileReader open() throws IOException {
        try {
            return ParquetFileReader.open(InputFile.of(file), context);
        } catch (IOException | RuntimeException e) {
            throw new InvalidDataException(file, "it is no Parquet file, or damaged: " + e.getMessage(), e);
        }
    }

    private ParquetValue kind(SchemaNode node) throws InvalidDataException {
        return ParquetValue.of(node)
                .orElseThrow(() -> new InvalidDataException(
                        file,
                        "column '" + node.name() + "' is " + ParquetValue.describe(node)
                                + ", expected numbers, truth values, texts or points in time"));
    }

    /// What a column with points in time says of them; null of others.
    private static LogicalType.TimestampType time(SchemaNode node) {
        boolean single = node instanceof SchemaNode.PrimitiveNode column && column.maxRepetitionLevel() == 0;
        return single && ((SchemaNode.PrimitiveNode) node).logicalType() instanceof LogicalType.TimestampType time
                ? time
                : null;
    }

    @Override
    public boolean next(String[] values) throws IOException {
        number++;
        boolean more = guarded(() -> {
            boolean has = row.hasNext();
            if (has) {
                row.next();
            }
            return has;
        });
        for (int i = 0; more && i < fields.length; i++) {
            values[i] = value(i);
        }
        return more;
    }

    private String value(int column) throws InvalidDataException {
        int field = fields[column];
        return guarded(() -> {
            if (row.isNull(field)) {
                return null;
            }
            if (kinds[column] != null) {
                return kinds[column].asText(row, field);
            }
            return times[column].isAdjustedToUTC()
                    ? row.getTimestamp(field).toString()
                    : row.getLocalTimestamp(field).toInstant(ZoneOffset.UTC).toString();
        });
    }

    /// What the library says in its own exceptions, or keeps to itself, as one of ours.
    private <T> T guarded(Supplier<T> work) throws InvalidDataException {
        watch.enter();
        try {
            T result = work.get();
            if (!watch.leave()) {
                return result;
            }
        } catch (RuntimeException | LinkageError e) {
            if (!watch.leave()) {
                throw new InvalidDataException(file, place() + " cannot be read: " + e.getMessage(), e);
            }
        }
        throw new InvalidDataException(file, place() + " cannot be read: nothing came, it may be damaged");
    }

    @Override
    public String place() {
        return "row " + number;
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
