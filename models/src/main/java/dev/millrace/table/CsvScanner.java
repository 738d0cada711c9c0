// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/// Goes over separated values as RFC 4180 has them, field by field, without copying them. Lines end
/// with LF, CR LF or CR; empty ones are passed over unless told otherwise.
///
/// Threads: one. Ownership: whoever made it closes it.
final class CsvScanner implements Closeable {
    private final Path file;
    private final char separator;
    private final TextInput in;
    private int position;
    /// Where the field is looked at, and where it goes without its quotes.
    private int at;

    private int to;
    private int start;
    private int end;
    private boolean quoted;
    private boolean more;
    private boolean afterReturn;
    private boolean emptyLines;
    private int fields;
    private long line;

    CsvScanner(Path file, char separator) throws IOException {
        this.file = file;
        this.separator = separator;
        this.in = new TextInput(file);
    }

    /// From now on an empty line is a record of one empty field.
    void takeEmptyLines() {
        emptyLines = true;
    }

    /// Goes to the next record; false at the end. All fields of the one before were taken.
    boolean next() throws IOException {
        while (hasCharacter()) {
            char next = in.buffer()[position];
            if (next == '\n' && afterReturn) {
                position++;
                afterReturn = false;
                continue;
            }
            if (emptyLines || (next != '\n' && next != '\r')) {
                line = in.line();
                more = true;
                fields = 0;
                return true;
            }
            position++;
            endLine(next);
        }
        return false;
    }

    /// Goes to the next field of the record; false if it has no more.
    boolean field() throws IOException {
        if (!more) {
            return false;
        }
        fields++;
        start = position;
        quoted = hasCharacter() && in.buffer()[position] == '"';
        if (quoted) {
            quoted();
        } else {
            plain();
        }
        return true;
    }

    private boolean hasCharacter() throws IOException {
        if (position < in.limit()) {
            return true;
        }
        boolean filled = in.fill(position);
        position = 0;
        start = 0;
        return filled;
    }

    private void plain() throws IOException {
        at = position;
        while (true) {
            char[] buffer = in.buffer();
            int limit = in.limit();
            while (at < limit) {
                char next = buffer[at];
                if (next == separator || next == '\n' || next == '\r') {
                    end = at;
                    endField(next);
                    return;
                }
                at++;
            }
            if (!refill()) {
                end = at;
                endFile();
                return;
            }
        }
    }

    /// Takes the quotes out where they are: what is behind two of them moves down.
    private void quoted() throws IOException {
        at = position + 1;
        to = position;
        while (true) {
            if (at == in.limit() && !refill()) {
                throw invalid("field " + fields + " begins with a quote that has no end");
            }
            char next = in.buffer()[at++];
            if (next != '"') {
                if (next == '\n') {
                    in.endLine();
                }
                in.buffer()[to++] = next;
                continue;
            }
            if (at == in.limit() && !refill()) {
                end = to;
                endFile();
                return;
            }
            next = in.buffer()[at];
            if (next != '"') {
                end = to;
                endQuoted(next);
                return;
            }
            in.buffer()[to++] = next;
            at++;
        }
    }

    /// Reads more behind the field that is looked at.
    private boolean refill() throws IOException {
        int shift = start;
        boolean filled = in.fill(shift);
        start = 0;
        at -= shift;
        to -= shift;
        return filled;
    }

    private void endQuoted(char by) throws IOException {
        if (by != separator && by != '\n' && by != '\r') {
            throw invalid("'" + by + "' came behind the quotes of field " + fields + ", expected '" + separator
                    + "' or the end of the line");
        }
        endField(by);
    }

    private void endFile() {
        position = at;
        more = false;
    }

    private void endField(char by) {
        position = at + 1;
        more = by == separator;
        if (!more) {
            endLine(by);
        }
    }

    private void endLine(char by) {
        afterReturn = by == '\r';
        in.endLine();
    }

    /// The characters that the field is among.
    char[] buffer() {
        return in.buffer();
    }

    /// Where the field begins.
    int start() {
        return start;
    }

    /// Where the field ends.
    int end() {
        return end;
    }

    /// Whether the field is in quotes.
    boolean isQuoted() {
        return quoted;
    }

    /// Whether nothing is there, not even quotes.
    boolean isMissing() {
        return start == end && !quoted;
    }

    /// The field.
    String text() {
        return new String(in.buffer(), start, end - start);
    }

    /// How many fields of the record were taken.
    int fields() {
        return fields;
    }

    /// The line that the record begins in.
    long line() {
        return line;
    }

    double progress() {
        return in.progress();
    }

    private InvalidDataException invalid(String problem) {
        return new InvalidDataException(file, "line " + line + ": " + problem);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
