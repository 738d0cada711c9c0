// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/// Writes separated values as RFC 4180 has them, with the names of columns in the first line.
/// Threads: one.
final class CsvSink implements TableSink {
    private static final int FLUSH = 1 << 16;

    private final char separator;
    private final OutputStream out;
    private final Bytes bytes = new Bytes(2 * FLUSH);

    CsvSink(List<Column> columns, char separator, OutputStream out) {
        this.separator = separator;
        this.out = out;
        for (int i = 0; i < columns.size(); i++) {
            if (i > 0) {
                bytes.put(separator);
            }
            putText(columns.get(i).name());
        }
        bytes.put('\n');
    }

    @Override
    public void append(TableBatch batch) throws IOException {
        int columns = batch.columns().size();
        for (int row = 0; row < batch.rows(); row++) {
            for (int i = 0; i < columns; i++) {
                if (i > 0) {
                    bytes.put(separator);
                }
                put(batch.values(i), row);
            }
            bytes.put('\n');
            if (bytes.length() >= FLUSH) {
                flush();
            }
        }
    }

    private void put(ColumnValues values, int row) {
        if (values.isNull(row)) {
            return;
        }
        switch (values.type()) {
            case STRING -> putText(values.getString(row));
            case TIMESTAMP -> TextValues.putTime(bytes, values.getLong(row));
            default -> TextValues.put(bytes, values, row);
        }
    }

    private void putText(String text) {
        if (!needsQuotes(text)) {
            bytes.putUtf8(text);
            return;
        }
        bytes.put('"');
        bytes.putUtf8(text.indexOf('"') < 0 ? text : text.replace("\"", "\"\""));
        bytes.put('"');
    }

    /// Nothing without quotes is a missing value; blanks around a text may be lost without them,
    /// and what looks like a byte order mark is.
    private boolean needsQuotes(String text) {
        if (text.isEmpty() || isBlank(text.charAt(0)) || isBlank(text.charAt(text.length() - 1))) {
            return true;
        }
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next == separator || next == '"' || next == '\n' || next == '\r') {
                return true;
            }
        }
        return false;
    }

    private static boolean isBlank(char character) {
        return character <= ' ' || character == '\uFEFF' || Character.isWhitespace(character);
    }

    private void flush() throws IOException {
        bytes.writeTo(out);
        bytes.clear();
    }

    @Override
    public void end() throws IOException {
        flush();
    }
}
