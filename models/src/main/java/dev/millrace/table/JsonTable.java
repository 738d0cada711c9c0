// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A table with an object of JSON in each line. Its columns are the fields that the first objects
/// have.
final class JsonTable extends TableFile {
    /// An input tensor of the Open Inference Protocol, which has an array of them.
    private static final String REQUEST = "inputs";

    private final List<Column> columns;
    private final Map<String, String> others;

    JsonTable(Path file) throws IOException {
        super(file);
        Map<String, TypeGuess> guesses = look(file);
        List<Column> found = new ArrayList<>();
        Map<String, String> nested = new LinkedHashMap<>();
        guesses.forEach((name, guess) -> guess.nested()
                .ifPresentOrElse(what -> nested.put(name, what), () -> found.add(Column.nullable(name, guess.type()))));
        this.columns = List.copyOf(found);
        this.others = Map.copyOf(nested);
        if (found.isEmpty()) {
            throw new InvalidDataException(
                    file,
                    nested.containsKey(REQUEST)
                            ? "it has requests of the Open Inference Protocol, expected an object of named values in"
                                    + " each line"
                            : "it has no values, expected an object of named values in each line");
        }
    }

    private static Map<String, TypeGuess> look(Path file) throws IOException {
        Map<String, TypeGuess> guesses = new LinkedHashMap<>();
        String problem = "";
        try (JsonScanner in = new JsonScanner(file)) {
            for (int row = 0; row < LOOK_ROWS && in.nextLine(); row++) {
                try {
                    look(in, guesses);
                } catch (IllegalArgumentException e) {
                    // A line is told of when it is read, unless there is nothing else.
                    problem = problem.isEmpty() ? "line " + in.line() + ": " + e.getMessage() : problem;
                }
            }
        }
        if (guesses.isEmpty()) {
            throw new InvalidDataException(
                    file, problem.isEmpty() ? "it is empty, expected an object of named values in each line" : problem);
        }
        return guesses;
    }

    private static void look(JsonScanner in, Map<String, TypeGuess> guesses) {
        in.enter();
        while (in.field()) {
            String name = in.string();
            JsonScanner.Kind kind = in.value();
            TypeGuess guess = guesses.computeIfAbsent(name, _ -> new TypeGuess());
            switch (kind) {
                case NULL -> {}
                case LITERAL -> guess.see(in.string(), false);
                case TEXT -> guess.see(in.string(), true);
                case NESTED -> guess.seeNested(in.buffer()[in.from()] == '[' ? "an array" : "an object");
            }
        }
    }

    @Override
    public List<Column> columns() {
        return columns;
    }

    @Override
    public boolean mayHaveMore() {
        return true;
    }

    @Override
    Map<String, String> others() {
        return others;
    }

    @Override
    TableReader reader(List<Column> selection, boolean absent) throws IOException {
        return new Reader(selection, absent);
    }

    /// Reads the rows. Threads: one.
    private final class Reader implements TableReader {
        private final JsonScanner in;
        private final Cells cells = new Cells();
        private final List<Column> selection;
        private final boolean absent;
        private final char[][] names;
        private final boolean[] seen;
        private final int[] twins;
        /// Whether no column before is the same.
        private final boolean[] first;

        Reader(List<Column> selection, boolean absent) throws IOException {
            this.selection = selection;
            this.absent = absent;
            this.names = selection.stream()
                    .map(column -> column.name().toCharArray())
                    .toArray(char[][]::new);
            this.seen = new boolean[names.length];
            this.twins = twins(selection);
            this.first = new boolean[names.length];
            Arrays.fill(first, true);
            Arrays.stream(twins).filter(twin -> twin >= 0).forEach(twin -> first[twin] = false);
            this.in = new JsonScanner(file());
        }

        @Override
        public boolean next(TableBatch batch) throws IOException {
            batch.clear();
            batch.unit("line");
            int row = 0;
            while (row < batch.capacity() && in.nextLine()) {
                batch.place(row, in.line());
                try {
                    read(batch, row);
                } catch (IllegalArgumentException e) {
                    batch.problem(row, ": " + e.getMessage());
                    clearUnseen(batch, row);
                }
                row++;
            }
            batch.rows(row);
            return row > 0;
        }

        private void read(TableBatch batch, int row) {
            Arrays.fill(seen, false);
            in.enter();
            int expected = 0;
            while (in.field()) {
                int column = find(expected);
                if (column < 0) {
                    in.value();
                    continue;
                }
                expected = column + 1;
                if (seen[column]) {
                    batch.problem(row, field(column) + "it came twice");
                }
                JsonScanner.Kind kind = in.value();
                for (int same = column; same >= 0; same = twins[same]) {
                    seen[same] = true;
                    put(batch, row, same, kind);
                }
            }
            for (int column = 0; column < seen.length; column++) {
                if (!seen[column]) {
                    lacks(batch, row, column);
                }
            }
        }

        private void clearUnseen(TableBatch batch, int row) {
            for (int column = 0; column < seen.length; column++) {
                if (!seen[column]) {
                    batch.values(column).setNull(row);
                }
            }
        }

        /// Which of the columns the field is, or -1. Objects mostly have their fields in the same
        /// order.
        private int find(int expected) {
            for (int i = 0; i < names.length; i++) {
                int column = expected + i < names.length ? expected + i : expected + i - names.length;
                if (first[column] && in.isNamed(names[column])) {
                    return column;
                }
            }
            return -1;
        }

        private String field(int column) {
            return ", field '" + selection.get(column).name() + "': ";
        }

        private void lacks(TableBatch batch, int row, int column) {
            Column wanted = selection.get(column);
            batch.values(column).setNull(row);
            if (!absent || !wanted.nullable()) {
                batch.problem(
                        row,
                        field(column) + "it is missing, expected "
                                + wanted.type().expected());
            }
        }

        private void put(TableBatch batch, int row, int column, JsonScanner.Kind kind) {
            ColumnValues to = batch.values(column);
            try {
                switch (kind) {
                    case NULL -> Cells.missing(to, row, selection.get(column).nullable());
                    case LITERAL -> cells.text(to, row, in.buffer(), in.from(), in.to());
                    case TEXT -> putText(to, row);
                    case NESTED -> throw Cells.wrong(in.string(), to.type());
                }
            } catch (IllegalArgumentException e) {
                to.setNull(row);
                batch.problem(row, field(column) + e.getMessage());
            }
        }

        /// A text is no number; but JSON has no other way to write those that are none.
        private void putText(ColumnValues to, int row) {
            String text = in.string();
            boolean real = to.type() == ColumnType.FLOAT32 || to.type() == ColumnType.FLOAT64;
            boolean fits = to.type() == ColumnType.STRING
                    || to.type() == ColumnType.TIMESTAMP
                    || (real && text.matches("NaN|-?Infinity"));
            if (!fits) {
                throw Cells.wrong('"' + text + '"', to.type());
            }
            cells.text(to, row, text.toCharArray(), 0, text.length());
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
