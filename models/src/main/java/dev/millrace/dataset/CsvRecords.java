// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Rows of separated values. Threads: one. Ownership: whoever opened it closes it.
final class CsvRecords implements Records {
    private final Path file;
    private final CsvReader reader;
    private final int columns;
    private final int[] places;
    private final List<String> fields = new ArrayList<>();

    CsvRecords(Path file, char separator, List<String> wanted) throws IOException {
        this.file = file;
        this.reader = new CsvReader(file, separator);
        try {
            List<String> there = reader.header();
            this.columns = there.size();
            this.places = Records.places(file, there, wanted);
        } catch (IOException | RuntimeException | Error e) {
            reader.close();
            throw e;
        }
    }

    @Override
    public boolean next(String[] values) throws IOException {
        if (!reader.next(fields)) {
            return false;
        }
        if (fields.size() != columns) {
            throw new InvalidDataException(
                    file,
                    place() + ": " + fields.size() + " fields came, expected " + columns + " as the first line has");
        }
        for (int i = 0; i < places.length; i++) {
            String value = fields.get(places[i]);
            values[i] = value.isEmpty() ? null : value;
        }
        return true;
    }

    @Override
    public String place() {
        return "line " + reader.line();
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
