// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.json.JsonReader.Token;
import dev.millrace.protocol.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Reads the bodies of requests for features. Threads: one.
final class FeatureRequestReader extends JsonObjectReader {
    private static final String EXPECTED_ENTITIES = "an object with an array of values for each join key";

    private List<String> references;
    private String service;
    private Map<String, List<Object>> entities;
    private boolean fullNames;

    private FeatureRequestReader() {}

    static FeatureRequest request(byte[] body) {
        FeatureRequestReader reader = new FeatureRequestReader();
        reader.read(body);
        return reader.checked();
    }

    @Override
    void member(String name) {
        switch (name) {
            case "features" -> references = texts();
            case "feature_service" -> service = nameOrNull(name);
            case "entities" -> entities = columns(name, EXPECTED_ENTITIES);
            case "full_feature_names" -> fullNames = bool(name);
            // Versions of views are not known here, so there is nothing to tell about them.
            case "include_feature_view_version_metadata" -> bool(name);
            default -> json.skip();
        }
    }

    private FeatureRequest checked() {
        FeatureRequest request = FeatureRequest.checked(references, service, entities, fullNames);
        if (entities == null) {
            throw Refusal.invalid("entities is missing, expected " + EXPECTED_ENTITIES);
        }
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
            texts.add(name("features[" + texts.size() + "]"));
        }
        return texts;
    }
}
