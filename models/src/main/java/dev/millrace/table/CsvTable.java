// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// A table in separated values.
final class CsvTable extends TableFile {
    private final char separator;
    private final List<String> names;
    private final List<Column> columns;

    CsvTable(Path file, char separator) throws IOException {
        super(file);
        this.separator = separator;
        try (CsvScanner in = new CsvScanner(file, separator)) {
            this.names = header(in, file);
            this.columns = look(in);
        }
    }

    private static List<String> header(CsvScanner in, Path file) throws IOException {
        List<String> names = new ArrayList<>();
        if (!in.next()) {
            throw new InvalidDataException(file, "it is empty, expected the names of columns in the first line");
        }
        boolean numbers = true;
        Decimals decimals = new Decimals();
        while (in.field()) {
            String name = in.isQuoted() ? in.text() : in.text().strip();
            numbers = numbers && decimals.scan(name.toCharArray(), 0, name.length());
            names.add(name);
        }
        if (numbers) {
            throw new InvalidDataException(file, "line 1: numbers came, expected the names of columns");
        }
        if (new HashSet<>(names).size() < names.size()) {
            List<String> twice = new ArrayList<>(names);
            new HashSet<>(names).forEach(twice::remove);
            throw new InvalidDataException(file, "two columns are called '" + twice.getFirst() + "'");
        }
        if (names.size() == 1) {
            in.takeEmptyLines();
        }
        return names;
    }

    private List<Column> look(CsvScanner in) throws IOException {
        TypeGuess[] guesses = new TypeGuess[names.size()];
        Arrays.setAll(guesses, _ -> new TypeGuess());
        for (int row = 0; row < LOOK_ROWS && in.next(); row++) {
            for (int i = 0; in.field(); i++) {
                if (i < guesses.length && !in.isMissing()) {
                    guesses[i].see(in.text(), in.isQuoted());
                }
            }
        }
        List<Column> found = new ArrayList<>();
        for (int i = 0; i < guesses.length; i++) {
            found.add(Column.nullable(names.get(i), guesses[i].type()));
        }
        return List.copyOf(found);
    }

    @Override
    public List<Column> columns() {
        return columns;
    }

    @Override
    Map<String, String> others() {
        return Map.of();
    }

    @Override
    TableReader reader(List<Column> selection, boolean absent) throws IOException {
        return new Reader(selection);
    }

    /// Reads the rows. Threads: one.
    private final class Reader implements TableReader {
        private final CsvScanner in;
        private final Cells cells = new Cells();
        private final List<Column> selection;
        /// For each of the file's columns which of those that are read it is, or -1.
        private final int[] targets = new int[names.size()];
        private final int[] twins;

        Reader(List<Column> selection) throws IOException {
            this.selection = selection;
            Arrays.fill(targets, -1);
            this.twins = twins(selection);
            for (int i = selection.size() - 1; i >= 0; i--) {
                targets[names.indexOf(selection.get(i).name())] = i;
            }
            this.in = new CsvScanner(file(), separator);
            try {
                header(in, file());
            } catch (IOException | RuntimeException e) {
                in.close();
                throw e;
            }
        }

        @Override
        public boolean next(TableBatch batch) throws IOException {
            batch.clear();
            batch.unit("line");
            int row = 0;
            while (row < batch.capacity() && in.next()) {
                batch.place(row, in.line());
                read(batch, row);
                row++;
            }
            batch.rows(row);
            return row > 0;
        }

        private void read(TableBatch batch, int row) throws IOException {
            for (int i = 0; in.field(); i++) {
                int first = i < targets.length ? targets[i] : -1;
                for (int target = first; target >= 0; target = twins[target]) {
                    put(batch, row, target);
                }
            }
            if (in.fields() != targets.length) {
                for (int i = in.fields(); i < targets.length; i++) {
                    for (int target = targets[i]; target >= 0; target = twins[target]) {
                        batch.values(target).setNull(row);
                    }
                }
                batch.problem(
                        row,
                        ": " + in.fields() + " fields came, expected " + targets.length + " as the first line has");
            }
        }

        private void put(TableBatch batch, int row, int target) {
            ColumnValues to = batch.values(target);
            try {
                if (in.isMissing() || (in.start() == in.end() && to.type() != ColumnType.STRING)) {
                    Cells.missing(to, row, selection.get(target).nullable());
                } else {
                    cells.text(to, row, in.buffer(), in.start(), in.end());
                }
            } catch (IllegalArgumentException e) {
                to.setNull(row);
                batch.problem(row, ", column '" + selection.get(target).name() + "': " + e.getMessage());
            }
        }

        @Override
        public double progress() {
            return in.progress();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
