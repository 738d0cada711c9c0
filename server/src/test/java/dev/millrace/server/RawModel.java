// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// A model that is asked by raw values of each type, for tests.
public final class RawModel {
    /// What it is called.
    public static final String NAME = "asked_by_values";

    private static final String SPECIFICATION = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 1
        request:
          - {name: amount, type: float64, required: true}
          - {name: ratio, type: float32}
          - {name: country, type: string}
          - {name: items, type: int32}
          - {name: web, type: bool}
          - {name: seen, type: timestamp}
        features:
          - {name: amount, input: amount}
          - {name: country, input: country, transform: [{one_hot: {vocab: [CH], unknown: ignore}}]}
          - {name: items, input: items, default: 0}
          - {name: web, input: web, default: 0}
        output: {tensor: x, type: float32, layout: row}
        """;

    private RawModel() {}

    /// Puts it into a repository.
    public static Path addTo(Path repository) throws IOException {
        Path version = Files.createDirectories(repository.resolve(NAME + "/1"));
        Files.copy(
                TestServer.models().resolve("linear/1/model.onnx"),
                version.resolve("model.onnx"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(version.resolve("features.yaml"), SPECIFICATION);
        return repository;
    }
}
