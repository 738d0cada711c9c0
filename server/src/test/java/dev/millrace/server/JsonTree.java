// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/// A JSON value for tests to look into. Numbers keep the text they came as.
public record JsonTree(Object value) {
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /// A number, as it was written.
    public record Number(String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    public static JsonTree parse(String text) {
        try (JsonParser parser = JSON.createParser(text)) {
            parser.nextToken();
            JsonTree tree = read(parser);
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("more than one value in " + text);
            }
            return tree;
        } catch (IOException e) {
            throw new UncheckedIOException("no JSON: " + text, e);
        }
    }

    private static JsonTree read(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, JsonTree> members = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    members.put(name, read(parser));
                }
                yield new JsonTree(members);
            }
            case START_ARRAY -> {
                List<JsonTree> elements = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(read(parser));
                }
                yield new JsonTree(elements);
            }
            case VALUE_STRING -> new JsonTree(parser.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new JsonTree(new Number(parser.getText()));
            case VALUE_TRUE -> new JsonTree(true);
            case VALUE_FALSE -> new JsonTree(false);
            case VALUE_NULL -> new JsonTree(null);
            default -> throw new IllegalArgumentException("unexpected " + parser.currentToken());
        };
    }

    @SuppressWarnings("unchecked") // as read() made it
    public Map<String, JsonTree> members() {
        return (Map<String, JsonTree>) value;
    }

    @SuppressWarnings("unchecked") // as read() made it
    public List<JsonTree> elements() {
        return (List<JsonTree>) value;
    }

    public boolean has(String name) {
        return members().containsKey(name);
    }

    public JsonTree get(String name) {
        JsonTree member = members().get(name);
        if (member == null) {
            throw new NoSuchElementException("no '" + name + "' in " + this);
        }
        return member;
    }

    public String text() {
        return (String) value;
    }

    /// The texts of all scalars in an array, however nested.
    public List<String> scalars() {
        List<String> texts = new ArrayList<>();
        collect(this, texts);
        return texts;
    }

    private static void collect(JsonTree tree, List<String> texts) {
        if (tree.value() instanceof List<?>) {
            tree.elements().forEach(element -> collect(element, texts));
        } else {
            texts.add(String.valueOf(tree.value()));
        }
    }

    @Override
    public String toString() {
        return String.valueOf(value);
    }
}
