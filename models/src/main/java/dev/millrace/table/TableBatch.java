// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Rows of a table, held by columns: made once and filled again and again.
///
/// A reader also says where each row comes from, and what is wrong with it: a value that could not
/// be read is missing, nullable or not.
///
/// Threads: one at a time.
public final class TableBatch {
    private final List<Column> columns;
    private final List<ColumnValues> values;
    private final int capacity;
    private final long[] places;
    private final String[] problems;
    private String unit = "row";
    private int rows;
    private int wrong;

    private TableBatch(List<Column> columns, List<ColumnValues> values, int capacity) {
        this.columns = List.copyOf(columns);
        this.values = List.copyOf(values);
        this.capacity = capacity;
        this.places = new long[capacity];
        this.problems = new String[capacity];
    }

    /// An empty one.
    ///
    /// @param capacity the most rows that it may have
    public static TableBatch of(List<Column> columns, int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a batch of " + capacity + " rows, expected at least 1");
        }
        List<ColumnValues> values = new ArrayList<>();
        columns.forEach(column -> values.add(new ColumnValues(column.type(), capacity)));
        return new TableBatch(columns, values, capacity);
    }

    /// One that shares columns with others.
    ///
    /// @param values for each column what it holds, of its type, and of as many rows
    public static TableBatch of(List<Column> columns, List<ColumnValues> values) {
        if (columns.size() != values.size() || columns.isEmpty()) {
            throw new IllegalArgumentException(values.size() + " columns have values, expected " + columns.size());
        }
        int capacity = values.getFirst().capacity();
        for (int i = 0; i < columns.size(); i++) {
            if (values.get(i).type() != columns.get(i).type() || values.get(i).capacity() != capacity) {
                throw new IllegalArgumentException("the values of column '"
                        + columns.get(i).name() + "' are " + values.get(i).capacity() + " of type "
                        + values.get(i).type() + ", expected " + capacity + " of "
                        + columns.get(i).type());
            }
        }
        return new TableBatch(columns, values, capacity);
    }

    /// What the columns are.
    public List<Column> columns() {
        return columns;
    }

    /// What a column holds.
    public ColumnValues values(int column) {
        return values.get(column);
    }

    /// How many rows there may be.
    public int capacity() {
        return capacity;
    }

    /// How many rows there are.
    public int rows() {
        return rows;
    }

    /// Says how many rows there are.
    public void rows(int count) {
        if (count < 0 || count > capacity) {
            throw new IllegalArgumentException(count + " rows, expected 0 to " + capacity);
        }
        rows = count;
    }

    /// Empties it.
    public void clear() {
        for (ColumnValues column : values) {
            column.clear();
        }
        if (wrong > 0) {
            Arrays.fill(problems, null);
            wrong = 0;
        }
        rows = 0;
    }

    /// Where a row comes from: "line 12", or "row 12" where there are no lines.
    public String place(int row) {
        return unit + " " + places[row];
    }

    /// What is wrong with a row, with its place, the column, what came and what was expected; null
    /// if nothing is.
    public String problem(int row) {
        return problems[row];
    }

    /// Whether anything is wrong with any row.
    public boolean hasProblems() {
        return wrong > 0;
    }

    /// Says that something is wrong with a row; what was said first stays.
    public void problem(int row, String problem) {
        if (problems[row] == null) {
            problems[row] = place(row) + problem;
            wrong++;
        }
    }

    /// Says where rows come from.
    void unit(String name) {
        unit = name;
    }

    void place(int row, long number) {
        places[row] = number;
    }

    /// Takes rows out; the others move up. Places and problems are forgotten.
    ///
    /// @param out for each row whether it goes
    public void remove(boolean[] out) {
        int kept = 0;
        for (int row = 0; row < rows; row++) {
            if (out[row]) {
                continue;
            }
            if (kept < row) {
                for (ColumnValues column : values) {
                    column.move(row, kept);
                }
            }
            kept++;
        }
        rows = kept;
    }
}
