// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.Closeable;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;

/// Reads the objects of a JSON array, each as text of bounded length; what is in them is not looked at. An array that
/// is still written may end after any object. Threads: one. Ownership: whoever made it closes it.
final class ObjectReader implements Closeable {
    private final Path file;
    private final int maxCharacters;
    private final Reader in;
    private final char[] buffer = new char[1 << 15];
    private int position;
    private int limit;
    private boolean began;
    private long count;

    ObjectReader(Path file, int maxCharacters) throws IOException {
        this.file = file;
        this.maxCharacters = maxCharacters;
        this.in = TextFile.open(file);
    }

    /// The next object, or null after the last one.
    String next() throws IOException {
        int first = plain();
        if (!began) {
            require(first == '[', "is no array of JSON");
            began = true;
            first = plain();
        } else if (first == ',') {
            first = plain();
        }
        if (first == ']' || first < 0) {
            return null;
        }
        require(first == '{', "has something else than objects after " + count + " of them");
        count++;
        return object();
    }

    private String object() throws IOException {
        StringBuilder text = new StringBuilder("{");
        int depth = 1;
        boolean inText = false;
        while (depth > 0) {
            int next = read();
            require(next >= 0, "ends within object " + count);
            require(
                    text.length() < maxCharacters,
                    "has an object " + count + " of more than " + maxCharacters + " characters");
            text.append((char) next);
            if (inText && next == '\\') {
                int escaped = read();
                require(escaped >= 0, "ends within object " + count);
                text.append((char) escaped);
            } else if (next == '"') {
                inText = !inText;
            } else if (!inText) {
                depth += next == '{' ? 1 : next == '}' ? -1 : 0;
            }
        }
        return text.toString();
    }

    /// The next character that is not blank; -1 at the end.
    private int plain() throws IOException {
        int next = read();
        while (next == ' ' || next == '\n' || next == '\r' || next == '\t') {
            next = read();
        }
        return next;
    }

    private int read() throws IOException {
        if (position == limit) {
            try {
                limit = in.read(buffer);
            } catch (IOException e) {
                throw new InvalidDataException(
                        file, "it cannot be read after object " + count + ": " + e.getMessage(), e);
            }
            position = 0;
            if (limit <= 0) {
                limit = 0;
                return -1;
            }
        }
        return buffer[position++];
    }

    private void require(boolean right, String problem) throws InvalidDataException {
        if (!right) {
            throw new InvalidDataException(file, "it " + problem + ", expected the traces of requests");
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
