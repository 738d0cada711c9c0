// SPDX-License-Identifier: Apache-2.0
package dev.millrace.yaml;

/// What is wrong with a text, and where.
public final class YamlException extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    private final int line;
    private final int column;
    private final String problem;

    YamlException(int line, int column, String problem) {
        super("line " + line + ", column " + column + ": " + problem);
        this.line = line;
        this.column = column;
        this.problem = problem;
    }

    /// The line, from 1.
    public int line() {
        return line;
    }

    /// The column, from 1.
    public int column() {
        return column;
    }

    /// What came and what was expected.
    public String problem() {
        return problem;
    }
}
