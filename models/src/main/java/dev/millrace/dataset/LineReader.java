// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;

/// Reads lines of bounded length.
final class LineReader implements RequestTexts {
    private final Path file;
    private final int maxCharacters;
    private final Reader in;
    private final char[] buffer = new char[1 << 15];
    private int position;
    private int limit;
    private long line;

    LineReader(Path file, int maxCharacters) throws IOException {
        this.file = file;
        this.maxCharacters = maxCharacters;
        this.in = TextFile.open(file);
    }

    /// The next line without its end, or null after the last one. A byte order mark before the first is passed over.
    @Override
    public String next() throws IOException {
        line++;
        StringBuilder text = new StringBuilder();
        boolean any = false;
        while (fill()) {
            any = true;
            int start = position;
            while (position < limit && buffer[position] != '\n') {
                position++;
            }
            if (text.length() + (position - start) > maxCharacters) {
                throw new InvalidDataException(
                        file, "line " + line + ": more than " + maxCharacters + " characters came, expected a request");
            }
            text.append(buffer, start, position - start);
            if (position < limit) {
                position++;
                break;
            }
        }
        if (!any) {
            return null;
        }
        boolean mark = line == 1 && !text.isEmpty() && text.charAt(0) == '\uFEFF';
        return mark ? text.substring(1) : text.toString();
    }

    @Override
    public String place() {
        return "line " + line;
    }

    private boolean fill() throws IOException {
        while (position == limit) {
            try {
                limit = in.read(buffer);
            } catch (CharacterCodingException e) {
                throw new InvalidDataException(file, "what comes in or after line " + line + " is not UTF-8", e);
            } catch (IOException e) {
                throw new InvalidDataException(
                        file, "what comes in or after line " + line + " cannot be read: " + e.getMessage(), e);
            }
            position = 0;
            if (limit < 0) {
                limit = 0;
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
