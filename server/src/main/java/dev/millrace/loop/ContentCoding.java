// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;

/// How a body is compressed, by HTTP's names. Threads: any.
public enum ContentCoding {
    IDENTITY,
    GZIP,
    /// In zlib's format, as HTTP means it.
    DEFLATE;

    private final byte[] label = toString().getBytes(StandardCharsets.US_ASCII);

    /// Its name in headers. Nobody changes the bytes.
    public byte[] label() {
        return label;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The coding that `Content-Encoding` names; null if it is none of these.
    public static ContentCoding named(String name) {
        return switch (name.strip().toLowerCase(Locale.ROOT)) {
            case "", "identity" -> IDENTITY;
            case "gzip", "x-gzip" -> GZIP;
            case "deflate" -> DEFLATE;
            default -> null;
        };
    }

    /// The coding that `Accept-Encoding` likes best; the first of those that it likes equally.
    public static ContentCoding accepted(String header) {
        ContentCoding best = IDENTITY;
        double bestWeight = 0;
        for (String part : header.split(",")) {
            String[] fields = part.split(";");
            ContentCoding coding = fields[0].strip().equals("*") ? GZIP : named(fields[0]);
            double weight = weight(fields);
            if (coding != null && weight > bestWeight) {
                best = coding;
                bestWeight = weight;
            }
        }
        return best;
    }

    /// What the field `q` says; 1 without it, and 0 if it is no number.
    private static double weight(String[] fields) {
        for (int i = 1; i < fields.length; i++) {
            String field = fields[i].strip();
            if (field.startsWith("q=") || field.startsWith("Q=")) {
                return field.substring(2).matches("[01](\\.\\d{0,3})?") ? Double.parseDouble(field.substring(2)) : 0;
            }
        }
        return 1;
    }

    /// Reads what is compressed by it.
    ///
    /// @throws IOException if it does not begin as it should
    public InputStream reader(InputStream compressed) throws IOException {
        return switch (this) {
            case IDENTITY -> compressed;
            case GZIP -> new GZIPInputStream(compressed);
            case DEFLATE -> new InflaterInputStream(compressed);
        };
    }

    /// Compresses what is written, fast rather than small.
    public OutputStream writer(OutputStream target) throws IOException {
        return switch (this) {
            case IDENTITY -> target;
            case GZIP -> new FastGzip(target);
            case DEFLATE -> new FastDeflate(target);
        };
    }

    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream target) throws IOException {
            super(target);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }

    private static final class FastDeflate extends DeflaterOutputStream {
        FastDeflate(OutputStream target) {
            super(target);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
