// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the text form of schemas. Threads: one.
final class SchemaText {
    private static final Pattern STRING = Pattern.compile("string\\((\\d{1,6})\\)");

    private String name;
    private Field key;
    private final List<Field> fields = new ArrayList<>();

    private SchemaText() {}

    static ViewSchema parse(String text) {
        SchemaText schema = new SchemaText();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            String plain = line.strip();
            if (!plain.isEmpty() && !plain.startsWith("#")) {
                try {
                    schema.add(plain.split("\\s+"));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("schema, line " + number + ": " + e.getMessage(), e);
                }
            }
        }
        if (schema.name == null || schema.key == null) {
            throw new IllegalArgumentException(
                    "the schema has no line '" + (schema.name == null ? "view NAME" : "key NAME TYPE") + "'");
        }
        return new ViewSchema(schema.name, schema.key, schema.fields);
    }

    private void add(String[] words) {
        String kind = words[0];
        if (kind.equals("view") && words.length == 2 && name == null) {
            name = words[1];
        } else if (kind.equals("key") && words.length == 3 && key == null) {
            key = field(words[1], words[2]);
        } else if (kind.equals("field") && words.length == 3) {
            fields.add(field(words[1], words[2]));
        } else {
            throw new IllegalArgumentException("'" + String.join(" ", words)
                    + "' was not expected, but one 'view NAME', one 'key NAME TYPE', or 'field NAME TYPE'");
        }
    }

    /// A field of a type that is written as in schemas.
    static Field field(String name, String type) {
        Matcher string = STRING.matcher(type);
        if (string.matches()) {
            return Field.string(name, Integer.parseInt(string.group(1)));
        }
        for (FieldType known : FieldType.values()) {
            if (known != FieldType.STRING && known.word().equals(type)) {
                return Field.of(name, known);
            }
        }
        throw new IllegalArgumentException("'" + name + "' is of type '" + type
                + "', expected float64, float32, int64, int32, bool, timestamp or string(N)");
    }
}
