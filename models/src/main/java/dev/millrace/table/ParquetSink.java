// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Writes Parquet: plain values, not compressed, in row groups that are gathered in memory.
/// Threads: one.
final class ParquetSink implements TableSink {
    /// What a row group has at most, before it is written; readers hold about one in memory, too.
    private static final long GROUP_BYTES = 32L << 20;
    private static final int GROUP_ROWS = 1 << 20;

    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int UNCOMPRESSED = 0;
    private static final int REQUIRED = 0;
    private static final int OPTIONAL = 1;
    private static final int UTF8 = 0;
    private static final int TIMESTAMP_MICROS = 10;

    /// A row group that was written.
    private record Group(long rows, long size, Chunk[] chunks) {}

    /// A column of a row group.
    private record Chunk(long offset, long size, long nulls) {}

    private final List<Column> columns;
    private final OutputStream out;
    private final ParquetColumn[] open;
    private final List<Group> groups = new ArrayList<>();
    private long position;
    private long groupRows;
    private long rows;

    ParquetSink(List<Column> columns, OutputStream out) throws IOException {
        this.columns = columns;
        this.out = out;
        this.open = new ParquetColumn[columns.size()];
        for (int i = 0; i < open.length; i++) {
            open[i] = new ParquetColumn(columns.get(i));
        }
        out.write(MAGIC);
        position = MAGIC.length;
    }

    @Override
    public void append(TableBatch batch) throws IOException {
        long size = 0;
        for (int i = 0; i < open.length; i++) {
            open[i].append(batch.values(i), batch.rows());
            size += open[i].size();
        }
        groupRows += batch.rows();
        if (size >= GROUP_BYTES || groupRows >= GROUP_ROWS) {
            endGroup();
        }
    }

    private void endGroup() throws IOException {
        if (groupRows == 0) {
            return;
        }
        Chunk[] chunks = new Chunk[open.length];
        long start = position;
        for (int i = 0; i < open.length; i++) {
            Bytes pages = open[i].pages();
            pages.writeTo(out);
            chunks[i] = new Chunk(position, pages.length(), open[i].nulls());
            position += pages.length();
            open[i].clear();
        }
        groups.add(new Group(groupRows, position - start, chunks));
        rows += groupRows;
        groupRows = 0;
    }

    @Override
    public void end() throws IOException {
        endGroup();
        Bytes footer = new Bytes(1 << 12);
        ThriftWriter writer = new ThriftWriter(footer);
        writer.i32(1, VERSION);
        putSchema(writer);
        writer.i64(3, rows).structs(4, groups.size());
        for (Group group : groups) {
            put(writer.enter(), group);
            writer.end();
        }
        writer.text(6, "millrace");
        writer.finish();
        int length = footer.length();
        footer.putInt(length);
        footer.put(MAGIC);
        footer.writeTo(out);
    }

    private void putSchema(ThriftWriter writer) {
        writer.structs(2, columns.size() + 1);
        writer.enter().text(4, "schema").i32(5, columns.size()).end();
        for (Column column : columns) {
            writer.enter()
                    .i32(1, physical(column.type()))
                    .i32(3, column.nullable() ? OPTIONAL : REQUIRED)
                    .text(4, column.name());
            if (column.type() == ColumnType.STRING) {
                writer.i32(6, UTF8).begin(10).empty(1).end();
            } else if (column.type() == ColumnType.TIMESTAMP) {
                writer.i32(6, TIMESTAMP_MICROS).begin(10).begin(8).bool(1, true);
                writer.begin(2).empty(2).end().end().end();
            }
            writer.end();
        }
    }

    private void put(ThriftWriter writer, Group group) {
        writer.structs(1, columns.size());
        for (int i = 0; i < columns.size(); i++) {
            Chunk chunk = group.chunks()[i];
            writer.enter().i64(2, chunk.offset()).begin(3);
            writer.i32(1, physical(columns.get(i).type()))
                    .i32s(2, ParquetColumn.PLAIN, ParquetColumn.RLE)
                    .oneText(3, columns.get(i).name())
                    .i32(4, UNCOMPRESSED)
                    .i64(5, group.rows())
                    .i64(6, chunk.size())
                    .i64(7, chunk.size())
                    .i64(9, chunk.offset());
            writer.begin(12).i64(3, chunk.nulls()).end();
            writer.end().end();
        }
        writer.i64(2, group.size()).i64(3, group.rows());
    }

    /// The format's number for how values are stored.
    private static int physical(ColumnType type) {
        return switch (type) {
            case BOOL -> 0;
            case INT32 -> 1;
            case INT64, TIMESTAMP -> 2;
            case FLOAT32 -> 4;
            case FLOAT64 -> 5;
            case STRING -> 6;
        };
    }
}
