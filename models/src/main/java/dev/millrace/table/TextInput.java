// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.millrace.dataset.InvalidDataException;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/// Characters of a file, in a buffer that slides over it. Threads: one. Ownership: whoever made it
/// closes it.
final class TextInput implements Closeable {
    /// The most characters that are held together: of a field or of a line.
    static final int MAX_HELD = 1 << 24;

    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final long size;
    private final Counted bytes;
    private final Reader in;
    private char[] buffer = new char[BUFFER];
    private int limit;
    private boolean began;
    private long line = 1;

    /// Counts what was read.
    private static final class Counted extends FilterInputStream {
        private long count;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int next = in.read();
            count += next < 0 ? 0 : 1;
            return next;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            int some = in.read(to, offset, length);
            count += Math.max(0, some);
            return some;
        }
    }

    TextInput(Path file) throws IOException {
        this.file = file;
        this.size = Files.size(file);
        this.bytes = new Counted(Files.newInputStream(file));
        try {
            InputStream plain = TableFormat.isPacked(file) ? new GZIPInputStream(bytes, BUFFER) : bytes;
            // What is not UTF-8 is an exception when it is met.
            this.in = new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder());
        } catch (IOException e) {
            bytes.close();
            throw new InvalidDataException(file, "it is not compressed by gzip, as its name says", e);
        }
    }

    /// The characters that are held; another array after [#fill(int)].
    char[] buffer() {
        return buffer;
    }

    /// How many there are.
    int limit() {
        return limit;
    }

    /// Reads more behind those that are held, and drops those before `keep`, so that all others
    /// move down by so many.
    ///
    /// @return whether there was more; moved they are in any case
    boolean fill(int keep) throws IOException {
        System.arraycopy(buffer, keep, buffer, 0, limit - keep);
        limit -= keep;
        if (limit == buffer.length) {
            if (limit >= MAX_HELD) {
                throw new InvalidDataException(
                        file, "line " + line + ": more than " + MAX_HELD + " characters came, expected fewer");
            }
            buffer = Arrays.copyOf(buffer, 2 * limit);
        }
        int some = read();
        if (!began && some > 0) {
            began = true;
            if (buffer[0] == '\uFEFF') {
                System.arraycopy(buffer, 1, buffer, 0, --limit);
                return limit > 0 || fill(0);
            }
        }
        return some > 0;
    }

    private int read() throws IOException {
        try {
            int some;
            do {
                some = in.read(buffer, limit, buffer.length - limit);
            } while (some == 0);
            limit += Math.max(0, some);
            return some;
        } catch (CharacterCodingException e) {
            throw new InvalidDataException(file, "what comes after line " + line + " is not UTF-8", e);
        } catch (IOException e) {
            throw new InvalidDataException(
                    file, "what comes after line " + line + " cannot be read: " + e.getMessage(), e);
        }
    }

    /// The line that is read, from 1.
    long line() {
        return line;
    }

    /// Another line begins.
    void endLine() {
        line++;
    }

    /// Which part of the file was read.
    double progress() {
        return size == 0 ? 1 : Math.min(1.0, (double) bytes.count / size);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
