// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/// An HTTP/1.1 response as it came.
///
/// @param start its first line
/// @param headers names in any case; what comes twice is joined by commas
/// @param body without the coding of the transfer, as it came otherwise
/// @param goneOn whether `100 Continue` came before it
record Message(String start, Map<String, String> headers, byte[] body, boolean goneOn) {
    private static final int MAX_LINE = 64 << 10;
    private static final int MAX_BODY = 256 << 20;
    private static final int HEX = 16;

    /// Reads a response, and what goes before it.
    static Message readResponse(InputStream in) throws IOException {
        boolean goneOn = false;
        while (true) {
            String start = line(in);
            int status = status(start);
            Map<String, String> headers = headers(in);
            if (status >= 200) {
                byte[] body = status == 204 || status == 304 ? new byte[0] : body(in, headers);
                return new Message(start, headers, body, goneOn);
            }
            goneOn |= status == 100;
        }
    }

    private static int status(String start) throws IOException {
        if (!start.matches("HTTP/1\\.[01] [1-5]\\d\\d( .*)?")) {
            throw new IOException("expected the first line of an HTTP/1.1 response, came '" + start + "'");
        }
        return Integer.parseInt(start.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
    }

    int status() {
        try {
            return status(start);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static String line(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int read = in.read(); read != '\n'; read = in.read()) {
            if (read < 0) {
                throw new EOFException("the connection was closed");
            }
            if (read != '\r') {
                bytes.write(read);
            }
            if (bytes.size() > MAX_LINE) {
                throw new IOException("a line of more than " + MAX_LINE + " bytes");
            }
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    static Map<String, String> headers(InputStream in) throws IOException {
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            if (colon <= 0) {
                throw new IOException("expected a header, came '" + line + "'");
            }
            headers.merge(line.substring(0, colon), line.substring(colon + 1).strip(), (a, b) -> a + ", " + b);
        }
        return headers;
    }

    private static byte[] body(InputStream in, Map<String, String> headers) throws IOException {
        if (headers.getOrDefault("Transfer-Encoding", "")
                .toLowerCase(java.util.Locale.ROOT)
                .contains("chunked")) {
            return chunks(in);
        }
        String length = headers.get("Content-Length");
        if (length == null) {
            return in.readNBytes(MAX_BODY);
        }
        return exactly(in, size(length, 10));
    }

    private static int size(String text, int radix) throws IOException {
        try {
            int size = Integer.parseInt(text, radix);
            if (size >= 0 && size <= MAX_BODY) {
                return size;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw new IOException("expected the length of a body, came '" + text + "'");
    }

    static byte[] exactly(InputStream in, int size) throws IOException {
        byte[] body = in.readNBytes(size);
        if (body.length < size) {
            throw new EOFException("the connection was closed after " + body.length + " of " + size + " bytes");
        }
        return body;
    }

    static byte[] chunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            int size = size(line(in).replaceAll("[ ;].*", ""), HEX);
            if (size == 0) {
                headers(in);
                return body.toByteArray();
            }
            body.writeBytes(exactly(in, size));
            line(in);
        }
    }
}
