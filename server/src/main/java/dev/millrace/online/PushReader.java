// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.protocol.Refusal;
import java.util.List;
import java.util.Map;

/// Reads the bodies of pushes. Threads: one.
final class PushReader extends JsonObjectReader {
    private static final String EXPECTED_ROWS = "an object with an array of values for each column";

    private String source;
    private Map<String, List<Object>> columns;

    private PushReader() {}

    static Push push(byte[] body) {
        PushReader reader = new PushReader();
        reader.read(body);
        if (reader.source == null) {
            throw Refusal.invalid("push_source_name is missing, expected the name of a view");
        }
        if (reader.columns == null) {
            throw Refusal.invalid("df is missing, expected " + EXPECTED_ROWS);
        }
        return new Push(reader.source, reader.columns);
    }

    @Override
    void member(String name) {
        switch (name) {
            case "push_source_name" -> source = nameOrNull(name);
            case "df" -> columns = columns(name, EXPECTED_ROWS);
            case "to" -> requireOnline(nameOrNull(name));
            default -> json.skip();
        }
    }

    private static void requireOnline(String to) {
        if (to != null && !to.equals("online")) {
            throw Refusal.unsupported("to is '" + to + "', expected online: this server has no offline store");
        }
    }
}
