// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import java.util.ArrayList;
import java.util.List;

/// Text in columns: the first to the left, the others to the right. Threads: one.
final class Table {
    private final List<String[]> rows = new ArrayList<>();

    /// Adds a line; where it has fewer cells than others these are empty.
    Table row(String... cells) {
        rows.add(cells);
        return this;
    }

    @Override
    public String toString() {
        int[] widths =
                new int[rows.stream().mapToInt(cells -> cells.length).max().orElse(0)];
        for (String[] cells : rows) {
            for (int i = 0; i < cells.length; i++) {
                widths[i] = Math.max(widths[i], cells[i].length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] cells : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < cells.length; i++) {
                String gap = " ".repeat(widths[i] - cells[i].length());
                line.append(i == 0 ? cells[i] + gap : "  " + gap + cells[i]);
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
