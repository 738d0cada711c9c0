// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Rows in separated values; the first line has the names of columns.
final class CsvDataset implements Dataset {
    private final Path file;
    private final char separator;
    private final Columns columns;

    CsvDataset(Path file, char separator, Signature signature, Optional<String> labelColumn, boolean apart)
            throws IOException {
        this.file = file;
        this.separator = separator;
        try (CsvReader reader = new CsvReader(file, separator)) {
            this.columns = Columns.of(file, reader.header(), signature, labelColumn, apart);
        }
    }

    @Override
    public void forEach(int rows, Sink sink) throws IOException {
        try (CsvReader reader = new CsvReader(file, separator);
                RowBatch batch = new RowBatch(columns, rows, sink)) {
            reader.header();
            List<String> fields = new ArrayList<>();
            while (reader.next(fields)) {
                if (fields.size() != columns.count()) {
                    throw new InvalidDataException(
                            file,
                            "line " + reader.line() + ": " + fields.size() + " fields came, expected " + columns.count()
                                    + " as the first line has");
                }
                fill(batch, fields, reader.line());
                batch.endRow();
            }
            columns.requireWhole(batch.end());
        }
    }

    private void fill(RowBatch batch, List<String> fields, long line) throws InvalidDataException {
        int column = columns.label();
        try {
            if (column >= 0) {
                batch.label(Elements.label(fields.get(column)));
            }
            for (int input = 0; input < columns.inputs(); input++) {
                Tensor tensor = batch.tensor(input);
                long index = batch.first(input);
                for (int source : columns.sources(input)) {
                    column = source;
                    Elements.set(tensor, index++, fields.get(source));
                }
            }
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(
                    file, "line " + line + ", column '" + columns.name(column) + "': " + e.getMessage(), e);
        }
    }
}
