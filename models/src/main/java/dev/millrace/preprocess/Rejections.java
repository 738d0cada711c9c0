// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

/// What rejects a row, so far. Threads: one.
final class Rejections {
    private final Nodes nodes;
    private String rejected;

    Rejections(Nodes nodes) {
        this.nodes = nodes;
    }

    /// Adds where rows are rejected; null for nowhere.
    void add(String where) {
        rejected = nodes.or(rejected, where);
    }

    /// Where rows are rejected; null for nowhere.
    String all() {
        return rejected;
    }
}
