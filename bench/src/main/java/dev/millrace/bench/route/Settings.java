// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// How a model is asked. Immutable.
///
/// @param threads that one run may use
/// @param integersBelow integers are drawn from zero on and stay below this
/// @param shapes the inputs whose shape the model leaves open, with all their dimensions; a leading dimension that the
///     model leaves open is the batch, whatever stands here
public record Settings(int threads, int integersBelow, Map<String, List<Long>> shapes) {
    /// One thread, integers 0 and 1 (any table of embeddings has that many rows), and no shape left open.
    public static final Settings DEFAULT = new Settings(1, 2, Map.of());

    private static final String SHAPE = "shape.";

    /// Checks the numbers and makes the map immutable.
    public Settings {
        if (threads < 1 || integersBelow < 1) {
            throw new IllegalArgumentException(
                    "threads " + threads + " and integersBelow " + integersBelow + " must be at least 1");
        }
        shapes = Map.copyOf(shapes);
    }

    /// In one word, for another process.
    public String encode() {
        StringBuilder text = new StringBuilder("threads=" + threads + "&below=" + integersBelow);
        new TreeMap<>(shapes)
                .forEach((name, shape) -> text.append('&')
                        .append(SHAPE)
                        .append(URLEncoder.encode(name, StandardCharsets.UTF_8))
                        .append('=')
                        .append(shape.stream().map(String::valueOf).collect(Collectors.joining("x"))));
        return text.toString();
    }

    /// What [#encode()] made.
    public static Settings decode(String text) {
        Map<String, String> words = Arrays.stream(text.split("&"))
                .map(word -> word.split("=", 2))
                .collect(Collectors.toMap(word -> word[0], word -> word[1]));
        Map<String, List<Long>> shapes = new TreeMap<>();
        words.forEach((name, value) -> {
            if (name.startsWith(SHAPE)) {
                shapes.put(
                        URLDecoder.decode(name.substring(SHAPE.length()), StandardCharsets.UTF_8),
                        Arrays.stream(value.split("x")).map(Long::valueOf).toList());
            }
        });
        return new Settings(Integer.parseInt(words.get("threads")), Integer.parseInt(words.get("below")), shapes);
    }
}
