// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// Finds the end of HTTP/1.1 responses, and their status. Of bodies it keeps the start of those with a status of 400 or
/// more. It makes no garbage for ordinary responses.
///
/// Threads: one.
final class ResponseParser {
    private static final int MAX_LINE = 32768;
    private static final int KEPT_BODY = 500;

    private enum State {
        STATUS,
        HEADER,
        BODY,
        BODY_UNTIL_CLOSE,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END,
        TRAILER,
        COMPLETE
    }

    private final byte[] kept = new byte[KEPT_BODY];
    private byte[] line = new byte[256];
    private int lineLength;
    private int keptLength;
    private State state = State.STATUS;
    private int status;
    private long left;
    private boolean lengthKnown;
    private boolean chunked;
    private boolean keepAlive;

    /// Reads on, up to the end of the response at most, and returns how many bytes it took.
    ///
    /// @throws IOException if this is no HTTP
    int read(byte[] bytes, int offset, int length) throws IOException {
        int at = offset;
        int end = offset + length;
        while (at < end && state != State.COMPLETE) {
            at = switch (state) {
                case BODY, BODY_UNTIL_CLOSE, CHUNK -> body(bytes, at, end);
                default -> line(bytes, at, end);
            };
        }
        return at - offset;
    }

    private int body(byte[] bytes, int at, int end) {
        int count = (int) Math.min(left, end - at);
        if (status >= 400) {
            int more = Math.min(count, KEPT_BODY - keptLength);
            System.arraycopy(bytes, at, kept, keptLength, more);
            keptLength += more;
        }
        if (state != State.BODY_UNTIL_CLOSE) {
            left -= count;
            if (left == 0) {
                state = state == State.BODY ? State.COMPLETE : State.CHUNK_END;
            }
        }
        return at + count;
    }

    private int line(byte[] bytes, int at, int end) throws IOException {
        int stop = at;
        while (stop < end && bytes[stop] != '\n') {
            stop++;
        }
        keepOfLine(bytes, at, stop);
        if (stop == end) {
            return end;
        }
        if (lineLength > 0 && line[lineLength - 1] == '\r') {
            lineLength--;
        }
        lineEnded();
        lineLength = 0;
        return stop + 1;
    }

    private void keepOfLine(byte[] bytes, int from, int to) throws IOException {
        int count = to - from;
        if (lineLength + count > MAX_LINE) {
            throw new IOException("a line of more than " + MAX_LINE + " bytes in the head of an answer");
        }
        if (lineLength + count > line.length) {
            line = Arrays.copyOf(line, Math.max(2 * line.length, lineLength + count));
        }
        System.arraycopy(bytes, from, line, lineLength, count);
        lineLength += count;
    }

    private void lineEnded() throws IOException {
        switch (state) {
            case STATUS -> statusLine();
            case HEADER -> {
                if (lineLength == 0) {
                    headEnded();
                } else {
                    header();
                }
            }
            case CHUNK_SIZE -> chunkSize();
            case CHUNK_END -> state = State.CHUNK_SIZE;
            case TRAILER -> {
                if (lineLength == 0) {
                    state = State.COMPLETE;
                }
            }
            default -> throw new IllegalStateException("a line in " + state);
        }
    }

    /// `HTTP/1.1 200 OK`
    private void statusLine() throws IOException {
        boolean valid = lineLength >= 12 && startsWith("http/1.") && line[8] == ' ';
        int code = 0;
        for (int i = 9; valid && i < 12; i++) {
            valid = line[i] >= '0' && line[i] <= '9';
            code = 10 * code + line[i] - '0';
        }
        if (!valid || code < 100) {
            throw new IOException("no HTTP/1.1: '" + text(Math.min(lineLength, 80)) + "'");
        }
        status = code;
        keepAlive = line[7] == '1';
        lengthKnown = false;
        chunked = false;
        left = 0;
        keptLength = 0;
        state = State.HEADER;
    }

    private void header() throws IOException {
        if (startsWith("content-length:")) {
            left = number(value(15), 10);
            lengthKnown = true;
        } else if (startsWith("transfer-encoding:")) {
            chunked |= value(18).toLowerCase(Locale.ROOT).endsWith("chunked");
        } else if (startsWith("connection:")) {
            String value = value(11).toLowerCase(Locale.ROOT);
            keepAlive = keepAlive ? !value.contains("close") : value.contains("keep-alive");
        }
    }

    private void headEnded() {
        if (status < 200) {
            state = State.STATUS; // interim: the answer is still to come
        } else if (status == 204 || status == 304) {
            state = State.COMPLETE;
        } else if (chunked) {
            state = State.CHUNK_SIZE;
        } else if (lengthKnown) {
            state = left == 0 ? State.COMPLETE : State.BODY;
        } else {
            keepAlive = false;
            left = Long.MAX_VALUE;
            state = State.BODY_UNTIL_CLOSE;
        }
    }

    private void chunkSize() throws IOException {
        String size = text(lineLength);
        int extension = size.indexOf(';');
        left = number((extension < 0 ? size : size.substring(0, extension)).strip(), 16);
        state = left == 0 ? State.TRAILER : State.CHUNK;
    }

    private static long number(String text, int radix) throws IOException {
        try {
            long value = Long.parseLong(text, radix);
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        throw new IOException("a length of '" + text + "' in an answer");
    }

    /// Whether the line starts with these lower-case characters, in any case.
    private boolean startsWith(String name) {
        if (lineLength < name.length()) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            int character = line[i];
            if (character >= 'A' && character <= 'Z') {
                character += 'a' - 'A';
            }
            if (character != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private String value(int from) {
        return new String(line, from, lineLength - from, StandardCharsets.ISO_8859_1).strip();
    }

    private String text(int length) {
        return new String(line, 0, length, StandardCharsets.ISO_8859_1);
    }

    /// The connection was closed. Whether that ends a response.
    boolean closed() {
        if (state == State.BODY_UNTIL_CLOSE) {
            state = State.COMPLETE;
        }
        return state == State.COMPLETE;
    }

    boolean isComplete() {
        return state == State.COMPLETE;
    }

    /// Awaits the next response.
    void reset() {
        state = State.STATUS;
        lineLength = 0;
    }

    int status() {
        return status;
    }

    /// Whether the connection stays open after this response.
    boolean isKeptAlive() {
        return keepAlive;
    }

    /// The start of the body of a response with a status of 400 or more.
    String keptBody() {
        return new String(kept, 0, keptLength, StandardCharsets.UTF_8);
    }
}
