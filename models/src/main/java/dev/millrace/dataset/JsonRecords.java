// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.version.JsonText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Rows that are objects of JSON, one in each line; empty lines are passed over. Threads: one.
/// Ownership: whoever opened it closes it.
final class JsonRecords implements Records {
    private final Path file;
    private final LineReader lines;
    private final List<String> wanted;

    JsonRecords(Path file, List<String> wanted) throws IOException {
        this.file = file;
        this.lines = new LineReader(file, MAX_CHARACTERS);
        this.wanted = wanted;
    }

    @Override
    public boolean next(String[] values) throws IOException {
        String line = lines.next();
        while (line != null && line.isBlank()) {
            line = lines.next();
        }
        if (line == null) {
            return false;
        }
        Arrays.fill(values, null);
        try {
            JsonText json = new JsonText(line);
            json.enter('{');
            while (json.more('}')) {
                int index = wanted.indexOf(json.name());
                if (index < 0) {
                    json.skip();
                } else {
                    values[index] = value(json, wanted.get(index));
                }
            }
            json.end();
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(file, place() + ": " + e.getMessage(), e);
        }
        return true;
    }

    private static String value(JsonText json, String name) {
        if (json.isAt('"')) {
            return json.string();
        }
        if (json.isAt('[') || json.isAt('{')) {
            throw new IllegalArgumentException("'" + name + "' is nested, expected a number, a truth value or a text");
        }
        String literal = json.literal();
        return literal.equals("null") ? null : literal;
    }

    @Override
    public String place() {
        return lines.place();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
