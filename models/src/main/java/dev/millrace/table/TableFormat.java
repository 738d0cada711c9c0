// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.nio.file.Path;
import java.util.Locale;

/// How a table is written down.
enum TableFormat {
    CSV,
    TSV,
    JSON_LINES,
    PARQUET;

    /// The ends of names, for messages.
    static final String ENDS = ".csv, .tsv, .jsonl, .ndjson, .json or .parquet";

    private static final String PACKED = ".gz";

    /// What the end of a file's name says; null if it says nothing.
    static TableFormat of(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        boolean packed = name.endsWith(PACKED);
        String plain = packed ? name.substring(0, name.length() - PACKED.length()) : name;
        return switch (plain.substring(plain.lastIndexOf('.') + 1)) {
            case "csv" -> CSV;
            case "tsv" -> TSV;
            case "jsonl", "ndjson", "json" -> JSON_LINES;
            case "parquet" -> packed ? null : PARQUET;
            default -> null;
        };
    }

    /// Whether a name says that the text is compressed.
    static boolean isPacked(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(PACKED);
    }
}
