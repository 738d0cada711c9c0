// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The models among the test resources.
final class TestFiles {
    private TestFiles() {}

    static Path file(String name) {
        try {
            return Path.of(TestFiles.class.getResource("/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// All of them, and the example model.
    static List<Path> all() throws IOException {
        try (Stream<Path> files = Files.walk(file("inspect").getParent());
                Stream<Path> zoo = Files.walk(Path.of("zoo"))) {
            return Stream.concat(files, zoo)
                    .filter(file -> file.toString().endsWith(".onnx"))
                    .toList();
        }
    }
}
