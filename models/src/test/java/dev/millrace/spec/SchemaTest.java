// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.spec.Grammar.Shape;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The schema for editors says what the reader takes, and the reader asks for every key that there
/// is.
class SchemaTest {
    private static Mapping schema() throws IOException {
        try (InputStream in = FeatureSpec.class.getResourceAsStream("features.schema.json")) {
            return Yaml.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static YamlNode at(YamlNode node, String... names) {
        YamlNode here = node;
        for (String name : names) {
            here = ((Mapping) here)
                    .entries().stream()
                            .filter(entry -> entry.name().equals(name))
                            .map(Entry::value)
                            .findFirst()
                            .orElse(null);
            if (here == null) {
                return null;
            }
        }
        return here;
    }

    private static List<String> names(YamlNode mapping) {
        return ((Mapping) mapping).entries().stream().map(Entry::name).toList();
    }

    private static List<String> texts(YamlNode list) {
        return ((Sequence) list)
                .items().stream().map(item -> ((Scalar) item).text()).toList();
    }

    @Test
    void shouldHaveTheKeysOfTheReaderAndNoOthers() throws IOException {
        Mapping defs = (Mapping) at(schema(), "$defs");
        TreeSet<String> shapes = new TreeSet<>(Grammar.SHAPES.keySet());
        shapes.add("transform");

        assertThat(names(defs)).containsExactlyInAnyOrderElementsOf(shapes);
        Grammar.SHAPES.forEach((name, shape) -> {
            assertThat(names(at(defs, name, "properties"))).as(name).containsExactlyInAnyOrderElementsOf(shape.keys());
            assertThat(texts(at(defs, name, "required")))
                    .as(name)
                    .containsExactlyInAnyOrderElementsOf(shape.required());
            assertThat(at(defs, name, "additionalProperties"))
                    .as(name)
                    .isInstanceOfSatisfying(
                            Scalar.class, closed -> assertThat(closed.text()).isEqualTo("false"));
        });
    }

    @Test
    void shouldHaveTheWordsOfTheReaderAndNoOthers() throws IOException {
        Mapping defs = (Mapping) at(schema(), "$defs");
        Map<String, List<String>> words = new TreeMap<>();
        Grammar.SHAPES.forEach((name, shape) -> {
            for (String key : shape.keys()) {
                YamlNode allowed = at(defs, name, "properties", key, "enum");
                if (allowed != null) {
                    words.put(name + "." + key, texts(allowed));
                }
            }
        });

        assertThat(words.keySet()).containsExactlyInAnyOrderElementsOf(Grammar.WORDS.keySet());
        words.forEach((key, allowed) ->
                assertThat(allowed).as(key).containsExactlyInAnyOrderElementsOf(Grammar.WORDS.get(key)));
    }

    @Test
    void shouldHaveTheTransformsOfTheReader() throws IOException {
        Sequence choices = (Sequence) at(schema(), "$defs", "transform", "oneOf");
        List<String> named = new ArrayList<>();
        for (YamlNode choice : choices.items()) {
            named.addAll(at(choice, "enum") != null ? List.of() : names(at(choice, "properties")));
        }

        assertThat(named).containsExactlyElementsOf(Grammar.TRANSFORMS);
        assertThat(texts(at(choices.items().getFirst(), "enum"))).containsExactlyElementsOf(Grammar.TRANSFORMS);
        assertThat(Grammar.SHAPES.keySet()).containsAll(Grammar.TRANSFORMS);
    }

    /// A list of lists is no value of any key but one, so whoever reads the key complains of it.
    @Test
    void shouldReadEveryKeyThatThereIs() {
        for (Map.Entry<String, Shape> shape : Grammar.SHAPES.entrySet()) {
            for (String key : shape.getValue().keys()) {
                String text = withNonsense(shape.getKey(), key);
                FeatureSpecException e =
                        catchThrowableOfType(FeatureSpecException.class, () -> FeatureSpec.parse(text, Path.of("")));
                assertThat(e).as(shape.getKey() + "." + key).isNotNull();
                assertThat(e.problems())
                        .as(shape.getKey() + "." + key + " in\n" + text)
                        .anyMatch(problem -> problem.contains(key)
                                && !problem.contains("came without '" + key)
                                && !problem.contains(": came, expected one of ["));
            }
        }
    }

    private static String withNonsense(String shape, String key) {
        String wrong = "{" + key + ": [[[0]], {}]}";
        return switch (shape) {
            case "spec" -> key + ": [[[0]], {}]\n";
            case "entity" -> "entities: [" + wrong + "]\n";
            case "view" -> "sources: {v: " + wrong + "}\n";
            case "view_field" -> "sources: {v: {kind: request, fields: [" + wrong + "]}}\n";
            case "request_field" -> "request: [" + wrong + "]\n";
            case "output" -> "output: " + wrong + "\n";
            case "feature" -> "features: [" + wrong + "]\n";
            case "treat" -> inFeature("treat: " + wrong);
            case "outlier", "missing", "invalid" -> inFeature("treat: {" + shape + ": " + wrong + "}");
            case "validation" -> inFeature("validate: [" + wrong + "]");
            case "fit" -> inFeature("transform: [{impute: {value: 0, fit: " + wrong + "}}]");
            case "between" -> inFeature("validate: [{between: " + wrong + "}]");
            default -> inFeature("transform: [{" + shape + ": " + wrong + "}]");
        };
    }

    private static String inFeature(String part) {
        return "request: [{name: x, type: int64}]\nfeatures:\n  - name: y\n    input: x\n    " + part + "\n";
    }
}
