// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/// Text in a file, perhaps compressed. What is not UTF-8 is an exception when it is met.
final class TextFile {
    private static final int BUFFER = 1 << 16;

    private TextFile() {}

    static Reader open(Path file) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        try {
            boolean packed =
                    file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".gz");
            return new InputStreamReader(
                    packed ? new GZIPInputStream(in, BUFFER) : in, StandardCharsets.UTF_8.newDecoder());
        } catch (IOException e) {
            in.close();
            throw new InvalidDataException(file, "it is not compressed by gzip, as its name says", e);
        }
    }
}
