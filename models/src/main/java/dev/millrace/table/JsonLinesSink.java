// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/// Writes an object of JSON in each line, with all columns as its fields. Threads: one.
final class JsonLinesSink implements TableSink {
    private static final int FLUSH = 1 << 16;

    private final OutputStream out;
    private final Bytes bytes = new Bytes(2 * FLUSH);
    /// What comes before each value: a bracket or a comma, and the name.
    private final Bytes[] heads;

    JsonLinesSink(List<Column> columns, OutputStream out) {
        this.out = out;
        this.heads = new Bytes[columns.size()];
        for (int i = 0; i < heads.length; i++) {
            heads[i] = new Bytes(32);
            heads[i].put(i == 0 ? '{' : ',');
            putText(heads[i], columns.get(i).name());
            heads[i].put(':');
        }
    }

    @Override
    public void append(TableBatch batch) throws IOException {
        for (int row = 0; row < batch.rows(); row++) {
            for (int i = 0; i < heads.length; i++) {
                bytes.put(heads[i]);
                put(batch.values(i), row);
            }
            bytes.put('}');
            bytes.put('\n');
            if (bytes.length() >= FLUSH) {
                flush();
            }
        }
    }

    private void put(ColumnValues values, int row) {
        if (values.isNull(row)) {
            bytes.putAscii("null");
            return;
        }
        switch (values.type()) {
            case STRING -> putText(bytes, values.getString(row));
            case TIMESTAMP -> {
                bytes.put('"');
                TextValues.putTime(bytes, values.getLong(row));
                bytes.put('"');
            }
            default -> TextValues.put(bytes, values, row);
        }
    }

    private static void putText(Bytes to, String text) {
        to.put('"');
        if (isPlain(text)) {
            to.putAscii(text);
        } else {
            to.putUtf8(escaped(text));
        }
        to.put('"');
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next < ' ' || next >= 0x7F || next == '"' || next == '\\') {
                return false;
            }
        }
        return true;
    }

    private static String escaped(String text) {
        StringBuilder json = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next == '"' || next == '\\') {
                json.append('\\').append(next);
            } else if (next < ' ' || next == 0x7F) {
                json.append("\\u00")
                        .append(Character.forDigit(next >> 4, 16))
                        .append(Character.forDigit(next & 15, 16));
            } else {
                json.append(next);
            }
        }
        return json.toString();
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
