// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Classes of an output whose model has a label file.
class LabelsTest {
    @Test
    void shouldNameClassesThatHaveLabels(@TempDir Path repository) throws IOException {
        Path model = repository.resolve("linear");
        Files.createDirectories(model.resolve("1"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), model.resolve("1/model.onnx"));
        Files.writeString(model.resolve("names.txt"), "first\n");
        Files.writeString(model.resolve("config.pbtxt"), "output { name: 'y' label_filename: 'names.txt' }");
        String body = Bodies.with("'outputs':[{'name':'y','parameters':{'classification':2}}]", Bodies.LINEAR);
        try (TestServer server =
                TestServer.start(_ -> ServerConfig.of(repository).withPort(0))) {
            assertThat(server.infer("linear", body).data()).isEqualTo("30.500000:0:first,0.500000:1");
        }
    }
}
