// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Reads separated values as RFC 4180 has them: fields in quotes may hold separators, ends of lines, and quotes twice.
/// Lines end with LF, CR LF or CR; empty ones are passed over, and so is a byte order mark. Where there is one column,
/// empty lines between others are empty fields.
///
/// Threads: one. Ownership: whoever made it closes it.
final class CsvReader implements AutoCloseable {
    private static final int MAX_FIELD = 1 << 24;
    private static final int MAX_FIELDS = 1 << 20;
    private static final int END = -1;

    private final Path file;
    private final char separator;
    private final Reader in;
    private final char[] buffer = new char[1 << 15];
    private final StringBuilder field = new StringBuilder();
    private int position;
    private int limit;
    private long line = 1;
    private long recordLine;
    private boolean oneColumn;
    private int emptyLines; // that are still to be given

    CsvReader(Path file, char separator) throws IOException {
        this.file = file;
        this.separator = separator;
        this.in = TextFile.open(file);
    }

    /// Reads the next record into a list; false at the end.
    ///
    /// @throws InvalidDataException if a field has no end, or something stands behind it
    boolean next(List<String> fields) throws IOException {
        fields.clear();
        if (emptyLines > 0) {
            return emptyLine(fields);
        }
        int next = read();
        int empty = 0;
        while (next == '\n' || next == '\r') {
            endLine(next);
            empty++;
            next = read();
        }
        recordLine = line;
        if (next == END) {
            return false;
        }
        if (oneColumn && empty > 0) {
            position--; // what was read comes after them
            emptyLines = empty;
            return emptyLine(fields);
        }
        while (true) {
            next = next == '"' ? quoted(fields.size()) : plain(next);
            fields.add(field.toString());
            if (next != separator) {
                endLine(next);
                return true;
            }
            if (fields.size() == MAX_FIELDS) {
                throw invalid("more than " + MAX_FIELDS + " fields came");
            }
            next = read();
        }
    }

    private boolean emptyLine(List<String> fields) {
        recordLine = line - emptyLines;
        emptyLines--;
        fields.add("");
        return true;
    }

    /// The line that the last record began in, from 1.
    long line() {
        return recordLine;
    }

    /// Reads a field without quotes; what comes behind it.
    private int plain(int first) throws IOException {
        field.setLength(0);
        int next = first;
        while (next != END && next != separator && next != '\n' && next != '\r') {
            append(next);
            next = read();
        }
        return next;
    }

    private int quoted(int index) throws IOException {
        field.setLength(0);
        while (true) {
            int next = read();
            if (next == END) {
                throw invalid("field " + (index + 1) + " begins with a quote that has no end");
            }
            if (next != '"') {
                line += next == '\n' ? 1 : 0;
                append(next);
                continue;
            }
            next = read();
            if (next == END || next == separator || next == '\n' || next == '\r') {
                return next;
            }
            if (next != '"') {
                throw invalid("'" + (char) next + "' came behind the quotes of field " + (index + 1) + ", expected '"
                        + separator + "' or the end of the line");
            }
            append('"');
        }
    }

    private void append(int character) throws IOException {
        if (field.length() == MAX_FIELD) {
            throw invalid("a field came that is longer than " + MAX_FIELD + " characters");
        }
        field.append((char) character);
    }

    private void endLine(int end) throws IOException {
        if (end == '\r' && peek() == '\n') {
            position++;
        }
        line++;
    }

    private int read() throws IOException {
        int next = peek();
        position += next == END ? 0 : 1;
        return next;
    }

    private int peek() throws IOException {
        while (position == limit) {
            boolean first = limit == 0;
            try {
                limit = in.read(buffer);
            } catch (CharacterCodingException e) {
                throw new InvalidDataException(file, "what comes after line " + line + " is not UTF-8", e);
            } catch (IOException e) {
                throw new InvalidDataException(
                        file, "what comes after line " + line + " cannot be read: " + e.getMessage(), e);
            }
            position = 0;
            if (limit == END) {
                limit = 0;
                return END;
            }
            position = first && buffer[0] == '\uFEFF' ? 1 : 0;
        }
        return buffer[position];
    }

    private InvalidDataException invalid(String problem) {
        return new InvalidDataException(file, "line " + recordLine + ": " + problem);
    }

    /// Reads the names of columns, which the first record has.
    ///
    /// @throws InvalidDataException if it has none
    List<String> header() throws IOException {
        List<String> fields = new ArrayList<>();
        if (!next(fields)) {
            throw new InvalidDataException(file, "it is empty, expected the names of columns in the first line");
        }
        oneColumn = fields.size() == 1;
        fields.replaceAll(String::strip);
        if (fields.stream().allMatch(Elements::isNumber)) {
            throw invalid("numbers came, expected the names of columns");
        }
        return fields;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
