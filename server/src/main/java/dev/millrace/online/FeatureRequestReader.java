// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.protocol.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the bodies of requests for features. What is wrong is a [Refusal] that names the member,
/// what came and what was expected. Threads: one.
final class FeatureRequestReader {
    private static final String EXPECTED_ENTITIES = "expected an object with an array of values for each join key";

    private final JsonReader json = new JsonReader();
    private List<String> references;
    private String service;
    private Map<String, List<Object>> entities;
    private boolean fullNames;

    private FeatureRequestReader() {}

    static FeatureRequest read(byte[] body) {
        return new FeatureRequestReader().request(body);
    }

    private FeatureRequest request(byte[] body) {
        json.reset(Arrays.copyOf(body, body.length + JsonReader.PADDING), 0, body.length);
        try {
            if (json.token() != Token.OBJECT) {
                throw Refusal.invalid("the body is " + json.describe() + ", expected an object");
            }
            json.enterObject();
            while (json.nextMember()) {
                member(json.text());
            }
            if (json.token() != Token.END) {
                throw Refusal.invalid("behind the object is " + json.describe() + ", expected nothing");
            }
        } catch (JsonException e) {
            throw Refusal.invalid("malformed JSON: " + e.getMessage());
        }
        return checked();
    }

    private void member(String name) {
        switch (name) {
            case "features" -> references = texts();
            case "feature_service" -> service = json.token() == Token.NULL ? nothing() : text("feature_service");
            case "entities" -> entities = entities();
            case "full_feature_names" -> fullNames = bool(name);
            // Versions of views are not known here, so there is nothing to tell about them.
            case "include_feature_view_version_metadata" -> bool(name);
            // Feast takes values of the request for its views on demand here, too.
            default -> json.skip();
        }
    }

    private FeatureRequest checked() {
        if ((references == null) == (service == null)) {
            throw Refusal.invalid((references == null
                            ? "neither features nor feature_service"
                            : "both features and" + " feature_service")
                    + " came, expected one of them");
        }
        if (references != null && references.isEmpty()) {
            throw Refusal.invalid("features is empty, expected at least one view:feature");
        }
        if (entities == null || entities.isEmpty()) {
            throw Refusal.invalid("entities " + (entities == null ? "is missing, " : "is empty, ") + EXPECTED_ENTITIES);
        }
        FeatureRequest request = new FeatureRequest(references, service, entities, fullNames);
        entities.forEach((key, values) -> {
            if (values.size() != request.rows()) {
                throw Refusal.invalid("entities." + key + " has " + values.size() + " values, expected "
                        + request.rows() + " as the other join keys have");
            }
        });
        return request;
    }

    private List<String> texts() {
        if (json.token() == Token.NULL) {
            nothing();
            return null;
        }
        if (json.token() != Token.ARRAY) {
            throw Refusal.invalid("features is " + json.describe() + ", expected an array of view:feature");
        }
        List<String> texts = new ArrayList<>();
        json.enterArray();
        while (json.nextElement()) {
            texts.add(text("features[" + texts.size() + "]"));
        }
        return texts;
    }

    private String text(String name) {
        if (json.token() != Token.STRING) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected a string");
        }
        json.readText();
        return json.text();
    }

    private boolean bool(String name) {
        Token token = json.token();
        if (token == Token.NULL) {
            nothing();
            return false;
        }
        if (token != Token.TRUE && token != Token.FALSE) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected true or false");
        }
        json.readLiteral(token);
        return token == Token.TRUE;
    }

    private String nothing() {
        json.readLiteral(Token.NULL);
        return null;
    }

    private Map<String, List<Object>> entities() {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("entities is " + json.describe() + ", " + EXPECTED_ENTITIES);
        }
        Map<String, List<Object>> all = new LinkedHashMap<>();
        json.enterObject();
        while (json.nextMember()) {
            String key = json.text();
            if (json.token() != Token.ARRAY) {
                throw Refusal.invalid("entities." + key + " is " + json.describe() + ", expected an array");
            }
            List<Object> values = new ArrayList<>();
            json.enterArray();
            while (json.nextElement()) {
                values.add(value("entities." + key + "[" + values.size() + "]"));
            }
            if (all.put(key, values) != null) {
                throw Refusal.invalid("entities." + key + " came twice");
            }
        }
        return all;
    }

    private Object value(String name) {
        Token token = json.token();
        return switch (token) {
            case STRING -> text(name);
            case NULL -> nothing();
            case TRUE, FALSE -> {
                json.readLiteral(token);
                yield token == Token.TRUE;
            }
            case NUMBER -> number();
            default -> throw Refusal.invalid(name + " is " + json.describe() + ", expected a number, a string or null");
        };
    }

    private Object number() {
        json.readNumber();
        long integer = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
        return json.isInteger() && json.isInRange() ? (Object) integer : (Object) json.real();
    }
}
