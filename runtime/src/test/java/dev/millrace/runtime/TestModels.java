// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The models beside the tests, made by `make_models.py`, and repositories of them.
final class TestModels {
    static final List<String> ALL = List.of(
            "collapsing",
            "dynamically_quantized",
            "fails_on_index",
            "fixed_batch",
            "mlp",
            "scalar",
            "softmax_over_rows",
            "strings",
            "two_inputs",
            "types",
            "unsigned",
            "variable_shapes",
            "zip_map");

    private TestModels() {}

    static Path file(String name) {
        try {
            return Path.of(
                    TestModels.class.getResource("/models/" + name + ".onnx").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Lays out `names` as a repository in `root`, version 1 each.
    static Path repository(Path root, String... names) {
        for (String name : names) {
            add(root, name, 1, name);
        }
        return root;
    }

    static void add(Path root, String model, long version, String name) {
        try {
            Path folder = Files.createDirectories(root.resolve(model).resolve(Long.toString(version)));
            Files.copy(file(name), folder.resolve("model.onnx"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
